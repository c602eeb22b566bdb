"""Whoever the container runs as, and whatever it may not do: it trains the same model."""

from __future__ import annotations

import pytest

from tests.conformance.conftest import MakeJob, Train, Under
from tests.conformance.container import NOBODY, Conditions
from tests.conformance.opt_ml import OptMl, contents
from tests.conformance.subject_folder import Subject

CONDITIONS = {
    "any user id": ("A8", "Training works as a user that has no name", Conditions(user=NOBODY)),
    "read-only root": ("A8", "Training writes to /tmp and the folders of its output only", Conditions(read_only=True)),
    "no network": ("A8", "Training needs no network (EnableNetworkIsolation)", Conditions(network=False)),
    "all of them": (
        "A8",
        "Training works as any user, on read-only disks and without a network, all at once",
        Conditions(user=NOBODY, read_only=True, network=False),
    ),
}


@pytest.mark.parametrize(
    "conditions", [pytest.param(one, id=name, marks=pytest.mark.contract(row, text)) for name, (row, text, one) in CONDITIONS.items()]
)
def test_the_same_model_comes_out(
    conditions: Conditions, opt_ml: MakeJob, train: Train, under: Under, trained: tuple[OptMl, str], subject: Subject
) -> None:
    job = opt_ml()
    train(job, conditions=under(conditions)).succeeds(subject.training["seconds"])
    assert contents(job.model, subject.differs) == contents(trained[0].model, subject.differs)
