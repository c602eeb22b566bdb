"""Bodies in, bodies out: the four functions on every media type, and what wrong input gets."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import inference
from inference.errors import RequestError
from inference.media_types import acceptable, content_type
from inference.request import REQUEST_FIELDS
from tests.inference.models import make_recommender

MODEL = make_recommender()


def call(body: bytes | str, media: str | None = "application/json", accept: str | None = None) -> tuple[bytes, str]:
    return inference.output_fn(inference.predict_fn(inference.input_fn(body, media), MODEL), accept)


def outcome(body: bytes | str, media: str = "application/json") -> tuple[int, bytes]:
    """Returns the status and the body; anything but an answer or a ``RequestError`` fails the test that asks."""
    try:
        return 200, call(body, media)[0]
    except RequestError as error:
        return error.status, error.message.encode("ascii")


def ask(body: Any, **options: Any) -> Any:
    return json.loads(call(json.dumps(body), **options)[0])


def test_one_object_is_answered_with_one() -> None:
    answer = ask({"user_id": "u0", "num_recommendations": 2})
    assert list(answer) == ["user_id", "status", "model_version", "fallback", "recommendations"]
    assert answer["status"] == "success"
    assert len(answer["recommendations"]) == 2


def test_a_list_is_answered_with_a_list_in_order_and_a_bad_one_is_an_error_of_its_own() -> None:
    answers = ask([{"user_id": "u1"}, {"nonsense": 1}, {"items": ["s1"]}])
    assert [a["status"] for a in answers] == ["success", "error", "success"]
    assert answers[1]["error"]["code"] == "unknown_field"


def test_json_lines_keep_the_number_and_order_of_lines() -> None:
    body, media = call('{"user_id":"u1"}\n{broken\n{"user_id":"nobody"}\r\n', "application/jsonlines; charset=utf-8")
    answers = [json.loads(line) for line in body.decode().splitlines()]
    assert media == "application/jsonlines"
    assert [a["status"] for a in answers] == ["success", "error", "success"]
    assert answers[2]["fallback"] == "popularity"


def test_csv_without_a_header_is_listener_then_seeds() -> None:
    body, media = call("u1\n,s1,s2\nnobody\n", "text/csv")
    rows = list(csv.reader(io.StringIO(body.decode())))
    assert media == "text/csv"
    assert [row[0] for row in rows] == ["u1", "", "nobody"]
    assert rows[1][1:] == [r["item_id"] for r in ask({"items": ["s1", "s2"]})["recommendations"]]


def test_csv_with_a_header_names_its_columns() -> None:
    body, _ = call('user_id,items,num_recommendations\nu1,,3\n,"s1|s2",1\n,,\n', "text/csv")
    rows = list(csv.reader(io.StringIO(body.decode())))
    assert [len(row) - 1 for row in rows[:2]] == [3, 1]
    assert rows[2][0] == "ERROR"


def test_an_id_with_commas_quotes_and_newlines_survives_csv() -> None:
    nasty = 'a,"b"\nc'
    out = io.StringIO()
    csv.writer(out).writerow([nasty])
    body, _ = call(out.getvalue(), "text/csv")
    assert next(csv.reader(io.StringIO(body.decode(), newline="")))[0] == nasty


def test_the_answer_comes_in_the_type_that_accept_asks_for() -> None:
    assert call('{"user_id":"u1"}', accept="text/csv")[1] == "text/csv"
    assert call('{"user_id":"u1"}', accept="application/jsonlines")[1] == "application/jsonlines"
    assert call("u1", "text/csv", accept="application/json")[1] == "application/json"


def test_personalize_requests_get_personalize_answers() -> None:
    recommended = ask({"userId": "u1", "numResults": 3})
    assert [set(item) for item in recommended["itemList"]] == [{"itemId", "score"}] * 3
    ranked = ask({"userId": "u1", "inputList": ["s1", "s2"]})
    assert {item["itemId"] for item in ranked["personalizedRanking"]} == {"s1", "s2"}
    similar = ask({"itemId": "s1"})
    assert len(similar["itemList"]) == 25  # Personalize's own default


def test_personalize_batch_lines_hold_input_output_and_error() -> None:
    body, _ = call('{"userId": "u1"}\n{"userId": "u1", "numResults": 0}\n', "application/jsonlines")
    first, second = [json.loads(line) for line in body.decode().splitlines()]
    assert first["input"] == {"userId": "u1"}
    assert len(first["output"]["recommendedItems"]) == len(first["output"]["scores"]) > 10
    assert first["error"] is None
    assert second["output"] is None
    assert "1 to 1000" in second["error"]


WRONG = [
    ("", "application/json", 400, "empty_body"),
    ("  \n", "text/csv", 400, "empty_body"),
    ("{", "application/json", 400, "malformed_json"),
    ('{"user_id": NaN}', "application/json", 400, "malformed_json"),
    ("[" * 100_000, "application/json", 400, "malformed_json"),
    ("1" * 10_000, "application/json", 400, "malformed_json"),
    (b"\xff\xfe", "application/json", 400, "not_utf8"),
    ('"text', "text/csv", 400, "malformed_csv"),
    ("user_id,item\nu1,s1", "text/csv", 422, "unknown_field"),
    ("{}", "application/xml", 415, "unsupported_content_type"),
    ("{}", "application/x-npy", 415, "unsupported_content_type"),
    ("{}", "application/json; charset=latin-1", 415, "unsupported_charset"),
    ("null", "application/json", 422, "invalid_request"),
    ("{}", "application/json", 422, "empty_request"),
    ('{"items": []}', "application/json", 422, "empty_request"),
    ('{"user": "u1"}', "application/json", 422, "unknown_field"),
    ('{"user_id": 1.5}', "application/json", 422, "invalid_field"),
    ('{"user_id": true}', "application/json", 422, "invalid_field"),
    ('{"user_id": ""}', "application/json", 422, "invalid_field"),
    ('{"user_id": "' + "x" * 1001 + '"}', "application/json", 422, "invalid_field"),
    ('{"items": "s1"}', "application/json", 422, "invalid_field"),
    ('{"items": [null]}', "application/json", 422, "invalid_field"),
    ('{"events": [{"item": "s1"}]}', "application/json", 422, "unknown_field"),
    ('{"events": [{}]}', "application/json", 422, "invalid_field"),
    ('{"events": ["s1"]}', "application/json", 422, "invalid_field"),
    ('{"events": [{"item_id": "s1", "event_value": "5"}]}', "application/json", 422, "invalid_field"),
    ('{"events": [{"item_id": "s1", "timestamp": 1e999}]}', "application/json", 422, "invalid_field"),
    ('{"events": [{"item_id": "s1", "timestamp": ' + "9" * 400 + "}]}", "application/json", 422, "invalid_field"),
    ('{"user_id": "u1", "num_recommendations": 0}', "application/json", 422, "invalid_field"),
    ('{"user_id": "u1", "num_recommendations": 1001}', "application/json", 422, "invalid_field"),
    ('{"user_id": "u1", "num_recommendations": "10"}', "application/json", 422, "invalid_field"),
    ('{"user_id": "u1", "explain": 1}', "application/json", 422, "invalid_field"),
    ('{"userId": "u1", "user_id": "u1"}', "application/json", 422, "unknown_field"),
    ('{"userId": "u1", "inputList": ["s1"], "itemList": ["s1"]}', "application/json", 422, "invalid_field"),
    ('{"gemäß☃": 1}', "application/json", 422, "unknown_field"),
]


@pytest.mark.parametrize(("body", "media", "status", "code"), WRONG)
def test_wrong_input_gets_its_status_and_an_ascii_sentence(body: bytes | str, media: str, status: int, code: str) -> None:
    with pytest.raises(RequestError) as caught:
        call(body, media)
    assert (caught.value.status, caught.value.code) == (status, code)
    assert caught.value.message.isascii()
    assert "\n" not in caught.value.message


def test_an_unknown_field_is_answered_with_the_nearest_known_one() -> None:
    with pytest.raises(RequestError, match="Did you mean 'num_recommendations'"):
        call('{"user_id": "u1", "num_recomendations": 3}')


@pytest.mark.parametrize("media", ["application/json", "application/jsonlines", "text/csv"])
@given(body=st.binary(max_size=200) | st.text(max_size=200).map(lambda t: t.encode("utf-8", "surrogatepass")))
@settings(max_examples=200)
def test_any_bytes_are_answered_or_refused_as_the_callers_mistake(media: str, body: bytes) -> None:
    status, answer = outcome(body, media)
    assert status in (200, 400, 422)
    answer.decode("utf-8")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*"ab", "user_id", "items", "events", "item_id"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(value=st.dictionaries(st.sampled_from(REQUEST_FIELDS), json_values, max_size=4))
@settings(max_examples=300)
def test_any_json_object_is_answered_or_refused_as_the_callers_mistake(value: dict[str, Any]) -> None:
    status, answer = outcome(json.dumps(value))
    assert status in (200, 422)
    assert status == 422 or json.loads(answer)["status"] == "success"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, "application/json"),
        ("", "application/json"),
        ("Application/JSON ; Charset=UTF-8", "application/json"),
        ("application/x-ndjson", "application/jsonlines"),
        ('text/csv; header="absent"', "text/csv"),
    ],
)
def test_content_types_are_read_with_their_parameters(header: str | None, expected: str) -> None:
    assert content_type(header) == expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, "text/csv"),
        ("*/*", "text/csv"),
        ("application/json, */*", "application/json"),
        ("text/html, application/json;q=0.9, */*;q=0.1", "application/json"),
        ("application/*", "application/json"),
        ("text/csv;q=0, */*", "application/json"),
        ("text/*;q=0, */*", "application/json"),
        ("*/*;q=0, text/csv;q=0.1", "text/csv"),
        ("application/jsonlines;q=0.5, application/json;q=0.6", "application/json"),
    ],
)
def test_accept_is_read_with_its_weights(header: str | None, expected: str) -> None:
    assert acceptable(header, "text/csv") == expected


@pytest.mark.parametrize("header", ["text/html", "application/json;q=0", "image/*", ";;;", "a" * 5000])
def test_an_accept_that_cannot_be_met_is_406(header: str) -> None:
    with pytest.raises(RequestError) as caught:
        acceptable(header, "application/json")
    assert caught.value.status == 406


def test_a_number_beyond_all_floats_costs_its_own_line_only() -> None:
    body = '{"user_id": "u0"}\n{"userId": "u0", "numResults": 1e999}\n'
    first, second = (json.loads(line) for line in call(body, "application/jsonlines")[0].splitlines())
    assert first["status"] == "success"
    assert (second["input"], second["output"]) == (None, None)
    assert "num_recommendations" in second["error"]


def test_a_cell_may_hold_as_many_songs_as_a_list_in_json() -> None:
    songs = "|".join(f"a-song-with-a-long-id-{i}" for i in range(9000))
    assert call(f"user_id,candidates\nu0,{songs}|s1\n", "text/csv")[0] == b"u0,s1\n"
