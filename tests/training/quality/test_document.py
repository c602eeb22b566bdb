"""The document of a small catalogue and a few listeners, each number of it counted by head; the same data give the same document."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.training.quality.small_data import Document, Good, document_of, hostile_dataset, texts_of
from training.quality.document import quality_document
from training.quality.wording import JOINERS

SONGS = """id,title,artist,genre,year,energy,Notes
s1,One,Ann;Bob,rock|pop,1999,0.5,x
s2,Two,Bob,rock,,0.7,y
s3,Three,,,2005,,
s1,One,Ann;Bob,jazz,1999,,
,Without an id,Ann,rock,2000,0.1,
"""
EVENTS = """user,item,time
u1,s1,2020-01-01
u1,s1,2020-01-05
u1,s2,
u2,s1,2020-02-01T12:00:00Z
u2,gone,2020-01-03
,s1,2020-01-01
u3
"""
FILES = {
    "items/songs.csv": SONGS,
    "interactions/events.csv": EVENTS,
    "users/users.csv": "user_id\nu1\nu9\nu1\n",
    "test/events.csv": "user,item\nu2,s2\nu1,s3\nu1,s1\n",
}


@pytest.fixture
def document(tmp_path: Path) -> Document:
    return document_of(tmp_path, FILES)


def column(document: Document, name: str) -> dict[str, Any]:
    (found,) = [column for column in document["catalogue"]["columns"] if column["name"] == name]
    return found


def test_the_totals_are_what_was_read_and_what_is_known(document: Document) -> None:
    assert document["totals"] == {
        "songs": 4,
        "songs_in_catalogue": 3,
        "listeners": 3,
        "entries": 4,
        "rows_read": {"interactions": 7, "items": 5, "test": 3, "users": 3},
    }


def test_who_listened_to_what_is_counted(document: Document) -> None:
    found = document["interactions"]
    assert (found["entries"], found["listeners"], found["songs"], found["listeners_without_entries"]) == (4, 2, 3, 1)
    assert (found["density"], found["sparsity"]) == (0.666667, 0.333333)
    assert [found["songs_per_listener"][name] for name in ("min", "median", "max", "mean", "once")] == [2, 2, 2, 2, 0]
    assert [found["listeners_per_song"][name] for name in ("min", "median", "max", "once")] == [1, 1, 2, 2]
    assert found["most_played"][0] == {"id": "s1", "title": "One", "artist": "Ann, Bob", "listeners": 2, "share_of_listeners": 1}
    assert [song["id"] for song in found["most_played"]] == ["s1", "gone", "s2"]
    assert found["most_played"][1]["title"] == ""


def test_songs_that_only_one_side_knows_are_counted(document: Document) -> None:
    assert document["interactions"]["catalogue"] == {
        "orphan_songs": 1,
        "orphan_songs_share": 0.333333,
        "orphan_entries": 1,
        "orphan_entries_share": 0.25,
        "cold_songs": 1,
        "cold_songs_share": 0.333333,
    }


def test_the_range_of_the_times_is_of_the_last_event_of_each_pair(document: Document) -> None:
    times = document["interactions"]["times"]
    assert (times["first"], times["last"], times["missing"], times["missing_share"]) == (
        "2020-01-03T00:00:00Z",
        "2020-02-01T12:00:00Z",
        1,
        0.25,
    )
    assert (times["unit"], times["periods"][0], times["periods"][-1], len(times["periods"])) == ("day", "2020-01-03", "2020-02-01", 30)
    assert [place for place, n in enumerate(times["counts"]) if n] == [0, 2, 29]


def test_the_channel_test_is_described_for_itself(document: Document) -> None:
    found = document["test"]
    assert (found["entries"], found["listeners"], found["songs"], found["times"]) == (3, 2, 3, None)
    assert found["catalogue"]["orphan_songs"] == 0
    assert document["counts"]["test.entries_also_in_interactions"] == 1


@pytest.mark.parametrize(
    ("name", "missing", "distinct"), [("title", 0, 3), ("artist", 1, 2), ("genre", 1, 3), ("year", 1, 2), ("energy", 1, 2), ("key", 3, 0)]
)
def test_what_is_missing_is_counted_in_songs_not_in_rows(document: Document, name: str, missing: int, distinct: int) -> None:
    found = column(document, name)
    assert (found["missing"], found["missing_share"], found["distinct"]) == (missing, pytest.approx(missing / 3, abs=1e-6), distinct)
    assert found["column"] == (None if name == "key" else name)


def test_the_genres_are_those_of_all_rows_of_a_song(document: Document) -> None:
    found = column(document, "genre")
    assert found["top"] == [
        {"value": "rock", "count": 2, "share": 0.666667},
        {"value": "jazz", "count": 1, "share": 0.333333},
        {"value": "pop", "count": 1, "share": 0.333333},
    ]
    assert (found["per_song"], found["songs_per_name"]["max"]) == (2, 2)


def test_numbers_and_years_are_described(document: Document) -> None:
    assert (column(document, "energy")["min"], column(document, "energy")["max"]) == (0.5, 0.7)
    assert document["catalogue"]["years"] == {
        "first": 1999,
        "last": 2005,
        "covered": 2,
        "decades": [{"decade": 1990, "songs": 1}, {"decade": 2000, "songs": 1}],
    }


def test_the_files_are_listed_with_hash_size_and_columns(document: Document) -> None:
    assert {file["name"]: file["rows"] for file in document["files"]} == dict(zip(FILES, (5, 7, 3, 3), strict=True))
    for file in document["files"]:
        content = FILES[file["name"]].encode()
        assert (file["sha256"], file["size"], file["format"]) == (hashlib.sha256(content).hexdigest(), len(content), "CSV")
    songs = next(file for file in document["files"] if file["channel"] == "items")
    assert songs["used"] == {name if name != "id" else "item": name for name in ("id", "title", "artist", "genre", "year", "energy")}
    assert songs["not_used"] == ["Notes"]


def test_every_step_begins_with_the_rows_that_the_one_before_left(document: Document) -> None:
    rows = {"items": (5, 3), "interactions": (7, 4), "test": (3, 3)}
    for channel, (first, last) in rows.items():
        steps = [step for step in document["steps"] if step["channel"] == channel]
        assert (steps[0]["rows_in"], steps[-1]["rows_out"]) == (first, last)


def test_every_row_that_is_not_used_is_told_with_its_reason(document: Document) -> None:
    assert [(one["channel"], one["reason"], one["count"], one["unit"], one["settings"]) for one in document["left_out"]] == [
        ("interactions", "misshapen_row", 1, "rows", ["quality_misshapen_row"]),
        ("interactions", "missing_id", 1, "rows", ["quality_missing_id"]),
        ("items", "missing_id", 1, "rows", ["quality_missing_id"]),
    ]
    assert [one["share"] for one in document["left_out"]] == [0.142857, 0.142857, 0.2]
    assert document["duplicates"] == {
        "song_rows_merged": 1,
        "songs_of_same_title_and_artist": 0,
        "songs_merged_by_title_and_artist": 0,
        "event_rows_counted_together": 1,
        "listener_rows_merged": 1,
    }


def test_the_problems_have_examples_and_the_setting_that_changes_them(document: Document) -> None:
    found = {(one["channel"], one["kind"]): one for one in document["problems"] if one["count"]}
    orphan = found["interactions", "orphan_event"]
    assert (orphan["count"], orphan["rows"], orphan["share"], orphan["column"]) == (1, 7, 0.142857, "item")
    assert (orphan["weight"], orphan["severity"], orphan["action"]) == (0.142857, "high", "repair")
    assert orphan["examples"] == [{"file": "interactions/events.csv", "row": 5, "value": '"gone"'}]
    assert (orphan["setting"], orphan["choices"]) == ("quality_orphan_event", ["repair", "drop", "refuse"])
    assert [one["weight"] for one in document["problems"]] == sorted((one["weight"] for one in document["problems"]), reverse=True)


def test_what_was_looked_for_and_not_found_is_told_too(tmp_path: Path) -> None:
    problems = document_of(tmp_path, Good().files())["problems"]
    assert len(problems) == len({one["kind"] for one in problems}) == 11
    assert {(one["count"], one["weight"], one["severity"]) for one in problems} == {(0, 0, "none")}


SPREAD = [f"s{i},Song {i},artist {i % 7},genre {i % 3},{1990 + i % 9}" for i in range(30)]


def test_the_same_rows_in_other_files_give_the_same_document(tmp_path: Path) -> None:
    """But for the list of the files, and the places of the examples."""
    events = [f"u{i % 5},s{i % 13},{1_600_000_000 + 7 * i}" for i in range(40)]
    documents = []
    for turn in (1, -1):
        files = {}
        for part, (a, b, c, d) in enumerate(((0, 11, 0, 19), (11, 30, 19, 40))[::turn]):
            files[f"items/{part}.csv"] = "\n".join(["id,title,artist,genre,year", *SPREAD[a:b][::turn]])
            files[f"interactions/{part}.csv"] = "\n".join(["user,item,time", *events[c:d][::turn], "u1,gone,soon"])
        found = document_of(tmp_path / str(turn), dict(list(files.items())[::turn]))
        assert [file["rows"] for file in found.pop("files")] == [[20, 22, 11, 19], [22, 20, 19, 11]][turn == -1]
        for problem in found["problems"]:
            del problem["examples"]
        documents.append(json.dumps(found))
    assert documents[0] == documents[1]


def test_the_same_data_give_the_same_document_in_another_folder_and_process(tmp_path: Path) -> None:
    texts = [json.dumps(document_of(tmp_path / name, FILES)) for name in ("one", "other")]
    assert texts[0] == texts[1]
    program = (
        "import json, sys, pathlib; from tests.training.quality import test_document as t;"
        "print(json.dumps(t.document_of(pathlib.Path(sys.argv[1]), t.FILES)))"
    )
    variables = os.environ | {"PYTHONHASHSEED": "1234"}
    run = subprocess.run([sys.executable, "-c", program, tmp_path], capture_output=True, text=True, check=True, env=variables)
    assert run.stdout.strip() == texts[0]


def test_settings_that_are_not_at_their_default_are_listed(tmp_path: Path) -> None:
    assert document_of(tmp_path, FILES)["settings"] == {}
    own = {"quality_orphan_event": "drop", "weighting": "count", "features_numeric": "energy,year", "min_user_events": 2, "seed": 7}
    assert document_of(tmp_path, FILES, **own)["settings"] == {
        "data_weighting": "count",
        "data_min_user_events": 2,
        "quality_orphan_event": "drop",
        "features_numeric": ["energy", "year"],
    }


@pytest.mark.parametrize("channels", ["items", "interactions", "items interactions", "items interactions users test"])
def test_the_document_is_json_whatever_channels_there_are(tmp_path: Path, channels: str) -> None:
    document = document_of(tmp_path, {name: text for name, text in FILES.items() if name.split("/")[0] in channels.split()})
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert (document["catalogue"] is None) == ("items" not in channels.split())
    assert (document["interactions"] is None) == ("interactions" not in channels.split())
    assert (document["test"] is None) == ("test" not in channels.split())


def test_hostile_text_is_cut_and_cleaned_wherever_it_is(tmp_path: Path) -> None:
    document = quality_document(*hostile_dataset(tmp_path))
    text = json.dumps(document, allow_nan=False, ensure_ascii=False)
    text.encode("utf-8")  # no halves of characters
    found = list(texts_of(document))
    assert sum("<b>" in one for one in found) > 50
    assert all(character.isprintable() or character in JOINERS for one in found for character in one)
    sentences = {one[part] for one in document["attention"] for part in ("text", "advice")}
    assert max(len(one) for one in found if one not in sentences) <= 200
    assert max(map(len, sentences)) < 1500


def test_hostile_text_of_real_files_is_cleaned_too(tmp_path: Path) -> None:
    name = "<script>\u202e" + "c" * 10_000
    rows = [f'"i{i}<b>\0\u202e","t\u2028\x07{i}","g<i>","{"x" * 10_000}"' for i in range(3)]
    files = {"items/<b>.csv": "\n".join([f"id,title,genre,{name}", *rows])}
    document = document_of(tmp_path, files, features_categorical=name)
    assert all(character.isprintable() for one in texts_of(document) for character in one)
    assert max(map(len, texts_of(document))) < 500
    own = next(column for column in document["catalogue"]["columns"] if column["named"])
    assert own["name"] == own["column"] == f"<script>\ufffd{'c' * 70}…"
    assert document["files"][0]["name"] == "items/<b>.csv"
