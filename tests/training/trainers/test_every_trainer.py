"""What every collaborative model must do, whatever it is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from inference.top_n import top_n
from tests.training.trainers.data import artists_only, checkerboard, history, matrices, training_data, weights
from training.config import TrainingConfig
from training.trainers import TRAINERS
from training.trainers.base import TrainingData

CONFIG = TrainingConfig.from_hyperparameters(
    {"als_factors": "4", "als_iterations": "6", "als_l2": "0.01", "item_knn_shrinkage": "0", "pearson_shrinkage": "0", "ease_l2": "0.5"}
    | {"cease_l2": "0.5", "spectral_factors": "2"}
)
COLLABORATIVE = ("item_knn", "pearson", "ease", "graph", "cease", "spectral", "als", "sessions")


def data_for(name: str, matrix: np.ndarray) -> TrainingData:
    """With a catalogue for the model that can't do without: each artist has two songs, the last one of an odd number is alone."""
    n = matrix.shape[1]
    return training_data(matrix, artists_only([f"artist {i // 2}" for i in range(n)]) if name == "cease" else None)


@pytest.mark.parametrize("name", COLLABORATIVE)
def test_on_a_checkerboard_each_listener_gets_the_missing_song_of_the_own_colour(name: str) -> None:
    matrix = checkerboard()
    scorer = TRAINERS[name](data_for(name, matrix), CONFIG)
    for user in range(len(matrix)):
        seen = history(matrix, user)
        scores = scorer.scores(seen)
        scores[seen.numbers] = -np.inf
        assert top_n(scores, 1)[0] % 2 == user % 2


@pytest.mark.parametrize("name", [*COLLABORATIVE, "popularity"])
@given(matrix=matrices(weights))
@settings(max_examples=30, deadline=None)
def test_any_matrix_trains_to_finite_scores(name: str, matrix: np.ndarray) -> None:
    scorer = TRAINERS[name](data_for(name, matrix), CONFIG)
    for user in range(len(matrix)):
        scores = scorer.scores(history(matrix, user))
        assert scores.shape == (matrix.shape[1],)
        assert np.isfinite(scores).all()


@pytest.mark.parametrize("name", [*COLLABORATIVE, "popularity"])
def test_training_twice_gives_the_same_bits(name: str) -> None:
    data = data_for(name, checkerboard())
    first, second = (TRAINERS[name](data, CONFIG).arrays() for _ in range(2))
    for key in first:
        assert (first[key] == second[key]).all()


@pytest.mark.parametrize("name", COLLABORATIVE)
def test_a_song_that_nobody_has_played_gets_no_score_and_gives_none(name: str) -> None:
    matrix = np.hstack([checkerboard(), np.zeros((20, 1), dtype=np.float32)])
    scorer = TRAINERS[name](data_for(name, matrix), CONFIG)
    assert scorer.scores(history(matrix, 0))[-1] == 0
    lonely = history(np.eye(13)[[12]], 0)
    assert not scorer.scores(lonely).any()
