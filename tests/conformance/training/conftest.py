"""Training the subject in many ways, which all have to lead to one model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.conformance.conftest import Train
from tests.conformance.container import Run
from tests.conformance.opt_ml import OptMl, contents
from tests.conformance.subject_folder import Subject

TrainsTheSame = Callable[..., str]
Fails = Callable[..., str]
LONGEST_FAILURE = 1024  # characters of the failure file that the platform shows


@pytest.fixture
def trains_the_same(train: Train, subject: Subject, trained: tuple[OptMl, str]) -> TrainsTheSame:
    """Trains, which must succeed and lead to the model of the plain training, but for what the subject says may differ; returns the log.

    ``delivered=True``: the data come in other files, or in another way. Further keywords as of ``Container.train``.
    """

    def run(job: OptMl, *, delivered: bool = False, **how: Any) -> str:
        log = train(job, **how).succeeds(subject.training["seconds"])
        differs = subject.differs_by_delivery if delivered else subject.differs
        assert contents(job.model, differs) == contents(trained[0].model, differs)
        return log

    return run


@pytest.fixture
def fails(train: Train, subject: Subject) -> Fails:
    """Trains, which must fail, with a failure file that a person can act on; returns its text, as much of it as the platform shows."""

    def run(job: OptMl, **how: Any) -> str:
        ended: Run = train(job, **how)
        ended.fails(subject.training["seconds"])
        assert job.failure, f"no failure file, or an empty one:\n{ended.log()}"
        shown = job.failure[:LONGEST_FAILURE]
        assert not shown.lstrip().startswith(("Traceback", "Framework Error")), shown
        assert "\n  File " not in shown, shown
        return shown

    return run
