"""`container/bin/train` as SageMaker starts it: a real process, a stand-in for /opt/ml, real data."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from container.train import MODEL_JSON
from inference import artifact
from inference.request import Request
from training.config import TrainingConfig
from training.evaluation.text import metric_definitions

ROOT = Path(__file__).resolve().parent.parent.parent
TRAIN = ROOT / "container" / "bin" / "train"
SMALL = {"als_iterations": "2", "als_factors": "4", "evaluation_k": "[2, 5]", "evaluation_bootstrap_samples": "50"}
SONGS = [f"song-{number}" for number in range(24)]


def events() -> str:
    """Two tastes: even listeners play even songs, odd ones odd songs, each leaves out a few."""
    lines = ["USER_ID,ITEM_ID,TIMESTAMP"]
    for user in range(60):
        songs = [number for number in range(24) if number % 2 == user % 2 and (number // 2 + user) % 5]
        lines += [f"u{user},song-{number},{1_700_000_000 + number}" for number in songs]
    return "\n".join(lines) + "\n"


def catalogue() -> str:
    rows = [f"song-{n},Title {n},Artist {n % 6},Genre {n % 2},0.{n % 10},{1990 + n}" for n in range(24)]
    return "\n".join(["track_id,track_name,artists,track_genre,danceability,release_year", *rows]) + "\n"


@dataclass
class Job:
    """A folder like /opt/ml, and what became of the training in it."""

    base: Path

    def file(self, place: str, text: str) -> Job:
        path = self.base / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return self

    def hyperparameters(self, values: Mapping[str, str]) -> Job:
        return self.file("input/config/hyperparameters.json", json.dumps(values))

    def start(self) -> subprocess.Popen[str]:
        environment = {**os.environ, "SAGEMAKER_BASE_DIR": str(self.base)}
        return subprocess.Popen([str(TRAIN)], env=environment, cwd="/", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def run(self) -> tuple[int, str]:
        with self.start() as process:
            log, _ = process.communicate(timeout=120)
        return process.returncode, log

    @property
    def model(self) -> Path:
        return self.base / "model"

    @property
    def failure(self) -> str:
        text = (self.base / "output" / "failure").read_text(encoding="ascii")
        assert len(text) <= 1024
        return text


NewJob = Callable[[], Job]


@pytest.fixture
def new_job(tmp_path: Path) -> NewJob:
    return lambda: (
        Job(tmp_path)
        .file("input/data/interactions/part-0.csv", events())
        .file("input/data/items/songs.csv", catalogue())
        .hyperparameters(SMALL)
    )


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Job, str]:
    job = Job(tmp_path_factory.mktemp("opt-ml"))
    job.file("input/data/interactions/part-0.csv", events()).file("input/data/items/nested/songs.csv", catalogue())
    job.hyperparameters({**SMALL, "seed": '"7"', "sagemaker_program": '"train.py"', "_tuning_objective_metric": "hybrid:recall_at_5"})
    code, log = job.run()
    assert code == 0, log
    return job, log


def test_training_leaves_a_model_that_the_serving_code_opens_and_that_has_learned_the_tastes(trained: tuple[Job, str]) -> None:
    recommender = artifact.load(trained[0].model, verify=True)
    for first in (0, 1):
        seeds = tuple(SONGS[number] for number in (first, first + 2, first + 4))
        answer = recommender.recommend(Request(items=seeds, num_recommendations=5))
        assert {int(one.item_id.split("-")[1]) % 2 for one in answer.recommendations} == {first}


def test_the_model_folder_has_arrays_a_description_and_a_card_and_nothing_else(trained: tuple[Job, str]) -> None:
    names = {path.name for path in trained[0].model.iterdir()}
    assert {MODEL_JSON, "model_card.md"} <= names
    assert {Path(name).suffix for name in names - {MODEL_JSON, "model_card.md"}} == {".npy"}
    assert all((path.stat().st_mode & 0o444) == 0o444 for path in trained[0].model.iterdir())
    assert not (trained[0].base / "output" / "failure").exists()


def test_the_evaluation_is_in_the_output_in_the_model_and_in_the_log(trained: tuple[Job, str]) -> None:
    job, log = trained
    evaluation = json.loads((job.base / "output" / "data" / "evaluation.json").read_text())
    assert json.loads((job.model / MODEL_JSON).read_text())["metrics"] == evaluation
    recall = evaluation["holdout"]["models"]["hybrid"]["recall_at_5"]["mean"]
    assert recall > evaluation["holdout"]["models"]["popularity"]["recall_at_5"]["mean"]
    assert f"holdout:hybrid:recall_at_5={recall:.6f}\n" in log
    assert f"| hybrid | {recall:.3f} [" in (job.model / "model_card.md").read_text()


def test_sagemaker_finds_every_metric_that_is_described_in_the_log(trained: tuple[Job, str]) -> None:
    environment = {**os.environ, "SAGEMAKER_BASE_DIR": str(trained[0].base)}
    described = subprocess.run([str(TRAIN), "--describe"], env=environment, cwd="/", capture_output=True, text=True, check=True)
    definitions = json.loads(described.stdout)["TrainingSpecification"]["MetricDefinitions"]
    assert definitions == metric_definitions(TrainingConfig.from_hyperparameters(SMALL))
    for definition in definitions:
        found = re.findall(definition["Regex"], trained[1])
        left_out = definition["Name"].startswith(("words:", "similar_songs:", "ease:"))  # no names, no similar songs; cease stands for ease
        assert len(found) == (0 if left_out else 1), definition
        assert all(-1 <= float(one) < 10 for one in found)


def test_each_stage_is_one_line_of_keys_and_values(trained: tuple[Job, str]) -> None:
    stages = re.findall(r"^event=stage name=(\w+) seconds=[-+.e\d]+", trained[1], flags=re.MULTILINE)
    assert stages[0] == "extract"
    assert {"fit_cease", "fit_als", "save", "evaluate"} <= set(stages)
    assert "it/s" not in trained[1]  # no progress bar without a terminal


def test_all_wrong_hyperparameters_are_told_at_once_before_any_data_is_read(new_job: NewJob) -> None:
    job = new_job().hyperparameters({"ease_l2": "-1", "epochs": "3", "als_factor": "8", "models": "[svd]"})
    begin = time.perf_counter()
    code, log = job.run()
    assert (code, time.perf_counter() - begin < 5) == (2, True)  # a tenth of that on an idle machine
    assert all(part in job.failure for part in ("Correct 4 hyperparameters: ", 'ease_l2="-1"', '"epochs"', "als_factors", 'models="[svd]"'))
    assert "Traceback" not in log
    assert "event=stage" not in log


@pytest.mark.parametrize(
    ("place", "text", "says"),
    [
        ("input/data/interactions/part-0.csv", "USER_ID,ITEM_ID\nu1\n", "part-0.csv"),
        ("input/data/interactions/part-0.csv", "who,what\nu1,a\n", "part-0.csv"),
        ("input/data/interactions/part-0.csv", "\x00\x01\x02", "part-0.csv"),
        ("input/data/interactions/part-0.parquet", "not parquet", "part-0.parquet"),
        ("input/config/hyperparameters.json", "{", "hyperparameters.json"),
        ("input/config/inputdataconfig.json", '{"interactions": {"TrainingInputMode": "Tube"}}', "TrainingInputMode"),
    ],
)
def test_a_users_mistake_ends_with_code_2_and_a_sentence_that_names_the_place(new_job: NewJob, place: str, text: str, says: str) -> None:
    job = new_job().file(place, text)
    code, log = job.run()
    assert code == 2, log
    assert says in job.failure
    assert job.failure.endswith("[UserError]")
    assert "Traceback" not in job.failure + log
    assert list(job.model.glob("*")) == []


def test_a_job_without_any_channel_says_what_to_add(tmp_path: Path) -> None:
    job = Job(tmp_path)
    code, log = job.run()
    assert (code, job.failure.endswith("[UserError]")) == (2, True), log
    assert "interactions" in job.failure


def test_a_host_that_does_not_lead_ends_well_and_writes_nothing(new_job: NewJob) -> None:
    job = new_job().hyperparameters({**SMALL, "data_engine": "pandas"})
    job.file("input/config/resourceconfig.json", '{"current_host": "algo-2", "hosts": ["algo-1", "algo-2"]}')
    code, log = job.run()
    assert code == 0
    assert 'event=nothing_to_do reason="algo-1 reads the data alone' in log
    assert not job.model.exists()


@pytest.mark.skipif(sys.platform == "win32" or os.getuid() == 0, reason="root may write anywhere")
def test_a_model_folder_that_cannot_be_written_is_named(new_job: NewJob) -> None:
    job = new_job()
    job.model.mkdir(mode=0o555)
    code, _ = job.run()
    assert (code, job.failure.startswith("Give user id")) == (2, True)


def follow(process: subprocess.Popen[str], until: Callable[[str], bool]) -> Iterator[str]:
    assert process.stdout is not None
    for line in process.stdout:
        yield line
        if until(line):
            return


def test_sigterm_in_the_middle_ends_in_time_and_leaves_nothing(new_job: NewJob) -> None:
    job = new_job().hyperparameters({"models": "als", "als_factors": "512", "als_iterations": "200"})
    with job.start() as process:
        assert any("name=fit_popularity" in line or "event=split" in line for line in follow(process, lambda line: "event=split" in line))
        time.sleep(0.5)
        begin = time.perf_counter()
        process.send_signal(signal.SIGTERM)
        log = process.communicate(timeout=100)[0]
    assert process.returncode == 143, log
    assert time.perf_counter() - begin < 20
    assert "event=stopped signal=SIGTERM" in log
    assert "Traceback" not in log
    assert list(job.model.glob("*")) + list(job.model.glob(".*")) == []
    assert not (job.base / "output" / "failure").exists()


def test_sigterm_while_the_model_is_written_leaves_all_of_it_or_nothing(new_job: NewJob) -> None:
    job = new_job()
    with job.start() as process:
        while process.poll() is None and not list(job.model.glob(".writing-*")):
            time.sleep(0.001)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=100)
    assert process.returncode in (0, 143)
    if (job.model / MODEL_JSON).exists():
        artifact.load(job.model, verify=True)
    else:
        assert process.returncode == 143
        assert list(job.model.glob("*")) + list(job.model.glob(".*")) == []
