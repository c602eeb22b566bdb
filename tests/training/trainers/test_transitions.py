"""Next songs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from inference.history import History
from inference.top_n import top_n
from training.data.dataset import MISSING_TIME
from training.model_config import TransitionsConfig
from training.trainers import transitions
from training.trainers.base import TrainingData

PLAIN = TransitionsConfig(steps=1, backward=0.0, from_exponent=0.0, to_exponent=0.0, patience=0.0)


def of_lists(lists: list[list[int]], n_songs: int, times: list[list[int]] | None = None) -> TrainingData:
    """Each listener's distinct songs, in the order played, or at the ``times`` given."""
    rows = [sorted(zip(songs, times[u] if times else range(len(songs)), strict=True)) for u, songs in enumerate(lists)]
    indptr = np.concatenate([[0], np.cumsum([len(row) for row in rows])])
    songs = np.array([song for row in rows for song, _ in row], dtype=np.int32)
    when = np.array([time for row in rows for _, time in row], dtype=np.int64)
    return TrainingData(csr_array((np.ones(len(songs), np.float32), songs, indptr), shape=(len(lists), n_songs)), None, 1, 2, times=when)


def history(*songs: int) -> History:
    return History.of(np.array(songs), np.ones(len(songs)), np.arange(len(songs)))


def test_on_a_cycle_the_next_song_is_certain() -> None:
    n = 6
    lists = [[(start + i) % n for i in range(4)] for start in range(n)]
    scorer = transitions.fit(of_lists(lists, n), PLAIN)
    for song in range(n):
        assert top_n(scorer.scores(history(song)), 1).tolist() == [(song + 1) % n]
        assert (scorer.scores(history(song)) > 0).sum() == 1


def test_the_latest_song_says_most_about_the_next() -> None:
    n = 8
    lists = [[start, (start + 1) % n, (start + 2) % n] for start in range(n)]
    scorer = transitions.fit(of_lists(lists, n), replace(PLAIN, patience=0.5))
    assert top_n(scorer.scores(history(0, 5)), 1).tolist() == [6]
    assert top_n(scorer.scores(history(5, 0)), 1).tolist() == [1]


lists_of_songs = st.lists(
    st.lists(st.tuples(st.integers(0, 6), st.integers(-1, 4)), unique_by=lambda pair: pair[0], max_size=6), max_size=5
)


@given(lists_of_songs, st.integers(1, 4), st.sampled_from([0.0, 0.5, 1.0]))
@settings(max_examples=60, deadline=None)
def test_transitions_are_counted_pair_by_pair(rows: list[list[tuple[int, int]]], steps: int, backward: float) -> None:
    """A time of -1 is unknown."""
    data = of_lists([[song for song, _ in row] for row in rows], 7, [[MISSING_TIME if t < 0 else t for _, t in row] for row in rows])
    config = replace(PLAIN, steps=steps, backward=backward, from_exponent=0.5, to_exponent=0.25)
    scorer = transitions.fit(data, config)
    counted = np.zeros((7, 7))
    for row in rows:
        played = sorted(((time, song) for song, time in row if time >= 0))
        for i, (before, first) in enumerate(played):
            for j in range(i + 1, min(i + steps, len(played) - 1) + 1):
                if played[j][0] > before:
                    counted[first, played[j][1]] += 1 / (j - i)
    n = np.maximum([sum(song == one for row in rows for one, _ in row) for song in range(7)], 1)
    expected = (counted + backward * counted.T) / n[:, None] ** 0.5 / n[None, :] ** 0.25
    everything = np.arange(7)
    np.testing.assert_allclose(scorer.operator.block(everything, everything), expected, rtol=1e-6)


def test_each_song_keeps_those_that_most_likely_come_next() -> None:
    lists = [[0, 1], [0, 1], [0, 1], [0, 2], [0, 2], [0, 3]]
    scorer = transitions.fit(of_lists(lists, 4), replace(PLAIN, neighbours=2))
    assert scorer.operator.row(0)[0].tolist() == [1, 2]


def test_songs_played_at_the_same_time_are_no_pair() -> None:
    scorer = transitions.fit(of_lists([[0, 1, 2]], 3, [[5, 5, 5]]), PLAIN)
    assert len(scorer.operator.indices) == 0
    assert not scorer.scores(history(0)).any()


def test_without_an_order_there_is_nothing_to_learn() -> None:
    with pytest.raises(ValueError, match="what was played after what"):
        transitions.fit(replace(of_lists([[0, 1]], 2), times=None), PLAIN)
