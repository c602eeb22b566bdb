"""Songs that go with words."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from scipy.sparse import csr_array

from inference.history import History
from inference.top_n import top_n
from tests.training.trainers.data import matrices, training_data, zeros_and_ones
from training.model_config import WordsConfig
from training.trainers import words
from training.trainers.base import TrainingData

NOTHING = np.empty(0)


def said(*numbers: int) -> History:
    return History(np.empty(0, np.int32), np.empty(0, np.float32), words=np.array(numbers, dtype=np.int32))


def data_of(played: np.ndarray, called: np.ndarray) -> TrainingData:
    return TrainingData(csr_array(played.astype(np.float32)), None, 1, 1, words=csr_array(called.astype(bool)))


def test_a_word_finds_the_songs_of_the_lists_that_are_called_so() -> None:
    """Even lists are called 0 and hold even songs, odd ones 1 and odd songs; all are called 2."""
    played = (np.arange(20)[:, None] + np.arange(12)[None, :]) % 2 == 0
    called = np.column_stack([np.arange(20) % 2 == 0, np.arange(20) % 2 == 1, np.ones(20, dtype=bool)])
    scorer = words.fit(data_of(played, called), WordsConfig(l2=0.1))
    assert sorted(top_n(scorer.scores(said(0)), 6).tolist()) == [0, 2, 4, 6, 8, 10]
    assert sorted(top_n(scorer.scores(said(1, 2)), 6).tolist()) == [1, 3, 5, 7, 9, 11]
    assert scorer.scores(said(2)).max() < 0.1 * scorer.scores(said(0)).max()  # what all are called says nothing


def test_a_common_word_does_not_take_what_is_a_rare_one_s_own() -> None:
    """Lists called 0 hold song 0; those that are called 1 as well hold song 1 besides: that is word 1's alone."""
    called = np.array([[1, 0]] * 8 + [[1, 1]] * 8 + [[0, 0]] * 8)
    played = np.column_stack([called[:, 0], called[:, 1], np.ones(24)])
    scorer = words.fit(data_of(played, called), WordsConfig(l2=0.1, item_exponent=0.0))
    assert scorer.scores(said(0))[1] < 0.1 * scorer.scores(said(1))[1]
    assert scorer.scores(said(0))[0] > 4 * scorer.scores(said(1))[0]


@given(matrices(zeros_and_ones), matrices(zeros_and_ones))
@settings(max_examples=40, deadline=None)
def test_words_are_the_ridge_regression_that_the_formula_says(played: np.ndarray, called: np.ndarray) -> None:
    n = min(len(played), len(called))
    played, called = played[:n], called[:n]
    config = WordsConfig(l2=2.0, item_exponent=0.5, min_listeners=2)
    scorer = words.fit(data_of(played, called), config)
    learned = called * (called.sum(axis=0) >= 2)
    centred = played - played.mean(axis=0)
    b = np.linalg.solve(learned.T @ learned + 2.0 * np.eye(called.shape[1]), learned.T @ centred)
    expected = np.maximum(b / np.maximum(played.sum(axis=0), 1) ** 0.5, 0)
    dense = scorer.operator.block(np.arange(called.shape[1]), np.arange(played.shape[1]))
    np.testing.assert_allclose(dense, expected, atol=1e-6)


def test_each_word_keeps_its_best_songs_and_only_the_commonest_words_are_learned() -> None:
    rng = np.random.default_rng(4)
    called = rng.random((30, 5)) < [0.9, 0.1, 0.6, 0.5, 0.1]
    scorer = words.fit(data_of(rng.random((30, 20)) < 0.3, called), WordsConfig(max_words=3, songs=4))
    sizes = np.diff(scorer.operator.indptr)
    assert sizes[[1, 4]].tolist() == [0, 0]
    assert 0 < sizes.max() <= 4


def test_without_words_there_is_nothing_to_learn() -> None:
    with pytest.raises(ValueError, match="what listeners are called"):
        words.fit(training_data(np.ones((2, 2))), WordsConfig())
