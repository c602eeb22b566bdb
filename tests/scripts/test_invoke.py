"""What is asked, and how answers and refusals are shown. The real server is asked in test_serve.py."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from scripts import invoke
from scripts.answer_table import describe_answer, read_catalogue
from scripts.command_line import CommandError
from tests.integration.serving import free_port


def asked(*arguments: str) -> Any:
    body, content_type = invoke.body_of(invoke.parse_arguments(arguments))
    assert content_type == "application/json"
    return json.loads(body)


def test_options_become_the_request() -> None:
    assert asked(
        "--user", "u1", "--items", "a", "x,y - Hello, Goodbye", "--events", "c", "--exclude", "d", "--num", "3", "--explain", "--raw"
    ) == {
        "user_id": "u1",
        "items": ["a", "x,y - Hello, Goodbye"],
        "events": [{"item_id": "c"}],
        "exclude": ["d"],
        "num_recommendations": 3,
        "explain": True,
    }


def test_a_table_asks_for_titles() -> None:
    assert asked("--candidates", "a", "--user", "u1") == {"user_id": "u1", "candidates": ["a"], "metadata": True}


def test_a_context_is_given_field_by_field() -> None:
    assert asked("--context", "name=road trip", "country=DE", "--raw") == {"context": {"name": "road trip", "country": "DE"}}


def test_json_goes_out_as_it_is() -> None:
    assert invoke.body_of(invoke.parse_arguments(["--json", "{not json"])) == (b"{not json", "application/json")


@pytest.mark.parametrize(
    ("name", "content_type"), [("a.json", "application/json"), ("a.jsonl", "application/jsonlines"), ("a.csv", "text/csv")]
)
def test_a_file_goes_out_with_the_type_of_its_ending(tmp_path: Path, name: str, content_type: str) -> None:
    (tmp_path / name).write_bytes(b"u1\n")
    assert invoke.body_of(invoke.parse_arguments(["--file", str(tmp_path / name)])) == (b"u1\n", content_type)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "nothing to ask"),
        (["--num", "3"], "nothing to ask"),
        (["--file", "a.txt"], "the ending must be one of .json, .jsonl, .csv"),
        (["--file", "missing.csv"], "missing.csv cannot be read: No such file"),
        (["--user", "u1", "--url", "localhost:8080"], "an address like http://127.0.0.1:8080"),
        (["--user", "u1", "--url", "http://127.0.0.1:abc"], "an address like http://127.0.0.1:8080"),
        (["--user", "u1", "--url", "http://["], "an address like http://127.0.0.1:8080"),
        (["--user", "u1", "--target-model", "a.tar.gz"], "--target-model is for --endpoint only"),
        (["--user", "u1", "--endpoint", "m", "--endpoint-url", "foo"], "an address like http://127.0.0.1:8081"),
        (["--user", "u1", "--catalogue", "missing.csv"], "missing.csv cannot be read"),
    ],
)
def test_a_mistake_is_said(arguments: list[str], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        invoke.main(arguments)


def test_no_server_is_said_with_how_to_start_one() -> None:
    with pytest.raises(CommandError, match="start one with scripts/serve MODEL"):
        invoke.main(["--user", "u1", "--url", f"http://127.0.0.1:{free_port()}"])


ANSWER = {
    "user_id": "u1",
    "status": "success",
    "model_version": "7",
    "fallback": "popularity_fill",
    "unknown_items": ["x"],
    "recommendations": [
        {
            "item_id": "s9",
            "score": 0.83,
            "metadata": {"title": "Nine", "artists": "Trio"},
            "reasons": [{"item_id": "s2", "share": 0.61, "models": {"ease": 0.61}}, {"share": 0.39, "models": {"popularity": 0.39}}],
        },
        {"item_id": "s10", "score": 0.5, "metadata": {"title": "", "artists": ""}, "reasons": []},
    ],
}


def test_an_answer_is_a_table_of_rank_song_score_and_reasons() -> None:
    lines = describe_answer(json.dumps(ANSWER).encode(), {}).splitlines()
    assert lines == [
        "listener u1 · model 7 · filled up by popularity · not known: x",
        "#  song               score  because of",
        "1  Nine · Trio [s9]  0.8300  s2 61%, popularity 39%",
        "2  s10               0.5000",
    ]


def test_the_catalogue_gives_titles_to_songs_and_reasons(tmp_path: Path) -> None:
    (tmp_path / "songs.csv").write_text('track_id,Track_Name,artists\ns2,Two,Duo\ns9,"Nine, again",Trio\n', encoding="utf-8")
    titles = read_catalogue(tmp_path / "songs.csv")
    assert titles == {"s2": "Two · Duo", "s9": "Nine, again · Trio"}
    assert "1  Nine, again · Trio  0.8300  Two · Duo 61%, popularity 39%" in describe_answer(json.dumps(ANSWER).encode(), titles)


def test_a_catalogue_without_the_columns_says_which(tmp_path: Path) -> None:
    (tmp_path / "songs.csv").write_text("a,b\n1,2\n")
    with pytest.raises(CommandError, match="it needs a column item_id or track_id"):
        read_catalogue(tmp_path / "songs.csv")


def test_a_batch_shows_each_answer_and_each_error() -> None:
    error = {"status": "error", "error": {"code": "unknown_field", "message": "Unknown field", "request_id": None}}
    text = describe_answer("\n".join(json.dumps(one) for one in (ANSWER, error)).encode(), {})
    assert "Nine · Trio" in text
    assert text.endswith("\n\nerror unknown_field: Unknown field")


def test_csv_comes_back_as_it_is() -> None:
    assert describe_answer(b"u1,s9,s10\nu2,s1\n", {}) == "u1,s9,s10\nu2,s1"


def test_a_refusal_without_our_error_body_is_shown_too() -> None:
    assert invoke.refusal(invoke.Reply(502, b"Bad Gateway", 0.0)) == "the model refused (502): Bad Gateway"
