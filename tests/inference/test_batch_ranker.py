"""Ranked together, requests get what each gets alone."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference import batch_ranker
from inference.errors import RequestError
from inference.native.library import library
from inference.recommender import Recommender
from inference.request import Request
from inference.rerank.defaults import Defaults
from inference.rerank.options import parse_options
from inference.vocabulary import Vocabulary
from tests.inference.many_listeners import MODELS, aging, make_model, ranked_together, some_requests
from tests.inference.models import make_recommender

pytestmark = pytest.mark.skipif(library() is None, reason="nothing is compiled, so each request is ranked alone")


def together(model: Recommender, requests: list[Request]) -> int:
    """Checks that all requests get what they get alone; returns how many were ranked together."""
    found = ranked_together(model, requests)
    for request, one, each in zip(requests, found, model.rank_each(requests), strict=True):
        history = model.history(request)
        alone = model.ranking(request)
        assert each.tolist() == alone.numbers.tolist()
        if one is not None:
            assert (one.scored, model._fallback(history, None, alone)) == (alone.scored, None)
            assert one.scores.tobytes() == alone.scores.tobytes()
    return sum(one is not None for one in found)


@pytest.mark.parametrize("kind", MODELS)
@given(seed=st.integers(0, 10**6), ties=st.booleans(), n=st.sampled_from([1, 5, 12]))
@settings(max_examples=12, deadline=None)
def test_together_requests_get_the_lists_and_scores_that_each_gets_alone(kind: str, seed: int, ties: bool, n: int) -> None:
    together(make_model(kind, seed, ties=ties), some_requests(seed, 60, n))


@pytest.mark.parametrize("kind", MODELS)
def test_most_plain_requests_are_ranked_together(kind: str) -> None:
    assert together(make_model(kind, 1, density=0.5), some_requests(1, 200)) > 120


def test_weights_that_halve_with_age_are_the_same_together() -> None:
    assert together(aging(make_model("compiled", density=0.5)), some_requests(2)) > 40


@pytest.mark.parametrize("ties", [True, False])
def test_a_large_catalogue_with_many_equal_scores_is_ranked_alike(ties: bool) -> None:
    model = make_model("compiled", 3, 2000, 300, ties=ties, density=0.02)
    requests = some_requests(3, 300, 20, 2000, 300)
    assert together(model, requests) > 100


def test_single_models_are_ranked_together_too_and_models_of_other_kinds_alone() -> None:
    model, requests = make_model("one operator", density=0.5), some_requests(4)
    for name in ("ease", "transitions", "content"):
        assert together(model.with_model(name), requests) > 20
    assert together(model.with_model("popularity"), requests) == 0
    mixed = make_recommender()
    assert together(mixed, [Request(user_id="u1")] * 40) == 0
    assert together(mixed.with_model("als"), [Request(user_id="u1")] * 40) == 0


def test_few_requests_are_not_worth_it() -> None:
    model = make_model("one operator", density=0.5)
    assert together(model, [Request(user_id="u1")] * (batch_ranker.LEAST - 1)) == 0
    assert together(model, [Request(user_id="u1")] * batch_ranker.LEAST) == batch_ranker.LEAST


def test_requests_that_are_not_plain_are_left_alone() -> None:
    model = make_model("one operator", density=0.5)
    asked = Request(user_id="u1")
    odd = [replace(asked, candidates=("s1", "s2")), replace(asked, options=parse_options({"novelty": 0.5}))]
    found = ranked_together(model, [asked] * 40 + odd)
    assert [one is None for one in found] == [False] * 40 + [True] * 2
    rerank = replace(model, defaults=Defaults.of({"novelty": 0.5}))
    assert ranked_together(rerank, [asked] * 40) == [None] * 40
    assert sum(one is not None for one in ranked_together(rerank, [replace(asked, options=parse_options({"novelty": 0}))] * 40)) in (0, 40)


def answers(model: Recommender, requests: list[Request]) -> list[Any]:
    def one(request: Request) -> Any:
        try:
            return model.recommend(request)
        except RequestError as error:
            return error

    return [shown(one(request)) for request in requests]


def shown(answer: Any) -> Any:
    return (answer.status, answer.code, answer.message) if isinstance(answer, RequestError) else answer.to_json()


@pytest.mark.parametrize("kind", MODELS)
def test_answers_together_are_those_of_each_alone_with_reasons_fallbacks_unknown_songs_and_errors_in_their_place(kind: str) -> None:
    model = make_model(kind, 5, density=0.4)
    requests = some_requests(5, 120)
    requests[3] = replace(requests[3], context={"no such field": "x"})
    requests[7] = Request(songs=({"artist": "a"},), num_recommendations=5)
    requests[11] = replace(requests[11], candidates=("s1", "s5", "unknown"))
    requests[13] = Request(items=("s59", "s58"), num_recommendations=5)  # nobody has played these
    requests = [replace(request, explain=place % 3 == 0) for place, request in enumerate(requests)]
    assert sum(one is not None for one in ranked_together(model, requests)) > 50
    found = [shown(answer) for answer in model.recommend_each(requests)]
    expected = answers(model, requests)
    assert [one[0] for one in expected if isinstance(one, tuple)] == [422, 422]
    assert len({one["fallback"] for one in expected if isinstance(one, dict)}) >= 3
    assert found == expected


def test_whoever_stops_asking_has_not_waited_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    model = make_model("one operator", density=0.5)
    sizes = []
    rank = batch_ranker.BatchRanker.rank

    def counted(self: batch_ranker.BatchRanker, requests: list[Request], *more: Any) -> Any:
        sizes.append(len(requests))
        return rank(self, requests, *more)

    monkeypatch.setattr(batch_ranker.BatchRanker, "rank", counted)
    assert len(list(islice(model.recommend_each([Request(user_id="u1")] * 5000), 600))) == 600
    assert sum(sizes) <= 1100


@pytest.mark.parametrize("count", [1, 60])
def test_each_song_that_a_request_names_is_looked_up_once(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    model, asked = make_model("not compiled", density=0.5), list[str]()
    requests = [replace(request, explain=True) for request in some_requests(9, count)]
    numbers = Vocabulary.numbers

    def counted(self: Vocabulary, ids: list[str]) -> Any:
        asked.extend(ids if self is model.items else [])
        return numbers(self, ids)

    monkeypatch.setattr(Vocabulary, "numbers", counted)
    answers = list(model.recommend_each(requests))
    named = [(*(event.item_id for event in one.events), *one.items, *one.exclude) for one in requests]
    assert len(answers) == count
    assert sorted(asked) == sorted(id_ for ids in named for id_ in ids)
