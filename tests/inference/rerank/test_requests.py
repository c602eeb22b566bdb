"""What each option does to an answer, through the code that serves."""

from __future__ import annotations

import dataclasses
import json
import time
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference import input_fn, output_fn, predict_fn
from inference.errors import RequestError
from inference.request import Request, parse_request
from inference.rerank.defaults import Defaults
from tests.inference.features.songs import raw_song
from tests.inference.models import SONGS, make_recommender
from tests.inference.test_recommender import requests

MODEL = make_recommender()
assert MODEL.features is not None
ROWS = [MODEL.features.row(number) for number in range(SONGS)]
INERT = {"filter": {}, "boosts": [], "diversity": 0, "novelty": 0, "max_per_artist": 0, "max_per": {"album": 0}}
options = st.fixed_dictionaries(
    {},
    optional={
        "filter": st.sampled_from([{"genre": ["rock", "jazz"]}, {"explicit": False}, {"year": {"gte": 1985}}, {"artist": "nobody"}]),
        "boosts": st.sampled_from([[{"filter": {"genre": "jazz"}, "factor": 3}, {"items": ["s4", "x"], "factor": 0}], []]),
        **{name: st.sampled_from([0, 0.3, 1]) for name in ("diversity", "calibration", "novelty", "fairness")},
        "max_per_artist": st.integers(0, 2),
        "max_per": st.sampled_from([{"album": 1}, {"emotion": 2, "genres": 3}]),
    },
)
plain = requests.map(lambda request: dataclasses.replace(request, songs=()))


def asked(request: Request, **given: Any) -> Request:
    return dataclasses.replace(request, options=parse_request({"user_id": "u", **given}).options)


def answer(model: Any = MODEL, **request: Any) -> dict[str, Any]:
    body, _ = output_fn(predict_fn(input_fn(json.dumps(request), "application/json"), model), None)
    return dict(json.loads(body))


def songs(model: Any = MODEL, **request: Any) -> list[int]:
    return [int(r["item_id"][1:]) for r in answer(model, **request)["recommendations"]]


@settings(deadline=None)
@given(request=requests)
def test_options_that_ask_for_nothing_change_nothing(request: Request) -> None:
    assert MODEL.recommend(asked(request, **INERT)).to_json() == MODEL.recommend(request).to_json()


@settings(deadline=None)
@given(request=requests, options=options)
def test_what_is_allowed_is_kept_whatever_is_combined(request: Request, options: dict[str, Any]) -> None:
    found = [MODEL.items.number(r.item_id) for r in MODEL.recommend(asked(request, **options)).recommendations]
    assert len(found) == len(set(found)) <= request.limit
    assert not {MODEL.items.id(number) for number in found} & set(request.exclude)
    for column, cap in {"artists": options.get("max_per_artist", 0), **options.get("max_per", {})}.items():
        names = Counter(name for number in found for name in np.atleast_1d(ROWS[number][column] or []).tolist())
        assert not cap or max(names.values(), default=0) <= cap
    rules = MODEL._reranker.rules(asked(request, **options).options)
    assert rules.mask is None or rules.mask[found].all()
    if options.get("boosts"):
        assert 4 not in found


@settings(deadline=None)
@given(request=plain, options=options)
def test_reasons_are_shares_of_the_models_score_whatever_the_order(request: Request, options: dict[str, Any]) -> None:
    plainly = {r.item_id: r for r in MODEL.recommend(dataclasses.replace(request, explain=True, num_recommendations=SONGS)).recommendations}
    factors = MODEL._reranker.rules(asked(request, **options).options).factors
    for found in MODEL.recommend(dataclasses.replace(asked(request, **options), explain=True)).recommendations:
        boost = 1.0 if factors is None or found.score <= 0 else factors[MODEL.items.number(found.item_id)]
        assert found.score == pytest.approx(plainly[found.item_id].score * boost, rel=1e-9)
        for one, other in zip(found.reasons or (), plainly[found.item_id].reasons or (), strict=True):
            assert one.share == pytest.approx(other.share, rel=1e-6, abs=1e-9)


def test_a_filter_is_filled_by_popularity_from_its_songs_alone() -> None:
    rock = [number for number, row in enumerate(ROWS) if "rock" in row["genres"]]
    found = answer(items=["s1"], filter={"genre": "Rock"}, num_recommendations=SONGS)
    assert {int(r["item_id"][1:]) for r in found["recommendations"]} == set(rock) - {1}
    ease = answer(MODEL.with_model("ease"), items=["s1"], filter={"genre": "Rock"}, num_recommendations=SONGS)
    assert ease["fallback"] == "popularity_fill"
    assert {r["item_id"] for r in ease["recommendations"]} == {r["item_id"] for r in found["recommendations"]}


def test_where_a_filter_leaves_nothing_the_list_is_empty() -> None:
    for request in ({"user_id": "u0"}, {"user_id": "nobody"}, {"songs": [raw_song(2)]}, {"items": ["s1"], "candidates": ["s2"]}):
        found = answer(**request, filter={"artist": "nobody at all"}, explain=True)
        assert (found["status"], found["recommendations"]) == ("success", [])


def test_a_cold_listener_gets_the_most_popular_of_what_is_allowed() -> None:
    rock = [number for number, row in enumerate(ROWS) if "rock" in row["genres"]]
    assert songs(user_id="nobody", filter={"genre": "rock"}, num_recommendations=3) == rock[:3]  # s0 is the most popular, then s1
    artists = [ROWS[number]["artists"] for number in songs(user_id="nobody", max_per_artist=1, num_recommendations=4)]
    assert len({name for names in artists for name in names}) == sum(map(len, artists))


