"""Popularity, and what is trending."""

from __future__ import annotations

import numpy as np

from tests.training.trainers.test_transitions import of_lists
from training.data.dataset import MISSING_TIME
from training.model_config import PopularityConfig
from training.trainers import popularity

DAY = 86_400
DATA = of_lists([[0, 1], [0, 1], [0, 2]], 4, [[0, 10 * DAY], [0, 8 * DAY], [0, MISSING_TIME]])


def test_a_song_is_as_popular_as_it_has_listeners() -> None:
    scores = popularity.fit(DATA, PopularityConfig()).popularity
    np.testing.assert_allclose(scores, np.log1p([3, 2, 1, 0]) / np.log1p(3), rtol=1e-6)


def test_plays_of_long_ago_count_less_where_trends_are_asked_for() -> None:
    scores = popularity.fit(DATA, PopularityConfig(half_life_days=2.0)).popularity
    np.testing.assert_allclose(scores, np.log1p([3 / 32, 1.5, 0.5, 0]) / np.log1p(1.5), rtol=1e-5)
