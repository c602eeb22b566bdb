"""Every measure against an obvious, slow implementation of its definition, and against provable values."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score

from training.evaluation import metrics

N_ITEMS = 30
Judged = tuple[list[list[int]], list[set[int]], int]


def slow_precision(songs: list[int], relevant: set[int], k: int) -> float:
    return sum(song in relevant for song in songs[:k]) / k


def slow_recall(songs: list[int], relevant: set[int], k: int) -> float:
    return len(set(songs[:k]) & relevant) / len(relevant)


def slow_ndcg(songs: list[int], relevant: set[int], k: int) -> float:
    gain = sum(1 / math.log2(place + 1) for place, song in enumerate(songs[:k], start=1) if song in relevant)
    return gain / sum(1 / math.log2(place + 1) for place in range(1, min(k, len(relevant)) + 1))


def slow_map(songs: list[int], relevant: set[int], k: int) -> float:
    total = sum(slow_precision(songs, relevant, place) for place, song in enumerate(songs[:k], start=1) if song in relevant)
    return total / min(k, len(relevant))


def slow_mrr(songs: list[int], relevant: set[int], k: int) -> float:
    return next((1 / place for place, song in enumerate(songs[:k], start=1) if song in relevant), 0.0)


def slow_hit_rate(songs: list[int], relevant: set[int], k: int) -> float:
    return float(any(song in relevant for song in songs[:k]))


def slow_f1(songs: list[int], relevant: set[int], k: int) -> float:
    p, r = slow_precision(songs, relevant, k), slow_recall(songs, relevant, k)
    return 2 * p * r / (p + r) if p + r else 0.0


SLOW: dict[str, Callable[[list[int], set[int], int], float]] = {
    "precision": slow_precision,
    "recall": slow_recall,
    "ndcg": slow_ndcg,
    "map": slow_map,
    "mrr": slow_mrr,
    "hit_rate": slow_hit_rate,
    "f1": slow_f1,
}


@st.composite
def judged(draw: st.DrawFn) -> Judged:
    """Draws lists of distinct songs of different lengths, what was to be found, and a k that may be longer than any list."""
    numbers = st.integers(0, N_ITEMS - 1)
    n = draw(st.integers(1, 6))
    lists = [draw(st.lists(numbers, unique=True, max_size=12)) for _ in range(n)]
    relevant = [draw(st.sets(numbers, min_size=1, max_size=15)) for _ in range(n)]
    return lists, relevant, draw(st.integers(1, 15))


def padded(lists: list[list[int]], length: int = 12) -> np.ndarray:
    return np.array([songs + [-1] * (length - len(songs)) for songs in lists], dtype=np.int32)


def arrays(relevant: list[set[int]]) -> list[np.ndarray]:
    return [np.array(sorted(songs), dtype=np.int32) for songs in relevant]


@pytest.mark.parametrize("name", sorted(metrics.ACCURACY))
@given(case=judged())
def test_an_accuracy_measure_equals_its_definition(name: str, case: Judged) -> None:
    lists, relevant, k = case
    hits = metrics.find_hits(padded(lists), arrays(relevant))
    counts = np.array([len(songs) for songs in relevant])
    values = metrics.ACCURACY[name](hits, counts, k)
    assert values.dtype == np.float64
    np.testing.assert_allclose(values, [SLOW[name](songs, wanted, k) for songs, wanted in zip(lists, relevant, strict=True)], atol=1e-12)
    assert ((values >= 0) & (values <= 1 + 1e-12)).all()


@pytest.mark.parametrize("name", ["ndcg", "map", "mrr", "hit_rate"])
@given(relevant=st.sets(st.integers(0, N_ITEMS - 1), min_size=1, max_size=12), k=st.integers(1, 12))
def test_a_list_that_starts_with_what_was_to_be_found_is_perfect(name: str, relevant: set[int], k: int) -> None:
    songs = sorted(relevant) + [song for song in range(N_ITEMS) if song not in relevant]
    hits = metrics.find_hits(np.array([songs[:12]], dtype=np.int32), arrays([relevant]))
    assert metrics.ACCURACY[name](hits, np.array([len(relevant)]), k) == pytest.approx(1.0)


@given(relevant=st.sets(st.integers(0, 11), min_size=1, max_size=12), k=st.integers(2, 12), order=st.permutations(range(12)))
def test_ndcg_agrees_with_scikit_learn_on_full_rankings(relevant: set[int], k: int, order: list[int]) -> None:
    hits = metrics.find_hits(np.array([order], dtype=np.int32), arrays([relevant]))
    truth = np.array([[song in relevant for song in range(12)]], dtype=float)
    scores = np.empty((1, 12))
    scores[0, order] = np.arange(12, 0, -1)
    assert metrics.ndcg(hits, np.array([len(relevant)]), k)[0] == pytest.approx(ndcg_score(truth, scores, k=k))


@given(case=judged(), swap=st.integers(0, 10))
def test_moving_a_hit_up_never_lowers_a_measure(case: Judged, swap: int) -> None:
    lists, relevant, k = case
    hits = metrics.find_hits(padded(lists), arrays(relevant))
    better = hits.copy()
    better[:, swap], better[:, swap + 1] = hits[:, swap] | hits[:, swap + 1], hits[:, swap] & hits[:, swap + 1]
    counts = np.array([len(songs) for songs in relevant])
    for function in metrics.ACCURACY.values():
        assert (function(better, counts, k) >= function(hits, counts, k) - 1e-12).all()


def test_a_list_is_judged_by_the_songs_of_its_own_listener() -> None:
    hits = metrics.find_hits(np.array([[1, 2], [1, 2]], dtype=np.int32), [np.array([1]), np.array([2])])
    assert hits.tolist() == [[True, False], [False, True]]


def test_padding_is_never_a_hit() -> None:
    assert not metrics.find_hits(np.full((2, 3), -1, dtype=np.int32), [np.array([0]), np.array([1])]).any()


def test_lists_without_places_have_no_hits() -> None:
    hits = metrics.find_hits(np.empty((1, 0), dtype=np.int32), [np.array([0])])
    assert [function(hits, np.array([1]), 5).tolist() for function in metrics.ACCURACY.values()] == [[0.0]] * 7


def test_a_listener_with_nothing_to_be_found_is_refused() -> None:
    with pytest.raises(ValueError, match="listener 1 has no songs"):
        metrics.find_hits(np.zeros((2, 3), dtype=np.int32), [np.array([1]), np.array([], dtype=np.int32)])


def test_more_lists_than_listeners_are_refused() -> None:
    with pytest.raises(ValueError, match="2 lists"):
        metrics.find_hits(np.zeros((2, 3), dtype=np.int32), [np.array([1])])


def test_coverage_counts_each_song_once_and_no_padding() -> None:
    recommended = np.array([[0, 1, -1], [1, 2, 3]], dtype=np.int32)
    assert metrics.coverage(recommended, 2, 10) == 0.3
    assert metrics.coverage(recommended, 3, 10) == 0.4


@given(case=judged(), seed=st.integers(0, 99))
def test_diversity_equals_one_minus_the_mean_cosine_of_all_pairs(case: Judged, seed: int) -> None:
    lists, _, k = case
    features = np.random.default_rng(seed).normal(size=(N_ITEMS, 4)).astype(np.float32)
    features[::5] = 0  # nothing is known about these songs
    for value, songs in zip(metrics.diversity(padded(lists), k, features), lists, strict=True):
        known = [features[song].astype(float) for song in songs[:k] if features[song].any()]
        pairs = [(a, b) for i, a in enumerate(known) for b in known[:i]]
        if not pairs:
            assert math.isnan(value)
        else:
            cosines = [a @ b / np.linalg.norm(a) / np.linalg.norm(b) for a, b in pairs]
            assert value == pytest.approx(1 - np.mean(cosines), abs=1e-9)


def test_diversity_is_zero_among_equal_songs_and_one_among_unrelated_ones() -> None:
    features = np.array([[1, 0], [2, 0], [0, 3]], dtype=np.float32)
    assert metrics.diversity(np.array([[0, 1], [0, 2]], dtype=np.int32), 2, features).tolist() == pytest.approx([0, 1])


def test_diversity_of_many_lists_equals_that_of_each() -> None:
    rng = np.random.default_rng(1)
    features = rng.normal(size=(50, 3)).astype(np.float32)
    lists = np.stack([rng.permutation(50)[:5] for _ in range(1100)]).astype(np.int32)
    expected = np.concatenate([metrics.diversity(lists[i : i + 1], 5, features) for i in range(len(lists))])
    np.testing.assert_allclose(metrics.diversity(lists, 5, features), expected)


def test_novelty_is_the_mean_surprise_in_bits() -> None:
    listeners = np.array([8, 2, 1, 0])
    values = metrics.novelty(np.array([[0, 1], [2, -1], [3, -1], [-1, -1]], dtype=np.int32), 2, listeners, 8)
    assert values[:3].tolist() == [1.0, 3.0, 3.0]
    assert math.isnan(values[3])
