"""A job that is stopped ends in time, and what it leaves can be used."""

from __future__ import annotations

import shutil

import pytest

from tests.conformance.conftest import MakeJob, Serving, Train
from tests.conformance.container import TRAIN_GRACE
from tests.conformance.subject_folder import Subject

KILLED = (137, -9)  # exit code of Docker, and of a process


@pytest.mark.contract("A1", "SIGTERM ends training before SIGKILL, which comes after 120 s, or after 30 s")
@pytest.mark.contract("A1", "What is in /opt/ml/model when a job is stopped can be used")
def test_a_stopped_training_leaves_a_model_that_serves(opt_ml: MakeJob, train: Train, serving: Serving, subject: Subject) -> None:
    slow = subject.training["slow"]
    job = opt_ml(slow["hyperparameters"])
    run = train(job)
    run.wait_for_line(slow["line"], subject.training["seconds"])
    code, seconds = run.stop(30)
    assert code not in (0, *KILLED), f"exit code {code} after {seconds:.1f} s:\n{run.log()}"
    assert seconds < 30
    if not subject.training["model_when_stopped"]:
        assert not any(job.model.iterdir())
        return
    with serving(base=job.base) as server:
        assert server.invoke(subject.requests[0]).status == 200


@pytest.mark.contract("A1", "A job that is stopped before it has learned anything ends at once, and leaves no half model")
def test_a_training_that_is_stopped_at_once_leaves_nothing(opt_ml: MakeJob, train: Train, serving: Serving, subject: Subject) -> None:
    job = opt_ml()
    run = train(job)
    while not run.log() and not run.ended:
        pass
    code, seconds = run.stop(TRAIN_GRACE)
    assert code not in KILLED, run.log()
    assert seconds < 30, "it has nothing to finish"
    if any(job.model.iterdir()):  # then it was quick, and a whole model
        shutil.rmtree(job.base / "input")
        with serving(base=job.base) as server:
            assert server.invoke(subject.requests[0]).status == 200
