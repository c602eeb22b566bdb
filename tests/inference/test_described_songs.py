"""Songs that nobody has in the catalogue, described by their attributes, as seeds."""

from __future__ import annotations

import dataclasses
import json
import time
from typing import Any

import numpy as np
import pytest

from inference import input_fn, output_fn, predict_fn
from inference.errors import RequestError
from inference.request import MAX_SONGS, parse_request
from tests.inference.features.songs import raw_song
from tests.inference.models import make_recommender

MODEL = make_recommender()


def answer(**request: Any) -> dict[str, Any]:
    return MODEL.recommend(parse_request(request)).to_json()


def refusal(body: dict[str, Any], model: Any = MODEL) -> RequestError:
    with pytest.raises(RequestError) as caught:
        predict_fn(input_fn(json.dumps(body), "application/json"), model)
    return caught.value


def test_the_song_that_is_described_comes_first_where_the_catalogue_has_it() -> None:
    for number in (1, 4, 8, 17):
        assert answer(songs=[raw_song(number)], num_recommendations=1)["recommendations"][0]["item_id"] == f"s{number}"


def test_without_a_known_song_content_answers_and_says_so() -> None:
    found = answer(songs=[raw_song(4)], explain=True, num_recommendations=3)
    assert found["fallback"] == "content"
    for recommendation in found["recommendations"]:
        (reason,) = recommendation["reasons"]
        assert reason == {"item_id": "song 1", "share": 1.0, "models": {"content": 1.0}}


def test_reasons_call_a_song_by_its_id_or_else_by_its_place() -> None:
    found = answer(songs=[{"artist": "artist 1", "item_id": "new!"}, {"artist": "artist 2"}], explain=True, num_recommendations=20)
    named = {reason["item_id"] for recommendation in found["recommendations"][:8] for reason in recommendation["reasons"]}
    assert named == {"new!", "song 2"}


def test_beside_known_songs_each_seed_has_its_share() -> None:
    known = answer(items=["s1"], num_recommendations=30)
    both = answer(items=["s1"], songs=[raw_song(4)], num_recommendations=30, explain=True)
    assert [r["item_id"] for r in known["recommendations"]] != [r["item_id"] for r in both["recommendations"]]
    named = {reason.get("item_id") for recommendation in both["recommendations"] for reason in recommendation["reasons"]}
    assert {"s1", "song 1"} <= named
    assert both["fallback"] is None or both["fallback"] == "popularity_fill"


def test_a_song_with_the_id_of_a_known_one_is_not_recommended() -> None:
    songs = [{**raw_song(4), "item_id": "s4"}]
    assert "s4" not in {r["item_id"] for r in answer(songs=songs, num_recommendations=30)["recommendations"]}
    assert "s4" in {r["item_id"] for r in answer(songs=songs, num_recommendations=30, exclude_seen=False)["recommendations"]}


def test_a_song_of_which_nothing_is_known_gets_the_most_popular() -> None:
    found = answer(songs=[{}], explain=True)
    assert found["fallback"] == "popularity"
    assert found["recommendations"][0]["item_id"] == "s0"


def test_the_score_is_the_sum_of_the_weighted_cosines() -> None:
    assert MODEL.transform is not None
    assert MODEL.features is not None
    scores = {r["item_id"]: r["score"] for r in answer(songs=[{"artist": ["guest"]}], num_recommendations=30)["recommendations"]}
    for number in range(30):
        artists = MODEL.features.row(number)["artists"]
        cosine = ("guest" in artists) / np.sqrt(max(len(artists), 1))
        expected = 0.3 * 0.4 * cosine  # weight of content in the hybrid, weight of the artists in the content
        assert scores[f"s{number}"] == pytest.approx(expected if cosine else 0.0, abs=1e-6)


@pytest.mark.parametrize(
    ("songs", "code", "words"),
    [
        ("x", "invalid_field", "'songs' must be a list"),
        ([7], "invalid_field", "'songs[0]' must be an object"),
        ([{"item_id": []}], "invalid_field", "'songs[0].item_id' must be a string"),
        ([{}] * (MAX_SONGS + 1), "invalid_field", "at most 100"),
        ([{}, {"energi": 0.5}], "unknown_field", 'songs[1]: No attribute of a song is called "energi". Did you mean "energy"?'),
    ],
)
def test_what_is_wrong_is_named(songs: Any, code: str, words: str) -> None:
    error = refusal({"songs": songs})
    assert (error.status, error.code) == (422, code)
    assert words in error.message


def test_a_model_without_features_says_what_to_send() -> None:
    bare = dataclasses.replace(MODEL, features=None, transform=None, similarity=None)
    error = refusal({"songs": [{}]}, bare)
    assert (error.status, error.code) == (422, "no_features")
    assert "items" in error.message


def test_in_a_batch_a_song_with_an_unknown_attribute_costs_its_own_line() -> None:
    body = "\n".join(json.dumps(request) for request in ({"songs": [{"energi": 1}]}, {"user_id": "u0"}))
    lines, _ = output_fn(predict_fn(input_fn(body, "application/jsonlines"), MODEL), None)
    first, second = map(json.loads, lines.splitlines())
    assert (first["status"], second["status"]) == ("error", "success")
    assert first["error"]["code"] == "unknown_field"


def test_null_attributes_are_none() -> None:
    assert answer(songs=[{"artist": "artist 1", "item_id": None, "genre": None}]) == answer(songs=[{"artist": "artist 1"}])


@pytest.mark.parametrize("value", [[[["a"]]], {"a": 1}, [{"a": 1}]])
def test_an_attribute_that_is_nested_is_refused(value: Any) -> None:
    error = refusal({"songs": [{"artist": value}]})
    assert (error.status, error.code) == (422, "invalid_field")


def test_a_song_of_very_many_genres_is_refused() -> None:
    error = refusal({"songs": [{"genre": [f"genre {number}" for number in range(5000)]}]})
    assert (error.status, error.code) == (422, "invalid_field")
    assert "at most 100 names" in error.message


@pytest.mark.parametrize(
    ("attribute", "value"), [("key", "c" + " " * 5000 + "!"), ("energy", "1" * 50_000 + "x"), ("duration", "1" * 50_000)]
)
def test_no_value_takes_a_time_that_grows_faster_than_its_length(attribute: str, value: str) -> None:
    begin = time.perf_counter()
    answer(songs=[{"artist": "artist 1", attribute: value}])
    assert time.perf_counter() - begin < 1
