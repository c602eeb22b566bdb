"""Serendipity and calibration, against slow definitions."""

from __future__ import annotations

import math
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from training.evaluation.metrics import find_hits
from training.evaluation.taste import SMOOTHING, calibration_error, serendipity

N_SONGS = 12
GENRES = [set(), {0}, {1}, {0, 1}, {2}, {0, 2}, {0, 1, 2}, {3}, {1, 3}, set(), {2, 3}, {0, 3}]
SONGS = st.lists(st.integers(0, N_SONGS - 1), unique=True, max_size=6)


def shares() -> csr_array:
    dense = np.array([[1 / len(own) if genre in own else 0.0 for genre in range(4)] for own in GENRES])
    return csr_array(dense)


def padded(lists: list[list[int]]) -> np.ndarray:
    return np.array([songs + [-1] * (6 - len(songs)) for songs in lists], dtype=np.int32)


def slow_distribution(songs: list[int]) -> dict[int, float]:
    counts: dict[int, float] = defaultdict(float)
    known = [song for song in songs if GENRES[song]]
    for song in known:
        for genre in GENRES[song]:
            counts[genre] += 1 / len(GENRES[song]) / len(known)
    return counts


def slow_calibration(songs: list[int], history: list[int]) -> float:
    p, q = slow_distribution(history), slow_distribution(songs)
    if not p or not q:
        return math.nan
    return sum(share * math.log(share / ((1 - SMOOTHING) * q[genre] + SMOOTHING * share)) for genre, share in p.items())


@given(pairs=st.lists(st.tuples(SONGS, SONGS), min_size=1, max_size=5), k=st.integers(1, 8))
def test_the_calibration_error_equals_its_definition(pairs: list[tuple[list[int], list[int]]], k: int) -> None:
    histories = [np.array(history, dtype=np.int32) for _, history in pairs]
    values = calibration_error(padded([songs for songs, _ in pairs]), histories, shares(), k)
    expected = [slow_calibration(songs[:k], history) for songs, history in pairs]
    np.testing.assert_allclose(values, expected, atol=1e-12)


def test_a_list_with_the_genres_of_the_history_is_calibrated_and_one_without_any_is_not() -> None:
    values = calibration_error(padded([[1, 2], [4, 4]]), [np.array([1, 2])] * 2, shares(), 2)
    assert values[0] == pytest.approx(0)
    assert values[1] == pytest.approx(-math.log(SMOOTHING))


@given(
    triples=st.lists(st.tuples(SONGS, st.sets(st.integers(0, N_SONGS - 1), min_size=1), SONGS), min_size=1, max_size=5),
    k=st.integers(1, 8),
)
def test_a_serendipitous_song_is_a_hit_that_popularity_does_not_name(triples: list[tuple[list[int], set[int], list[int]]], k: int) -> None:
    recommended = padded([songs for songs, _, _ in triples])
    hits = find_hits(recommended, [np.array(sorted(relevant)) for _, relevant, _ in triples])
    values = serendipity(recommended, hits, padded([popular for _, _, popular in triples]), k)
    expected = [len((set(songs[:k]) & relevant) - set(popular[:k])) / k for songs, relevant, popular in triples]
    np.testing.assert_allclose(values, expected)


def test_the_primitive_recommender_is_never_serendipitous() -> None:
    recommended = padded([[1, 2, 3]])
    assert serendipity(recommended, find_hits(recommended, [np.array([1, 2])]), recommended, 3).tolist() == [0]
