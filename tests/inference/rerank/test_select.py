"""The greedy selection and the caps, against the formulas written out."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.rerank.alike import ByRows, ByVectors, alike
from inference.rerank.caps import Capped, Caps, top_capped
from inference.rerank.exposure import novelties, small_artists
from inference.rerank.genre_mix import ALPHA, GenreMix, mix_of
from inference.rerank.greedy import select
from inference.rerank.objective import Objective
from inference.rerank.weights import Weights
from inference.top_n import top_n
from tests.inference.models import make_scorers

NAMES = 5
rows = st.lists(st.lists(st.integers(0, NAMES - 1), max_size=3, unique=True), min_size=1, max_size=12)
some_weights = st.builds(
    Weights, *[st.sampled_from([0.0, 0.1, 0.5, 1.0])] * 3, st.sampled_from([-0.5, 0.0, 0.5]), st.sampled_from([0.0, 0.3])
)


def compressed(lists: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    indptr = np.cumsum([0, *map(len, lists)]).astype(np.int64)
    return indptr, np.array([code for row in lists for code in row], dtype=np.int32)


def distance(wanted: np.ndarray, genres: list[list[int]]) -> float:
    """Steck's KL(p || q~) of a list whose songs have these genres, over the most that it can be."""
    q = np.zeros(NAMES)
    for row in genres:
        for genre in row:
            q[genre] += 1 / len(row) / len(genres)
    stirred = (1 - ALPHA) * q + ALPHA * wanted
    return sum(p * math.log(p / stirred[genre]) for genre, p in enumerate(wanted) if p > 0) / math.log(1 / ALPHA)


@settings(deadline=None)
@given(genres=rows, weights=some_weights, n=st.integers(0, 14), cap=st.integers(1, 3), seed=st.integers(0, 1000), history=rows)
def test_each_song_is_the_one_that_raises_the_objective_most(
    genres: list[list[int]], weights: Weights, n: int, cap: int, seed: int, history: list[list[int]]
) -> None:
    rng = np.random.default_rng(seed)
    size = len(genres)
    scores, novelty, fairness = -np.sort(-rng.uniform(0.01, 2, size)), rng.random(size), rng.integers(0, 2, size).astype(float)
    vectors = rng.normal(size=(size, 4))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    indptr, codes = compressed(genres)
    wanted = mix_of(*compressed(history), NAMES, np.arange(len(history)), np.ones(len(history)))
    mix = GenreMix(wanted, indptr, codes, np.arange(size)) if wanted.any() else None

    def value(chosen: list[int]) -> float:
        alone = [
            weights.accuracy * scores[i] / scores.max() + weights.novelty * novelty[i] + weights.fairness * fairness[i] for i in chosen
        ]
        nearest = [max((vectors[i] @ vectors[j] for j in chosen[:k]), default=0.0) for k, i in enumerate(chosen)]
        off = distance(wanted, [genres[i] for i in chosen]) if mix is not None else 0.0
        return sum(alone) - weights.diversity * sum(nearest) - weights.calibration * len(chosen) * off

    objective = Objective(weights, scores, novelty, fairness, ByVectors(vectors), mix)
    found = select(objective, np.arange(size), n, Caps([Capped(indptr, codes, NAMES, cap)])).tolist()
    chosen: list[int] = []
    for place in found:  # by value, not by place: two songs may raise it alike, but for the last digits
        open_ = [i for i in range(size) if i not in chosen and all(sum(g in genres[j] for j in chosen) < cap for g in genres[i])]
        assert place in open_
        assert value([*chosen, place]) == pytest.approx(max(value([*chosen, i]) for i in open_), abs=1e-9)
        chosen.append(place)
    left = [i for i in range(size) if i not in chosen and all(sum(g in genres[j] for j in chosen) < cap for g in genres[i])]
    assert len(found) == n or not left


@settings(deadline=None)
@given(
    artists=rows,
    albums=st.lists(st.integers(-1, 3), min_size=12, max_size=12),
    n=st.integers(0, 12),
    caps=st.tuples(*[st.integers(1, 3)] * 2),
)
def test_the_best_within_caps_are_those_of_a_walk_from_the_best_score_down(
    artists: list[list[int]], albums: list[int], n: int, caps: tuple[int, int]
) -> None:
    size = len(artists)
    scores = np.array([(7 * i) % 5 for i in range(size)], dtype=float)
    columns = [artists, [[album] if album >= 0 else [] for album in albums[:size]]]
    expected: list[int] = []
    for song in sorted(range(size), key=lambda i: (-scores[i], i)):
        fits = all(
            sum(name in column[j] for j in expected) < cap for column, cap in zip(columns, caps, strict=True) for name in column[song]
        )
        if fits and len(expected) < n:
            expected.append(song)
    capped = Caps([Capped(*compressed(column), NAMES, cap) for column, cap in zip(columns, caps, strict=True)])
    assert top_capped(scores, n, np.arange(size), capped).tolist() == expected


def test_a_catalogue_of_one_artist_is_walked_in_a_moment() -> None:
    n = 200_000
    caps = Caps([Capped(np.arange(n + 1), np.zeros(n, np.int32), 1, 2)])
    assert top_capped(np.arange(n, dtype=float), 1000, np.arange(n), caps).tolist() == [n - 1, n - 2]


