"""Who gets the places, against slow definitions and cases that can be checked by head."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from training.evaluation import exposure

N_SONGS = 12
LISTS = st.lists(st.lists(st.integers(0, N_SONGS - 1), unique=True, max_size=6), min_size=1, max_size=6)


def padded(lists: list[list[int]]) -> np.ndarray:
    return np.array([songs + [-1] * (6 - len(songs)) for songs in lists], dtype=np.int32)


def arrays(lists: list[list[int]]) -> list[np.ndarray]:
    return [np.array(songs, dtype=np.int32) for songs in lists]


def slow_gini(amounts: list[float]) -> float:
    """Half the mean absolute difference of two, relative to the mean."""
    differences = sum(abs(a - b) for a in amounts for b in amounts)
    return differences / (2 * len(amounts) * sum(amounts))


@given(lists=LISTS, k=st.integers(1, 8))
def test_exposure_counts_the_first_k_places_of_all_lists(lists: list[list[int]], k: int) -> None:
    counts = Counter(song for songs in lists for song in songs[:k])
    assert exposure.exposures(padded(lists), k, N_SONGS).tolist() == [counts[song] for song in range(N_SONGS)]


@given(amounts=st.lists(st.integers(0, 50), min_size=1, max_size=15).filter(any))
def test_the_gini_index_equals_its_definition_by_pairs(amounts: list[int]) -> None:
    assert exposure.gini(np.array(amounts, dtype=float)) == pytest.approx(slow_gini([float(one) for one in amounts]))


def test_the_gini_index_is_0_for_equals_and_near_1_where_one_has_everything() -> None:
    assert exposure.gini(np.full(50, 3.0)) == pytest.approx(0)
    assert exposure.gini(np.eye(50)[0]) == pytest.approx(0.98)
    assert math.isnan(exposure.gini(np.zeros(4)))


@given(lists=LISTS.filter(lambda lists: any(lists)), histories=LISTS.filter(lambda lists: any(lists)))
def test_the_lift_compares_the_popularity_of_lists_and_histories(lists: list[list[int]], histories: list[list[int]]) -> None:
    listeners = np.arange(1, N_SONGS + 1) ** 2
    recommended, before = ([listeners[song] for songs in given for song in songs] for given in (lists, histories))
    expected = (np.mean(recommended) - np.mean(before)) / np.mean(before)
    given_places = exposure.exposures(padded(lists), 6, N_SONGS)
    lift = exposure.popularity_lift(given_places, exposure.played(arrays(histories), N_SONGS), listeners)
    assert lift == pytest.approx(expected)


def test_without_histories_there_is_no_lift() -> None:
    nothing = exposure.played([np.empty(0, dtype=np.int32)], N_SONGS)
    assert math.isnan(exposure.popularity_lift(np.ones(N_SONGS), nothing, np.ones(N_SONGS, dtype=np.int64)))


def test_the_head_are_the_fewest_artists_that_have_four_fifths_of_the_listening() -> None:
    artists = csr_array(np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0.5, 0.5, 0], [0, 0, 0, 1.0]]))
    # listening: 70, 5 + 10, 10, 5
    tail = exposure.artists_of_the_tail(np.array([70, 5, 20, 5]), artists)
    assert tail.tolist() == [False, False, True, True]


def test_the_tail_ratio_is_1_in_proportion_and_0_where_the_tail_gets_nothing() -> None:
    artists = csr_array(np.array([[1.0, 0], [0, 1.0], [0, 0]]))
    tail = np.array([False, True])
    heard = np.array([3.0, 1.0, 5.0])  # the third song has no artist
    assert exposure.tail_ratio(np.array([30.0, 10.0, 0]), heard, artists, tail) == pytest.approx(1)
    assert exposure.tail_ratio(np.array([1.0, 1.0, 0]), heard, artists, tail) == pytest.approx(2)
    assert exposure.tail_ratio(np.array([4.0, 0.0, 0]), heard, artists, tail) == 0
    assert math.isnan(exposure.tail_ratio(np.ones(3), np.array([3.0, 0, 0]), artists, tail))
