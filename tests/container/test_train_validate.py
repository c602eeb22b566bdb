"""`train --validate` says of settings and data what training would say, and trains nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from container.train import main

EVENTS = "USER_ID,ITEM_ID\n" + "".join(f"u{user},s{(user + song) % 9}\n" for user in range(30) for song in range(6))
Job = Callable[..., Path]


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Job:
    """Lays out a job; what it is given are hyperparameters."""
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path))
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.setenv(variable, "1")

    def lay_out(events: str | None = EVENTS, **hyperparameters: str) -> Path:
        (tmp_path / "input" / "config").mkdir(parents=True)
        (tmp_path / "input" / "data" / "interactions").mkdir(parents=True)
        if events is not None:
            (tmp_path / "input" / "data" / "interactions" / "events.csv").write_text(events)
        (tmp_path / "input" / "config" / "hyperparameters.json").write_text(json.dumps(hyperparameters))
        return tmp_path

    return lay_out


def test_good_data_end_with_0_and_a_report_and_nothing_is_trained(job: Job, capsys: pytest.CaptureFixture[str]) -> None:
    base = job()
    assert main(["--validate"]) == 0
    log = capsys.readouterr().out
    assert "event=valid models=popularity" in log
    assert "name=fit_" not in log
    assert "arguments_ignored" not in log
    assert json.loads((base / "output" / "data" / "quality_report.json").read_text())["totals"]["songs"] == 9
    assert list((base / "model").iterdir()) == []
    assert not (base / "output" / "failure").exists()


@pytest.mark.parametrize(
    ("events", "hyperparameters", "says"),
    [
        (EVENTS, {"ease_l2": "-1", "epochs": "3"}, "Correct 2 hyperparameters"),
        ("who,what\nu,s\n", {}, "events.csv"),
        (None, {}, "no data to train on"),
        (EVENTS, {"models": "content"}, "items"),
        (EVENTS, {"split_kind": "time"}, "split_kind"),
        (EVENTS, {"rerank_filter": '{"mood": "happy"}'}, "rerank_"),
        (EVENTS, {"data_weighting": "value"}, "data_event_value_column"),
    ],
)
def test_what_it_says_is_what_training_says(job: Job, events: str | None, hyperparameters: dict[str, str], says: str) -> None:
    base = job(events, **hyperparameters)
    failures = []
    for arguments in (["--validate"], []):
        assert main(arguments) == 2
        failures.append((base / "output" / "failure").read_text(encoding="ascii"))
    assert says in failures[0]
    assert failures[0] == failures[1]


def test_a_model_that_is_there_is_left_alone(job: Job) -> None:
    base = job("who,what\nu,s\n")
    (base / "model").mkdir()
    (base / "model" / "half.npy").write_bytes(b"x")
    assert main(["--validate"]) == 2
    assert [path.name for path in (base / "model").iterdir()] == ["half.npy"]
