"""Whoever the container runs as, and whatever it may not do: it trains the same model."""

from __future__ import annotations

import pytest

from tests.conformance.conftest import MakeJob, Under
from tests.conformance.container import NOBODY, Conditions
from tests.conformance.training.conftest import TrainsTheSame

USER = pytest.mark.contract("A8", "Training works as a user that has no name")
READ_ONLY = pytest.mark.contract("A8", "Training writes to /tmp and to the folders of its output only")
NO_NETWORK = pytest.mark.contract("A8", "Training needs no network and no credentials (EnableNetworkIsolation)")


@pytest.mark.parametrize(
    "conditions",
    [
        pytest.param(Conditions(user=NOBODY, read_only=True, network=False), id="all", marks=[USER, READ_ONLY, NO_NETWORK]),
        # One by one, to tell which of them it is:
        pytest.param(Conditions(user=NOBODY), id="user", marks=[USER, pytest.mark.slow]),
        pytest.param(Conditions(read_only=True), id="read-only", marks=[READ_ONLY, pytest.mark.slow]),
        pytest.param(Conditions(network=False), id="no-network", marks=[NO_NETWORK, pytest.mark.slow]),
    ],
)
def test_the_same_model_comes_out(conditions: Conditions, opt_ml: MakeJob, trains_the_same: TrainsTheSame, under: Under) -> None:
    trains_the_same(opt_ml(), conditions=under(conditions))