def test_mmr_of_1_takes_the_best_song_and_then_the_most_unlike() -> None:
    vectors = np.array([[1, 0], [0.99, 0.14], [0, 1], [-1, 0]], dtype=float)
    objective = Objective(Weights(accuracy=0.0, diversity=1.0), np.array([4.0, 3.0, 2.0, 1.0]), alike=ByVectors(vectors))
    assert select(objective, np.arange(4), 4).tolist() == [0, 3, 2, 1]


def test_calibration_alone_brings_the_genres_of_the_history_in_its_proportions() -> None:
    genres = [[0]] * 30 + [[1]] * 30 + [[2]] * 30 + [[]] * 10  # the best scores are all of genre 0
    indptr, codes = compressed(genres)
    wanted = np.array([0.6, 0.3, 0.1, 0, 0])
    mix = GenreMix(wanted, indptr, codes, np.arange(100))
    objective = Objective(Weights(accuracy=0.0, calibration=1.0), np.linspace(2, 1, 100), mix=mix)
    chosen = select(objective, np.arange(100), 10)
    assert np.bincount(codes[indptr[chosen]], minlength=NAMES).tolist() == [6, 3, 1, 0, 0]


def test_the_wanted_mix_is_the_weighted_mean_of_the_songs_that_have_genres() -> None:
    indptr, codes = compressed([[0, 1], [1], []])
    assert mix_of(indptr, codes, NAMES, np.array([0, 1, 2]), np.array([2.0, 1.0, 5.0])).tolist() == pytest.approx([1 / 3, 2 / 3, 0, 0, 0])
    assert not mix_of(indptr, codes, NAMES, np.array([2]), np.array([5.0])).any()


@settings(deadline=None)
@given(seed=st.integers(0, 50))
def test_alike_by_rows_is_the_cosine_of_the_rows_of_the_operator(seed: int) -> None:
    scorers = make_scorers(seed)
    numbers = np.array([29, 3, 7, 28, 0])  # the last two songs have empty rows
    found = alike(numbers, None, scorers, {"ease": 1.0, "content": 0.5})
    assert isinstance(found, ByRows)
    dense = scorers["ease"].operator.block(np.arange(30), np.arange(30))[numbers]  # type: ignore[attr-defined]
    unit = dense / np.maximum(np.linalg.norm(dense, axis=1, keepdims=True), 1e-12)
    for place in (1, 4, 2):
        np.testing.assert_allclose(found.to(place)[[1, 2, 4]], (unit @ unit[place])[[1, 2, 4]], atol=1e-6)


def test_a_song_of_which_nothing_is_known_is_as_alike_as_the_others_are_on_average() -> None:
    vectors = np.array([[2, 0, 0], [0, 0, 0], [1, 1, 0], [0, 0, 3]], dtype=float)
    assert ByVectors(vectors).to(0).tolist() == pytest.approx([1, (1 + 0.5**0.5) / 3, 0.5**0.5, 0])
    assert ByVectors(vectors).to(1).tolist() == [0, 0, 0, 0]
    found = alike(np.array([29, 3, 7]), None, make_scorers(), {"ease": 1.0})
    assert found is not None
    similar = found.to(1)
    assert similar[0] == pytest.approx(similar[1:].mean())


def test_without_an_operator_songs_are_alike_by_their_factors_and_without_these_nothing_is_known() -> None:
    scorers = make_scorers()
    found = alike(np.array([0, 1]), None, {"als": scorers["als"], "popularity": scorers["popularity"]}, {})
    assert found is not None
    first, second = scorers["als"].item_factors[:2].astype(float)  # type: ignore[attr-defined]
    assert found.to(0)[1] == pytest.approx(first @ second / np.linalg.norm(first) / np.linalg.norm(second), abs=1e-6)
    assert alike(np.array([0, 1]), None, {"popularity": scorers["popularity"]}, {}) is None


def test_novelty_is_the_bits_of_the_share_of_listeners_over_the_most_there_can_be() -> None:
    assert novelties(np.array([16, 4, 1, 0]), 16).tolist() == [0.0, 0.5, 1.0, 1.0]


def test_small_artists_are_those_outside_the_head_that_has_its_share_of_all_listening() -> None:
    indptr, artists = compressed([[0], [0, 1], [1], [2], []])
    listeners = np.array([5, 1, 2, 2, 9])  # artist 0: 6 of 11, artist 1: 3, artist 2: 2; a song without artists is of none
    small = small_artists(indptr, artists, 3, listeners, 0.5)
    assert small.tolist() == [0.0, 0.5, 1.0, 1.0, 0.0]
    assert small_artists(indptr, artists, 3, listeners, 0.6).tolist() == [0.0, 0.0, 0.0, 1.0, 0.0]
    assert small_artists(indptr, artists, 3, listeners, 0.0).tolist() == [1.0, 1.0, 1.0, 1.0, 0.0]


def test_without_weights_the_selection_is_the_order_of_the_scores() -> None:
    scores = np.array([3.0, 2.0, 2.0, 1.0])
    assert select(Objective(Weights(), scores), np.arange(4), 3).tolist() == top_n(scores, 3).tolist()
