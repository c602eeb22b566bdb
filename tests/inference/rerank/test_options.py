"""What a request may ask of filters and of the re-ranker."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference import input_fn, predict_fn
from inference.errors import RequestError
from inference.request import REQUEST_FIELDS, parse_request
from inference.rerank.conditions import MAX_CONDITIONS, MAX_VALUES, Condition
from inference.rerank.options import NOTHING, OPTION_FIELDS, Options, parse_options
from inference.rerank.weights import TERMS, Weights, traded
from tests.inference.models import make_recommender

MODEL = make_recommender()
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
columns = st.sampled_from(["genre", "artist", "year", "Energy", "explicit", "key", "lyrics", "title", "plays", "audio", "nothing"])
operands = st.sampled_from(["rock", "yes", "C#", "A min", 3, 0.5, True, "03:47", ["rock", 7], None, [], {}, 10**400, "x" * 2000])
conditions = st.dictionaries(st.sampled_from(["any", "not", "gte", "gt", "lte", "lt", "exists", "near"]), operands, max_size=3)
filters = st.dictionaries(columns, operands | conditions, max_size=3)
boosts = st.lists(
    st.fixed_dictionaries({}, optional={"filter": filters, "items": st.just(["s1"]), "factor": st.sampled_from([0, 0.5, 3, -1, 10**9])}),
    max_size=3,
)
shares = st.sampled_from([0, 0.5, 1, -0.5, 2, "x", None])
weights = st.dictionaries(st.sampled_from([*TERMS, "beauty"]), st.sampled_from([0, 1, 0.2, -1, 10**6, "x"]), max_size=4)
nearly_right = st.fixed_dictionaries(
    {},
    optional={
        **{"filter": filters, "boosts": boosts, "objectives": weights, "max_per": st.dictionaries(columns, st.integers(-1, 3), max_size=2)},
        **{"diversity": shares, "calibration": shares, "novelty": shares, "fairness": shares, "max_per_artist": st.integers(-1, 3)},
    },
)


def refusal(**options: Any) -> RequestError:
    with pytest.raises(RequestError) as caught:
        predict_fn(input_fn(json.dumps({"user_id": "u0", **options}), "application/json"), MODEL)
    return caught.value


@settings(deadline=None)
@given(options=st.fixed_dictionaries({}, optional=dict.fromkeys(OPTION_FIELDS, json_values)) | nearly_right)
def test_whatever_stands_in_these_fields_is_answered_or_refused_as_the_callers_mistake(options: dict[str, Any]) -> None:
    try:
        status = MODEL.recommend(parse_request({"user_id": "u0", **options})).to_json()["status"]
    except RequestError as error:
        status = error.status
    assert status in ("success", 422)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"filter": []}, "'filter' must be an object of columns"),
        ({"filter": {"genre": None}}, "'filter.genre' must be a value"),
        ({"filter": {"genre": []}}, "'filter.genre' must have 1 to 1000 values, not 0"),
        ({"filter": {"genre": {}}}, "'filter.genre' must have one of any, not"),
        ({"filter": {"genre": {"gtee": 1}}}, "Did you mean 'gte'?"),
        ({"filter": {"genre": {"gte": 1}}}, "'filter.genre' has no numbers"),
        ({"filter": {"genre": [["rock"]]}}, "'filter.genre' must be"),
        ({"filter": {"genre": " "}}, "'filter.genre': a text has"),
        ({"filter": {"year": "soon"}}, "'filter.year' must be a number, not 'soon'"),
        ({"filter": {"year": {"gte": True}}}, "'filter.year' must be a number"),
        ({"filter": {"year": {"exists": 1}}}, "'filter.year.exists' must be true or false"),
        ({"filter": {"explicit": "maybe"}}, "'filter.explicit' must be true or false"),
        ({"filter": {"key": "H"}}, "'filter.key' must be keys"),
        ({"filter": {"lyrics": "love"}}, "'filter.lyrics' is a vector"),
        ({"filter": {"genree": "rock"}}, 'No column of the songs is called "genree". Did you mean "genre"?'),
        ({"filter": {f"c{i}": 1 for i in range(MAX_CONDITIONS + 1)}}, "at most 100 conditions"),
        ({"boosts": [{"filter": {"genre": "rock"}}]}, "'boosts[0].factor' is missing"),
        ({"boosts": [{"factor": 2}]}, "'boosts[0]' must have 'filter' or 'items'"),
        ({"boosts": [{"factor": 2, "items": ["a"], "filter": {}}]}, "one of the two"),
        ({"boosts": [{"factor": -1, "items": ["a"]}]}, "'boosts[0].factor' must be a number from 0 to 1000"),
        ({"boosts": [{"factor": 1, "songs": ["a"]}]}, "Unknown field 'songs' in the boosts[0]"),
        ({"boosts": [{"factor": 1, "filter": {"year": "x"}}]}, "'boosts[0].filter.year' must be a number"),
        ({"boosts": [{"factor": 1, "items": []}] * 101}, "'boosts' may have at most 100"),
        ({"boosts": [{"factor": 1, "items": ["s1"] * 6000}] * 2}, "'boosts' may name at most 10000 songs"),
        ({"diversity": 1.5}, "'diversity' must be a number from 0 to 1"),
        ({"calibration": "much"}, "'calibration' must be a number"),
        ({"novelty": -2}, "'novelty' must be a number from -1 to 1"),
        ({"fairness": True}, "'fairness' must be a number"),
        ({"max_per_artist": 1.5}, "'max_per_artist' must be a whole number"),
        ({"max_per": {"album": -1}}, "'max_per.album' must be a whole number"),
        ({"max_per": {"year": 1}}, "'max_per.year': only a column of names"),
        ({"max_per": {"albun": 1}}, 'Did you mean "album"?'),
        ({"max_per": {f"c{i}": 1 for i in range(11)}}, "'max_per' may have at most 10"),
        ({"objectives": {"beauty": 1}}, "Unknown field 'beauty' in the objectives"),
        ({"objectives": {"accuracy": 0}}, "'objectives' must have a weight that is not 0"),
        ({"objectives": {"diversity": 1}, "diversity": 0.5}, "Give 'diversity' within 'objectives' or beside it, not both"),
        ({"diversty": 0.5}, "Did you mean 'diversity'?"),
    ],
)
def test_what_is_wrong_is_named(options: dict[str, Any], words: str) -> None:
    error = refusal(**options)
    assert error.status == 422
    assert words in error.message


def test_the_values_of_a_filter_and_of_all_boosts_are_counted_together() -> None:
    half = {"genre": [f"g{i}" for i in range(MAX_VALUES // 2)]}
    parse_options({"filter": half, "boosts": [{"filter": half, "factor": 2}]})
    with pytest.raises(RequestError, match="1000 values in all"):
        parse_options({"filter": {**half, "year": 1990}, "boosts": [{"filter": half, "factor": 2}]})


def test_in_a_batch_a_bad_option_costs_its_own_line() -> None:
    body = json.dumps([{"user_id": "u0", "filter": {"genree": "x"}}, {"user_id": "u0", "filter": {"genre": "rock"}}])
    bad, good = predict_fn(input_fn(body, "application/json"), MODEL).answers
    assert isinstance(bad, RequestError)
    assert not isinstance(good, RequestError)


def test_every_option_is_a_field_of_a_request() -> None:
    assert set(OPTION_FIELDS) < set(REQUEST_FIELDS)
    assert "options" not in REQUEST_FIELDS


def test_a_request_without_options_has_none() -> None:
    assert parse_request({"user_id": "u0", "diversity": None, "filter": None}).options is NOTHING


def test_what_a_request_says_goes_before_the_default_and_0_switches_it_off() -> None:
    defaults = Options(diversity=0.3, max_per_artist=2, filter=(Condition("genre", any=("rock",)),))
    assert NOTHING.over(defaults) == defaults
    assert Options(novelty=0.1).over(defaults) == Options(
        novelty=0.1, diversity=0.3, max_per_artist=2, filter=(Condition("genre", any=("rock",)),)
    )
    off = Options(diversity=0.0, max_per_artist=0, filter=()).over(defaults)
    assert off.weights == Weights()
    assert off.caps == ()
    assert not off.filter


def test_objectives_replace_the_defaults_of_all_terms_but_not_caps() -> None:
    both = Options(objectives=Weights(fairness=0.5)).over(Options(diversity=0.3, max_per_artist=2))
    assert both.weights == Weights(fairness=0.5)
    assert both.caps == (("artist", 2),)


def test_an_option_trades_its_term_against_accuracy() -> None:
    assert traded({"diversity": 0.25}) == Weights(diversity=1 / 3)
    assert traded({"diversity": 0.5, "novelty": -0.5}) == Weights(diversity=1.0, novelty=-1.0)
    assert traded({"calibration": 1.0, "novelty": 0.5}) == Weights(accuracy=0.0, calibration=1.0)
    assert traded({}).of_score_alone


def test_a_whole_number_beyond_floating_point_keeps_all_its_digits_as_a_name() -> None:
    (condition,) = parse_options({"filter": {"title": 2**53 + 1}}).filter or ()
    assert condition.any == ("9007199254740993",)
