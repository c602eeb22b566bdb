"""Batch transform joins its input and the answers by the number of the line, so every line has one, whatever it holds."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import inference
from inference.errors import RequestError
from tests.inference.models import make_recommender

MODEL = make_recommender()
TYPES = ["application/jsonlines", "text/csv", "application/json"]


def answers(body: bytes, media: str, accept: str | None = None) -> list[str]:
    """Returns the lines that a batch transform job gets for a body."""
    written, _ = inference.output_fn(inference.predict_fn(inference.lines_fn(body, media), MODEL), accept)
    return written.decode("utf-8").split("\n")


def codes(lines: list[str]) -> list[str]:
    """Returns for each line of JSON the code of its error, or "success"."""
    documents = [json.loads(line) for line in lines]
    return [d["error"]["code"] if d["status"] == "error" else "success" for d in documents]


def test_empty_and_unreadable_lines_have_an_error_in_their_place() -> None:
    body = b'{"user_id": "u1"}\n\n{"user_id": \n{"nope": 1}\r\n\xff\xfe\n[]\n  \n{"user_id": "u2"}'
    expected = ["success", "empty_line", "malformed_json", "unknown_field", "not_utf8", "invalid_request", "empty_line", "success"]
    assert codes(answers(body, "application/jsonlines")) == expected


@pytest.mark.parametrize("body", [b'{"user_id": "u1"}\n{"user_id": "u2"}', b'{"user_id": "u1"}\r\n{"user_id": "u2"}\r\n'])
def test_the_last_line_counts_with_and_without_its_end(body: bytes) -> None:
    for media in ("application/jsonlines", "application/json"):
        assert codes(answers(body, media)) == ["success", "success"]


def test_rows_of_csv_are_cut_where_the_platform_cuts_them() -> None:
    lines = answers(b'u1\n\n"u1\n,s1,"s2"\nu\rx\nu2\n', "text/csv")
    assert [line.split(",")[0] for line in lines] == ["u1", "ERROR", "ERROR", "", "ERROR", "u2"]
    assert lines[1] == "ERROR,The line is empty."


def test_a_header_names_the_cells_of_its_body_and_is_told_apart_from_an_answer() -> None:
    lines = answers(b"user_id,num_recommendations\nu1,2\nu2,3\n", "text/csv")
    assert lines[0].startswith('ERROR,"This line is a header')
    assert [len(line.split(",")) for line in lines[1:]] == [3, 4]


def test_under_a_header_with_an_unknown_column_no_row_is_guessed_at() -> None:
    assert codes(answers(b"user_id,wrong\nu1,2\nu2,3\n", "text/csv", "application/jsonlines")) == ["unknown_field"] * 3


def test_one_document_over_several_lines_is_one_record_and_a_list_is_answered_with_a_list() -> None:
    assert codes(answers(b'{\n"user_id":\n"u1"\n}\n', "application/json")) == ["success"]
    [document] = answers(b'[{"user_id": "u1"},\n{"nope": 1}]', "application/json")
    assert [answer["status"] for answer in json.loads(document)] == ["success", "error"]


def test_an_id_that_breaks_the_line_breaks_no_answer_in_two() -> None:
    [line] = answers(b'{"user_id": "a\\nb"}', "application/jsonlines", "text/csv")
    assert line.startswith('ERROR,"An id of the answer has a line break')
    [line] = answers(b'{"user_id": "a\\nb"}', "application/jsonlines", "application/json")
    assert json.loads(line)["user_id"] == "a\nb"


def test_personalize_lines_keep_their_own_form() -> None:
    first, second = (json.loads(line) for line in answers(b'{"userId": "u1"}\n{"userId": ""}', "application/jsonlines"))
    assert (first["input"], first["error"]) == ({"userId": "u1"}, None)
    assert second["output"] is None


def test_more_lines_than_a_body_may_have_are_refused_as_a_whole() -> None:
    with pytest.raises(RequestError, match="more than 10000 requests"):
        inference.lines_fn(b"u1\n" * 10_001, "text/csv")


some_lines = st.sampled_from([b'{"user_id": "u1"}', b'{"items": ["s1"]}', b"{", b"", b" ", b"u1", b",s1", b'"', b"\r", b"null", b"u1,s1\r"])
any_line = st.binary(max_size=30).map(lambda line: line.replace(b"\n", b"").lstrip(b" \t\r[\xef"))


@pytest.mark.parametrize("media", TYPES)
@pytest.mark.parametrize("accept", [None, *TYPES])
@given(lines=st.lists(some_lines | any_line, min_size=1, max_size=6), ended=st.booleans())
@settings(max_examples=60, deadline=None)
def test_there_are_as_many_lines_out_as_in_and_one_by_one_they_are_the_same(
    media: str, accept: str | None, lines: list[bytes], ended: bool
) -> None:
    body = b"\n".join(lines) + b"\n" * (ended or not lines[-1])
    together = answers(body, media, accept)
    assert len(together) == len(lines)
    one_by_one = [answer for line in lines for answer in answers(line, media, accept)]
    assert together == one_by_one
