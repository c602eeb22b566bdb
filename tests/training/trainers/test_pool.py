"""The pool of candidates that weights and settings are judged on, against full lists."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.scorers import PopularityScorer, Scorer
from tests.training.trainers.data import operator_of
from training.split import Case
from training.trainers.pool import Pool

N = 40


def scorers_of(seed: int) -> dict[str, Scorer]:
    """Scores of both signs, no two alike."""
    rng = np.random.default_rng(seed)
    return {
        "ease": operator_of(rng.normal(size=(N, N))),
        "graph": operator_of(rng.random((N, N))),
        "popularity": PopularityScorer(-rng.random(N).astype(np.float32)),
    }


def cases_of(seed: int, most_shown: int = 12) -> list[Case]:
    rng = np.random.default_rng(seed)
    cases = []
    for user in range(15):
        songs = rng.permutation(N).astype(np.int32)
        shown, hidden = int(rng.integers(1, most_shown + 1)), int(rng.integers(1, 13))
        weights = rng.choice([1.0, 2.0, 3.5], shown).astype(np.float32) if user % 2 else None
        cases.append(Case(user, np.sort(songs[:shown]), np.sort(songs[shown : shown + hidden]), shown_weights=weights))
    return cases


def slow_quality(scorers: dict[str, Scorer], weights: dict[str, float], cases: list[Case], k: int, metric: str) -> float:
    values = []
    for case in cases:
        total = sum((weight * scorers[name].scores(case.history()) for name, weight in weights.items()), np.zeros(N))
        unheard = [song for song in range(N) if song not in case.shown]
        best = sorted(unheard, key=lambda song: -total[song])[:k]
        hits = [song in case.hidden for song in best]
        recall = sum(hits) / len(case.hidden)
        gained = sum(1 / math.log2(place + 2) for place, hit in enumerate(hits) if hit)
        ndcg = gained / sum(1 / math.log2(place + 2) for place in range(min(k, len(case.hidden))))
        values.append({"recall": recall, "ndcg": ndcg, "both": (recall + ndcg) / 2}[metric])
    return sum(values) / len(values)


@given(
    seed=st.integers(0, 1000),
    weights=st.fixed_dictionaries({name: st.sampled_from([0.0, 0.1, 1.0, 3.0]) for name in ("ease", "graph", "popularity")}),
    k=st.integers(1, 20),
    metric=st.sampled_from(["recall", "ndcg", "both"]),
)
@settings(max_examples=40, deadline=None)
def test_the_quality_is_that_of_full_lists(seed: int, weights: dict[str, float], k: int, metric: str) -> None:
    if not any(weights.values()):
        weights = {"graph": 1.0}
    scorers, cases = scorers_of(seed), cases_of(seed)
    expected = slow_quality(scorers, weights, cases, k, metric)
    assert Pool.of(scorers, cases, depth=N).quality(weights, k, metric) == pytest.approx(expected)


@pytest.mark.parametrize("name", ["ease", "graph", "popularity"])
@pytest.mark.parametrize("metric", ["recall", "ndcg", "both"])
def test_a_single_model_is_judged_exactly_in_a_pool_as_deep_as_the_list(name: str, metric: str) -> None:
    """Its own best songs are in the pool, and no song that another model brought is better than they are."""
    scorers, cases = scorers_of(1), cases_of(1, most_shown=2)
    expected = slow_quality(scorers, {name: 1.0}, cases, 5, metric)
    assert Pool.of(scorers, cases, depth=5).quality({name: 1.0}, 5, metric) == pytest.approx(expected)


@pytest.mark.parametrize("depth", [1, 3, 100])
def test_a_pool_holds_the_best_songs_of_each_model_scored_by_all_of_them(depth: int) -> None:
    scorers, cases = scorers_of(2), cases_of(2)
    pool = Pool.of(scorers, cases, depth)
    for i, case in enumerate(cases):
        scores = {name: scorer.scores(case.history()) for name, scorer in scorers.items()}
        unheard = [song for song in range(N) if song not in case.shown]
        best = {song for row in scores.values() for song in sorted(unheard, key=lambda song: -row[song])[:depth]}
        songs = pool.songs[i][pool.songs[i] >= 0]
        assert songs.tolist() == sorted(best)
        for name, row in scores.items():
            np.testing.assert_allclose(pool.scores[name][i, : len(songs)], row[songs], rtol=1e-6)
        assert pool.relevant[i, : len(songs)].tolist() == [song in case.hidden for song in songs.tolist()]
        assert pool.n_hidden[i] == len(case.hidden)


def test_padded_songs_never_count() -> None:
    """All scores are below the 0 that pads a row: were it a score, no song would be found."""
    scorers: dict[str, Scorer] = {"popularity": PopularityScorer(-1 - np.random.default_rng(3).random(N).astype(np.float32))}
    cases = cases_of(3, most_shown=25)
    pool = Pool.of(scorers, cases, depth=N)
    padded = pool.songs < 0
    assert padded.any(axis=1).sum() > 5
    assert not pool.relevant[padded].any()
    assert not pool.scores["popularity"][padded].any()
    for k in (1, 10, 20):
        expected = slow_quality(scorers, {"popularity": 1.0}, cases, k, "both")
        assert pool.quality({"popularity": 1.0}, k, "both") == pytest.approx(expected)
        assert expected > 0


def test_a_new_models_scores_come_beside_the_others_or_in_place_of_its_own_old_ones() -> None:
    scorers, cases = scorers_of(4), cases_of(4)
    whole = Pool.of(scorers, cases, depth=N)
    few = Pool.of({name: scorers[name] for name in ("ease", "graph")}, cases, depth=N)
    more = few.with_model("popularity", scorers["popularity"])
    other = few.with_model("graph", scorers_of(5)["graph"])
    assert list(few.scores) == ["ease", "graph"]
    assert list(more.scores) == ["ease", "graph", "popularity"]
    for name, rows in whole.scores.items():
        np.testing.assert_array_equal(more.scores[name], rows)
    np.testing.assert_array_equal(more.songs, few.songs)
    np.testing.assert_array_equal(other.scores["ease"], few.scores["ease"])
    replaced = Pool.of({"graph": scorers_of(5)["graph"]}, cases, depth=N)
    np.testing.assert_array_equal(other.scores["graph"], replaced.scores["graph"])
    assert other.quality({"graph": 1.0}, 10, "both") == replaced.quality({"graph": 1.0}, 10, "both")


def test_the_usual_size_of_a_models_scores_is_the_mean_of_its_best_twenty() -> None:
    scorers, cases = scorers_of(6), cases_of(6)
    means = []
    for case in cases:
        scores = scorers["graph"].scores(case.history())
        scores[case.shown] = -np.inf
        means.append(np.sort(scores)[-20:].mean())
    assert Pool.of(scorers, cases, depth=N).scales()["graph"] == pytest.approx(float(np.mean(means)), rel=1e-5)


def test_a_model_without_scores_has_the_size_one() -> None:
    scorers = {"popularity": PopularityScorer(np.zeros(N, dtype=np.float32)), "content": operator_of(np.zeros((N, N)))}
    assert Pool.of(scorers, cases_of(7), depth=N).scales() == {"popularity": 1.0, "content": 1.0}


def test_a_catalogue_smaller_than_the_list_is_no_trouble() -> None:
    case = Case(0, np.array([0], dtype=np.int32), np.array([1], dtype=np.int32))
    pool = Pool.of({"popularity": PopularityScorer(np.array([0.1, 0.3, 0.2], dtype=np.float32))}, [case], depth=50)
    for metric in ("recall", "ndcg", "both"):
        assert pool.quality({"popularity": 1.0}, 100, metric) == pytest.approx(1.0)
