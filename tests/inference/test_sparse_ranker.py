"""Ranking by the songs that a history leads to is ranking all songs: the same lists, scores and bits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.recommender import Recommender
from inference.request import Request, parse_request
from inference.scorers import FactorScorer, HybridScorer, ItemToItemScorer, PopularityScorer
from inference.sparse_ranker import SparseRanker
from inference.vocabulary import UNKNOWN
from tests.inference.many_listeners import MODELS, make_model, some_requests
from tests.inference.models import make_recommender


def looking_at_all(model: Recommender) -> Recommender:
    """The same model, made to score and look at every song."""
    other = model.with_model(model.model)
    other.__dict__["_sparse"] = None
    return other


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("kind", MODELS)
@given(
    seed=st.integers(0, 10**6), ties=st.booleans(), n=st.sampled_from([1, 5, 12, 40, 60, 100]), density=st.sampled_from([0.02, 0.3, 0.9])
)
@settings(max_examples=10, deadline=None)
def test_lists_and_scores_are_those_of_all_songs_bit_by_bit(
    kind: str, compiled: bool, seed: int, ties: bool, n: int, density: float
) -> None:
    model = make_model(kind, seed, ties=ties, density=density)
    dense = looking_at_all(model)
    assert model._sparse is not None
    if not compiled:
        model._sparse.__dict__["_compiled"] = None  # where the ranker keeps what it has found compiled
    for request in some_requests(seed, 25, n):
        found, wanted = model.ranking(request), dense.ranking(request)
        assert found.numbers.tolist() == wanted.numbers.tolist()
        assert found.scores.tobytes() == wanted.scores.astype(np.float64).tobytes()
        assert found.scored == wanted.scored


@pytest.mark.parametrize("compiled", [True, False])
@given(seed=st.integers(0, 10**6), kept=st.sampled_from([0.0, 0.05, 0.5, 1.0]), n=st.sampled_from([1, 10, 100]), ties=st.booleans())
@settings(max_examples=30, deadline=None)
def test_masks_and_what_is_excluded_hold_in_every_part_of_the_list(compiled: bool, seed: int, kept: float, n: int, ties: bool) -> None:
    songs = 700  # so that popularity is looked at in several pieces
    model = make_model("operator and popularity", seed, songs, 20, ties=ties, density=0.02)
    ranker = model._sparse
    assert ranker is not None
    if not compiled:
        ranker.__dict__["_compiled"] = None
    rng = np.random.default_rng(seed)
    masks = [rng.random(songs) < kept, rng.random(songs) < 0.9]
    excluded = rng.integers(0, songs, 30)
    history = model.history(Request(user_id="u1"))
    scores = model.scorer.scores(history) if history.speaks else model.popularity.astype(np.float64)
    allowed = np.logical_and(*masks)
    allowed[excluded] = False
    order = np.lexsort((np.arange(songs), -model.popularity * (scores == 0), -scores))
    unknown = np.append(excluded, UNKNOWN)  # shuts nothing out
    assert ranker.rank(history, n, unknown, masks).numbers.tolist() == order[allowed[order]][:n].tolist()


@pytest.mark.parametrize("condition", [{"genre": ["rock", "jazz"]}, {"year": {"gte": 1985}, "explicit": False}, {"artist": "nobody"}])
def test_a_filter_of_a_request_leaves_the_same_songs_by_both_ways(condition: dict[str, Any]) -> None:
    whole = make_recommender()
    model = replace(whole, hybrid=HybridScorer(whole.scorers, {"ease": 1.0, "popularity": 0.05}))
    assert model._sparse is not None
    for user in ("u0", "u1", "u2", "nobody"):
        request = parse_request({"user_id": user, "filter": condition, "num_recommendations": 12, "explain": True})
        assert model.recommend(request).to_json() == looking_at_all(model).recommend(request).to_json()


def test_a_model_with_an_opinion_on_every_song_is_ranked_over_all_songs() -> None:
    popularity = PopularityScorer(np.ones(3, np.float32))
    factors = FactorScorer(np.ones((3, 2), np.float32), np.eye(2, dtype=np.float32), 1.0, 0.1, 1.0)
    assert SparseRanker.of(HybridScorer({"als": factors, "popularity": popularity}, {"als": 1.0}), popularity.popularity) is None
    assert SparseRanker.of(popularity, popularity.popularity) is None


def test_popularity_that_is_below_nought_is_left_to_the_other_way() -> None:
    model = make_model("operator and popularity")
    ease = model.scorers["ease"]
    assert isinstance(ease, ItemToItemScorer)
    below = np.full(60, -1.0, np.float32)
    assert SparseRanker.of(ease, below) is None
    assert SparseRanker.of(ease, -below) is not None


def test_a_history_that_leads_nowhere_is_filled_by_popularity() -> None:
    model = make_model("one operator", density=0.0)
    found = model.ranking(Request(user_id="u1", num_recommendations=5))
    assert found.scored == 0
    assert found.numbers.tolist() == looking_at_all(model).ranking(Request(user_id="u1", num_recommendations=5)).numbers.tolist()
