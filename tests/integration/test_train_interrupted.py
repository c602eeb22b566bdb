"""A training that is killed goes on where it was; one that is stopped leaves a model of what was finished. Real processes."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from inference import artifact
from inference.request import Request
from tests.integration.test_train import SMALL, Job, catalogue, events, follow

SLOW_ALS = {"models": "popularity,item_knn,als", "als_factors": "512", "als_iterations": "200", "evaluation_k": "3"}


def new_job(base: Path, hyperparameters: dict[str, str] = SMALL) -> Job:
    job = Job(base).file("input/data/interactions/part-0.csv", events()).file("input/data/items/songs.csv", catalogue())
    return job.hyperparameters(hyperparameters)


def killed_at(job: Job, moment: str) -> str:
    """Starts training, kills it without a warning at the first line that says ``moment``, and returns the log."""
    with job.start() as process:
        log = "".join(follow(process, lambda line: moment in line))
        process.kill()
        process.communicate(timeout=60)
    assert moment in log
    assert not (job.model / "model.json").exists()
    return log


def model(job: Job) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in job.model.iterdir() if not path.name.startswith(".")}


def fits(log: str) -> list[str]:
    return [line.split("name=fit_")[1].split()[0] for line in log.splitlines() if "event=stage name=fit_" in line]


@pytest.mark.slow
def test_a_training_that_is_killed_twice_ends_in_the_same_bytes_as_one_that_is_not(tmp_path: Path) -> None:
    validated = {**SMALL, "split_validation_fraction": "0.4"}  # so that models are fitted twice
    whole = new_job(tmp_path / "whole", validated)
    code, log = whole.run()
    assert code == 0, log
    assert fits(log).count("pearson") == 2

    job = new_job(tmp_path / "killed", validated).file("input/config/checkpointconfig.json", '{"LocalPath": "/opt/ml/checkpoints"}')
    job.file("input/config/resourceconfig.json", '{"current_host": "algo-1", "hosts": ["algo-1"]}')
    first = fits(killed_at(job, "name=fit_pearson"))
    second = killed_at(job, "event=operator")
    assert first == ["popularity", "item_knn", "pearson"]
    assert "event=checkpoint_taken name=first-item_knn" in second
    assert not {"popularity", "item_knn"} & set(fits(second))  # the last one may have been killed before it was kept
    code, third = job.run()
    assert code == 0, third
    assert model(job) == model(whole)

    kept = sorted(path.name for path in (job.base / "checkpoints").iterdir())
    assert any(".final-als." in name for name in kept)
    assert all(name.startswith("algo-1.") and name.endswith((".npy", ".json")) for name in kept)


def stopped(job: Job, moment: str) -> tuple[str, float]:
    """Sends SIGTERM half a second after ``moment``, and returns the log and the seconds until the end."""
    with job.start() as process:
        log = "".join(follow(process, lambda line: moment in line))
        time.sleep(0.5)
        begin = time.perf_counter()
        process.send_signal(signal.SIGTERM)
        log += process.communicate(timeout=120)[0]
    assert process.returncode == 143, log
    assert "event=stopped signal=SIGTERM" in log
    assert "Traceback" not in log
    return log, time.perf_counter() - begin


@pytest.fixture(scope="module")
def early(tmp_path_factory: pytest.TempPathFactory) -> tuple[Job, str, float]:
    """A job that is stopped while the slowest of three models is being fitted."""
    job = new_job(tmp_path_factory.mktemp("stopped"), SLOW_ALS)
    return job, *stopped(job, "name=fit_item_knn")


def test_a_stop_while_models_are_fitted_leaves_a_model_of_those_that_are_finished(early: tuple[Job, str, float]) -> None:
    job, log, seconds = early
    assert seconds < 20
    assert "event=stopped_early finished=popularity,item_knn unfinished=als weights_found=False" in log
    recommender = artifact.load(job.model, verify=True)
    assert set(recommender.scorers) == {"popularity", "item_knn"}
    assert recommender.hybrid.weights["item_knn"] > recommender.hybrid.weights["popularity"] > 0
    answer = recommender.recommend(Request(items=("song-2", "song-4", "song-6"), num_recommendations=5))
    assert all(int(one.item_id.split("-")[1]) % 2 == 0 for one in answer.recommendations)


def test_a_model_that_was_stopped_early_says_so_everywhere(early: tuple[Job, str, float]) -> None:
    job = early[0]
    document: dict[str, Any] = json.loads((job.model / "model.json").read_text())
    assert document["stopped_early"] == {"unfinished": ["als"]}
    assert document["metrics"] == {}
    assert "stopped before it was done" in (job.model / "model_card.md").read_text()
    assert "stopped before it was done" in json.loads((job.base / "output" / "data" / "evaluation.json").read_text())["reason"]
    assert not [path for path in job.model.iterdir() if path.name.startswith(".")]
    assert not (job.base / "output" / "failure").exists()


def test_a_stop_while_the_finished_model_is_judged_leaves_it_without_its_figures(tmp_path: Path) -> None:
    job = new_job(tmp_path, {**SMALL, "models": "popularity,item_knn", "evaluation_bootstrap_samples": "100000"})
    log, _ = stopped(job, "event=stage name=save")
    document = json.loads((job.model / "model.json").read_text())
    artifact.load(job.model, verify=True)
    if "stopped_early" in log:
        assert (document["stopped_early"], document["metrics"]) == ({"unfinished": []}, {})
        assert document["hybrid"]["weights"]