def test_candidates_are_ranked_within_the_options() -> None:
    wanted = [f"s{number}" for number in range(3, 15)]
    found = songs(user_id="u0", candidates=wanted, filter={"year": {"gte": 1985}}, diversity=0.5)
    assert sorted(found) == [number for number in range(10, 15) if ROWS[number]["release_year"]]


def test_described_songs_are_seeds_of_a_calibrated_list() -> None:
    jazz = {"genre": "jazz", "artist": "artist 1"}
    genres = [name for number in songs(songs=[jazz], calibration=1, num_recommendations=5) for name in ROWS[number]["genres"]]
    assert Counter(genres)["jazz"] == 5


def test_more_diversity_makes_neighbours_in_the_list_less_alike() -> None:
    def likeness(diversity: float) -> float:
        numbers = np.array(songs(user_id="u1", num_recommendations=6, diversity=diversity))
        assert MODEL._compare is not None
        vectors = MODEL._compare.vectors(numbers)
        return float((vectors @ vectors.T)[np.triu_indices(6, 1)].mean())

    assert likeness(1.0) < likeness(0.5) < likeness(0.0)


def test_novelty_and_fairness_raise_what_they_are_called_after() -> None:
    model = dataclasses.replace(MODEL, listeners=np.arange(SONGS, 0, -1, dtype=np.int32) * 3)

    def listeners(novelty: float) -> float:
        return float(model.listeners[songs(model, user_id="u1", num_recommendations=6, novelty=novelty)].mean())

    assert listeners(1.0) < listeners(0.0) < listeners(-1.0)
    small = model._reranker._small_artists
    before, after = (small[songs(model, user_id="u1", num_recommendations=6, fairness=share)].mean() for share in (0, 1))
    assert after > before


def test_a_boost_multiplies_positive_scores_and_0_takes_songs_out() -> None:
    scores = {r["item_id"]: r["score"] for r in answer(user_id="u0", num_recommendations=SONGS)["recommendations"]}
    boosted = {
        r["item_id"]: r["score"]
        for r in answer(user_id="u0", num_recommendations=SONGS, boosts=[{"filter": {"explicit": True}, "factor": 2}])["recommendations"]
    }
    for id_, score in boosted.items():
        assert score == pytest.approx(scores[id_] * (2 if ROWS[int(id_[1:])]["explicit"] and scores[id_] > 0 else 1))
    best = max(scores, key=scores.__getitem__)
    assert int(best[1:]) not in songs(user_id="u0", num_recommendations=SONGS, boosts=[{"items": [best], "factor": 0}])


def test_a_cap_that_the_candidates_cannot_meet_is_met_by_songs_further_down() -> None:
    few = dataclasses.replace(MODEL, defaults=Defaults.of({"candidates": 3}))
    found = songs(few, user_id="u0", max_per={"emotion": 2}, diversity=0.1, num_recommendations=6)
    assert max(Counter(ROWS[number]["emotion"] for number in found).values()) <= 2
    assert len(found) > 3


def test_defaults_of_the_model_hold_where_a_request_is_silent_and_0_switches_them_off() -> None:
    model = dataclasses.replace(MODEL, defaults=Defaults.of({"filter": {"genre": "rock"}, "max_per_artist": 1, "diversity": 0.4}))
    asked = {"filter": {"genre": "rock"}, "max_per_artist": 1, "diversity": 0.4}
    assert songs(model, user_id="u0") == songs(user_id="u0", **asked) != songs(user_id="u0")
    assert songs(model, user_id="u0", diversity=0) == songs(user_id="u0", **{**asked, "diversity": 0})
    assert songs(model, user_id="u0", filter={}, max_per_artist=0, diversity=0) == songs(user_id="u0")


def test_a_default_cap_drops_no_candidate() -> None:
    model = dataclasses.replace(MODEL, defaults=Defaults.of({"max_per_artist": 1}))
    wanted = [f"s{number}" for number in range(20)]
    assert len(songs(model, user_id="u0", candidates=wanted)) == 20
    assert len(songs(model, user_id="u0", candidates=wanted, max_per_artist=1)) < 20


def test_a_model_without_a_catalogue_says_what_it_cannot_do_and_does_the_rest() -> None:
    bare = dataclasses.replace(MODEL, features=None, transform=None, similarity=None)
    assert songs(bare, user_id="u0", diversity=1) != songs(bare, user_id="u0")
    assert songs(bare, items=["s1"], filter={"title": "TITLE  7"}) == [7]
    for option in ({"max_per_artist": 1}, {"fairness": 0.1}, {"calibration": 0.1}, {"objectives": {"fairness": 1}}):
        with pytest.raises(RequestError) as caught:
            answer(bare, user_id="u0", **option)
        assert (caught.value.status, caught.value.code) == (422, "no_features")
        assert "needs a catalogue" in caught.value.message


def test_the_longest_options_that_are_let_through_take_no_second() -> None:
    values = {"genre": {"not": [f"genre {i}" for i in range(400)]}}
    boosts = [{"filter": {"year": {"gte": 1900 + i}}, "factor": 1.01} for i in range(80)] + [{"items": ["s1"] * 400, "factor": 2}] * 20
    begin = time.perf_counter()
    found = answer(
        user_id="u0", filter=values, boosts=boosts, objectives={"diversity": 1, "calibration": 1, "novelty": 1}, max_per_artist=1
    )
    assert found["status"] == "success"
    assert time.perf_counter() - begin < 1
