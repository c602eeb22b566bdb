"""The similar songs that a catalogue names."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.training.trainers.data import catalogue, dense, training_data
from training.trainers import similar_songs
from training.trainers.base import TrainingData


def data_of(*pairs: tuple[int, int, float]) -> TrainingData:
    columns = list(zip(*pairs, strict=True)) or [(), (), ()]
    similar = tuple(np.array(column, dtype=kind) for column, kind in zip(columns, (np.int32, np.int32, np.float32), strict=True))
    songs = catalogue(["a"] * 4, ["g"] * 4, [0.5] * 4, [2000.0] * 4)
    data = training_data(np.zeros((1, 4)), songs)
    return replace(data, catalogue=replace(songs, similar=similar))


def test_songs_speak_for_those_they_are_called_similar_to_both_ways() -> None:
    expected = np.zeros((4, 4))
    expected[0, 1] = expected[1, 0] = 0.9
    expected[2, 1] = expected[1, 2] = 0.5
    np.testing.assert_allclose(dense(similar_songs.fit(data_of((0, 1, 0.9), (2, 1, 0.5)))), expected, rtol=1e-6)


def test_the_larger_score_of_a_pair_counts_once() -> None:
    scorer = similar_songs.fit(data_of((0, 1, 0.3), (0, 1, 0.8), (1, 0, 0.6), (0, 1, 0.1)))
    np.testing.assert_allclose(dense(scorer)[[0, 1], [1, 0]], [0.8, 0.8], rtol=1e-6)


def test_scores_that_are_no_positive_number_and_songs_like_themselves_are_left_out() -> None:
    scorer = similar_songs.fit(data_of((0, 1, 0.0), (1, 2, float("nan")), (2, 3, -1.0), (3, 3, 1.0), (0, 2, float("inf"))))
    assert len(scorer.operator.indices) == 0


def test_a_catalogue_that_names_none_is_no_catalogue_of_similar_songs() -> None:
    songs = catalogue(["a"], ["g"], [0.5], [2000.0])
    with pytest.raises(ValueError, match="catalogue that names them"):
        similar_songs.fit(training_data(np.zeros((1, 1)), songs))
