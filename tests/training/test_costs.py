"""A budget of minutes is kept on data that no model has been fitted on yet."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy.sparse import csr_array

from tests.training.test_fitting import fitted, taste_world
from training import fitting
from training.config import MODELS, TrainingConfig
from training.costs import expected_seconds
from training.trainers.base import TrainingData


def empty(n_listeners: int, n_songs: int) -> TrainingData:
    return TrainingData(csr_array((n_listeners, n_songs), dtype=np.float32), None, 0, 1)


@pytest.mark.parametrize("name", ["ease", "cease", "als", "spectral", "content"])
def test_slow_models_are_expected_to_take_longer_on_more_songs(name: str) -> None:
    small, large = (expected_seconds(name, empty(1000, n), TrainingConfig()) for n in (1_000, 1_000_000))
    assert 0 <= small < 10 < large


@pytest.mark.parametrize("name", MODELS)
def test_on_small_data_nothing_is_expected_to_take_long(name: str) -> None:
    assert expected_seconds(name, empty(1000, 2000), TrainingConfig()) < 5


def test_more_neighbours_and_factors_are_expected_to_cost_more() -> None:
    config, data = TrainingConfig(), empty(1000, 50_000)
    wider = dataclasses.replace(
        config, ease=dataclasses.replace(config.ease, neighbours=400), als=dataclasses.replace(config.als, factors=256)
    )
    for name in ("ease", "als"):
        assert expected_seconds(name, data, wider) > 2 * expected_seconds(name, data, config)


def test_a_model_that_would_take_more_than_the_budget_is_not_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitting, "expected_seconds", lambda name, data, config: 1e6 if name == "als" else 0.0)
    found, _ = fitted(taste_world(), models="popularity,item_knn,als", tune="auto")
    assert "als" not in found.scorers
    assert "item_knn" in found.validation
