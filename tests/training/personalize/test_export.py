"""What is written for Amazon Personalize: its columns and types, what is refused, and what is changed and counted."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import fastavro
import numpy as np
import pytest

from inference.features.values import normal
from tests.training.personalize.catalogues import events, full_catalogue, plain_catalogue, texts
from training.data.dataset import Labels
from training.data.errors import UserDataError
from training.personalize.event_columns import EventPolicy
from training.personalize.export import write_interactions, write_items, write_users
from training.personalize.item_columns import written_names

EVENTS = [("u1", "s1", 10, "play", 1.0), ("u2", "s2", 20, "like", None), ("u1", "s2", 30, "play", 2.5)]


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, escapechar="\\", doublequote=False))


def types(path: Path) -> dict[str, Any]:
    schema = json.loads(path.read_text())
    fastavro.parse_schema(schema)
    return {field["name"]: field["type"] for field in schema["fields"]}


def test_interactions_have_the_columns_that_the_events_have(tmp_path: Path) -> None:
    written = write_interactions(iter([events(EVENTS[:2]), events(EVENTS[2:])]), tmp_path)
    assert written.data.read_text() == (
        "USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE,EVENT_VALUE\nu1,s1,10,play,1\nu2,s2,20,like,\nu1,s2,30,play,2.5\n"
    )
    assert types(written.schema) == {
        "USER_ID": "string",
        "ITEM_ID": "string",
        "TIMESTAMP": "long",
        "EVENT_TYPE": "string",
        "EVENT_VALUE": ["null", "float"],
    }
    bare = write_interactions(iter([events(EVENTS, columns="")]), tmp_path)
    assert list(types(bare.schema)) == ["USER_ID", "ITEM_ID", "TIMESTAMP"]
    assert (bare.rows, dict(bare.counts)) == (3, {})


def test_events_without_a_time_are_refused_and_named(tmp_path: Path) -> None:
    tables = [events(EVENTS), events([("u3", "s1", 40, None, None), ('u"9', "s7", None, None, None)])]
    with pytest.raises(UserDataError, match=r'event 5 \(listener "u"9", song "s7"\) has no time.*--first-time'):
        write_interactions(iter(tables), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_events_without_a_time_are_numbered_in_their_order_if_asked(tmp_path: Path) -> None:
    tables = [events([("u", "a", None, None, None), ("u", "b", 7, None, None)]), events([("u", "c", None, None, None)])]
    written = write_interactions(iter(tables), tmp_path, EventPolicy(first_time=1000))
    assert [(row["ITEM_ID"], row["TIMESTAMP"]) for row in rows(written.data)] == [("a", "1000"), ("b", "7"), ("c", "1001")]
    assert written.counts["times_numbered"] == 2


def test_what_interactions_can_not_hold_is_changed_and_counted(tmp_path: Path) -> None:
    table = events([("u", "a", 1, None, 1e300), ("u", "b", 2, "two\nlines", float("nan")), ("u", "c", 3, "play", 1e-7)])
    written = write_interactions(iter([table]), tmp_path)
    assert [(row["EVENT_TYPE"], row["EVENT_VALUE"]) for row in rows(written.data)] == [
        ("unspecified", ""),
        ("two lines", ""),
        ("play", "1e-7"),
    ]
    assert dict(written.counts) == {"types_missing": 1, "line_breaks_removed": 1, "values_too_large": 2}


@pytest.mark.parametrize(("user", "has"), [("two\nlines", "a line break"), ("x" * 257, "257 characters"), ("", "0 characters")])
def test_ids_that_can_not_be_are_refused_or_left_out_but_never_in_silence(tmp_path: Path, user: str, has: str) -> None:
    table = events([("u1", "s1", 1, "play", 1.0), (user, "s1", 1, "play", 1.0)])
    with pytest.raises(UserDataError, match=f"event 2: its USER_ID .* has {has}.*--drop-unfit-ids"):
        write_interactions(iter([table]), tmp_path)
    written = write_interactions(iter([table]), tmp_path, EventPolicy(drop_unfit=True))
    assert (written.rows, written.counts["rows_with_unfit_id"]) == (1, 1)
    users = write_users(["u1", user], np.array([1, 1]), tmp_path, drop_unfit=True)
    assert (users.rows, users.counts["rows_with_unfit_id"]) == (1, 1)
    with pytest.raises(UserDataError, match="all of them have ids"):
        write_interactions(iter([table.slice(1)]), tmp_path, EventPolicy(drop_unfit=True))


def test_no_events_are_no_dataset(tmp_path: Path) -> None:
    for tables in ([], [events([])]):
        with pytest.raises(UserDataError, match="no event"):
            write_interactions(iter(tables), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_amazon_personalize_will_not_train_on_is_said(tmp_path: Path) -> None:
    few = write_interactions(iter([events(EVENTS)]), tmp_path)
    assert [note.split(":")[0] for note in few.notes] == ["3 interactions", "1 listeners have 2 or more interactions"]
    many = [(f"u{n % 25}", f"s{n}", n, f"type {n % 8}", 1.0) for n in range(1000)]
    assert write_interactions(iter([events(many[:3]), events(many[3:])]), tmp_path).notes == []
    nine = [(f"u{n % 25}", f"s{n}", n, f"type {n % 9}", 1.0) for n in range(1000)]
    assert write_interactions(iter([events(nine)]), tmp_path).notes == [
        "9 event types or more: beside 2 optional columns Amazon Personalize takes 8"
    ]


def test_items_have_a_field_for_all_that_is_known(tmp_path: Path) -> None:
    written = write_items(["a", "b", "c", "d"], full_catalogue(), tmp_path)
    nullable = {name: kind for name, kind in types(written.schema).items() if name != "ITEM_ID"}
    assert all(kind[0] == "null" for kind in nullable.values())
    first, second, third = rows(written.data)
    assert first == {
        "ITEM_ID": "a",
        "TITLE": 'Say "Yes", Please',
        "ARTISTS": "Tyler, The Creator|Kali Uchis",
        "GENRES": "hip hop|r&b/soul",
        "ALBUM": "Flower Boy",
        "RELEASE_YEAR": "2017",
        "POPULARITY": "81",
        "DANCEABILITY": "0.1",
        "LOUDNESS": "-6.85",
        "TEMPO": "120.02",
        "DURATION_MS": "227413",
        "KEY": "C#",
        "MODE": "major",
        "EXPLICIT": "yes",
        "GOOD_FOR_PARTY": "yes",
        "PRICE_EUR": "1.29",
    }
    assert (second["TITLE"], second["ALBUM"], second["LOUDNESS"], second["KEY"]) == ("Line Break", "x / y", "", "B")
    assert {value for name, value in third.items() if name not in ("ITEM_ID", "PRICE_EUR")} == {""}
    assert dict(written.counts) == {"bars_replaced": 2, "line_breaks_removed": 1, "songs_only_in_events": 1}
    assert written.notes == ["embeddings cover left out: Amazon Personalize has no fields for vectors"]


def test_texts_are_categories_and_titles_are_not(tmp_path: Path) -> None:
    fields = json.loads(write_items(["a", "b", "c", "d"], full_catalogue(), tmp_path).schema.read_text())["fields"]
    texts_of = {field["name"]: field for field in fields if "string" in field["type"]}
    assert {name for name, field in texts_of.items() if not field.get("categorical")} == {"ITEM_ID", "TITLE"}
    assert not any(field.get("textual") for field in fields)


def test_what_is_too_long_is_cut_between_categories_and_counted(tmp_path: Path) -> None:
    genres = tuple(f"genre number {n:03}" for n in range(100))
    catalogue = replace(plain_catalogue(2), genres=[genres, ("x" * 1001,)], titles=texts(["t" * 1200, "t"]))
    written = write_items(["a", "b"], catalogue, tmp_path)
    first, second = rows(written.data)
    assert first["GENRES"] == "|".join(genres[:58])
    assert len(first["GENRES"]) <= 1000 < len("|".join(genres[:59]))
    assert (len(first["TITLE"]), len(second["GENRES"])) == (1000, 1000)
    assert written.counts["values_cut"] == 3


def test_columns_whose_names_would_be_one_get_a_number(tmp_path: Path) -> None:
    numbers = {name: np.ones(1, np.float32) for name in ("Plays", "pl ays", "PLAYS", "item-id", "2024", "плеи")}
    names = list(types(write_items(["a"], replace(plain_catalogue(1), numbers=numbers), tmp_path).schema))
    assert names == ["ITEM_ID", "PLAYS", "PL_AYS_2", "PLAYS_3", "ITEM_ID_2", "FIELD_2024", "FIELD"]


def test_a_catalogue_of_ids_alone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserDataError, match="Items need a metadata field"):
        write_items(["a"], plain_catalogue(1), tmp_path)
    with pytest.raises(UserDataError, match="100 metadata fields; there are 101"):
        write_items(["a"], replace(plain_catalogue(1), numbers={f"n{n}": np.ones(1, np.float32) for n in range(101)}), tmp_path)


def test_a_label_without_songs_has_no_field(tmp_path: Path) -> None:
    labels = {"album": Labels(np.array([0], np.int32), ("x",)), "emotion": Labels(np.array([-1], np.int32), ("joy",))}
    assert list(types(write_items(["a"], replace(plain_catalogue(1), labels=labels), tmp_path).schema)) == ["ITEM_ID", "ALBUM"]


def test_users_have_the_number_of_their_songs(tmp_path: Path) -> None:
    written = write_users(["u1", "u,2"], np.array([3, 0]), tmp_path)
    assert written.data.read_text() == 'USER_ID,SONG_COUNT\nu1,3\n"u,2",0\n'
    assert types(written.schema) == {"USER_ID": "string", "SONG_COUNT": "int"}


@pytest.mark.parametrize(
    "names", [["Tyler, The Creator"], ["Earth, Wind & Fire", "The Emotions"], ["A"], [], ["Crosby, Stills, Nash & Young", "A, B", "C"]]
)
def test_artists_are_written_as_the_file_writes_them(names: list[str]) -> None:
    assert written_names(", ".join(names), [normal(name) for name in names]) == names


def test_artists_whose_text_says_something_else_are_written_in_normal_form() -> None:
    assert written_names("A feat. B", ["a", "b"]) == ["a", "b"]
    assert written_names("A, B, C", ["a", "b"]) == ["a", "b"]
