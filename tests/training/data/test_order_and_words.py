"""Positions in lists as order, and the channel of listeners as words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from training.config import TrainingConfig
from training.data.dataset import MISSING_TIME, Dataset
from training.data.errors import UserDataError
from training.data.event_rows import event_rows

Extract = Callable[..., Dataset]
LISTS = "playlist_id,song_id,position\np,a,2\np,b,0\np,c,1\nq,a,0\n"


def test_positions_are_the_order_where_nothing_has_a_time(extract_files: Extract) -> None:
    events = extract_files({"train/a.csv": LISTS}).interactions
    assert events.timestamps is None
    assert events.positions is not None
    assert events.order is events.positions
    assert events.positions.tolist() == [2, 0, 1, 0]


def test_positions_are_never_taken_for_times(extract_files: Extract) -> None:
    timed = LISTS.replace("position", "position,timestamp").replace("\np,a,2\n", "\np,a,2,1000\n").replace(",0\n", ",0,2000\n")
    events = extract_files({"train/a.csv": timed.replace("c,1\n", "c,1,\n")}).interactions
    assert events.positions is None
    assert events.timestamps is not None
    assert events.timestamps.tolist() == [1000, 2000, MISSING_TIME, 2000]


def test_times_in_one_file_leave_the_positions_of_another_unread(extract_files: Extract) -> None:
    events = extract_files({"train/a.csv": LISTS, "train/b.csv": "playlist_id,song_id,timestamp\nr,a,77\n"}).interactions
    assert events.positions is None
    assert events.timestamps is not None
    assert events.timestamps.tolist() == [MISSING_TIME] * 4 + [77]


def test_the_last_place_of_a_song_in_a_list_counts(extract_files: Extract) -> None:
    events = extract_files({"train/a.csv": LISTS + "p,b,9\n"}).interactions
    assert events.positions is not None
    assert events.positions.tolist() == [2, 9, 1, 0]


def test_a_position_that_is_no_number_is_unknown_and_reported(extract_files: Extract) -> None:
    dataset = extract_files({"train/a.csv": LISTS.replace("b,0", "b,first")})
    assert dataset.interactions.positions is not None
    assert dataset.interactions.positions.tolist() == [2, MISSING_TIME, 1, 0]
    assert [(kind.kind, kind.column) for kind in dataset.ledger.problems] == [("unreadable_value", "position")]


def test_the_column_of_positions_may_be_named(extract_files: Extract) -> None:
    events = extract_files({"train/a.csv": LISTS.replace("position", "nth")}, position_column="nth").interactions
    assert events.positions is not None
    with pytest.raises(UserDataError, match="data_position_column"):
        extract_files({"train/a.csv": LISTS}, position_column="nth")


def test_positions_are_not_handed_on_as_times(tmp_path: Path, extract_files: Extract) -> None:
    dataset = extract_files({"train/a.csv": LISTS})
    (table,) = event_rows({"train": tmp_path / "train"}, TrainingConfig(), dataset)
    assert table.column("timestamp").null_count == 4


USERS = "user,name,country,age\nu1,Road trip 2017,DE,30\nu2,road TRIP,de,31\nu3,,fr,32\nu1,,FR,33\n"


def words_of(dataset: Dataset) -> dict[str, set[str]]:
    said = dataset.listener_words
    assert said is not None
    rows = said.rows
    return {
        user: {said.words[word] for word in rows.indices[rows.indptr[i] : rows.indptr[i + 1]].tolist()}
        for i, user in enumerate(dataset.user_ids.tolist())
    }


def test_names_and_categories_of_listeners_are_words(extract_files: Extract) -> None:
    dataset = extract_files({"train/a.csv": "user,item\nu0,i\nu1,i\n", "users/u.csv": USERS})
    assert dataset.user_ids.tolist() == ["u0", "u1", "u2", "u3"]
    # "2017" and "name=road trip 2017" are of one listener alone: nothing can be learned of them.
    assert words_of(dataset) == {
        "u0": set(),
        "u1": {"road", "trip", "country=de", "country=fr"},
        "u2": {"road", "trip", "country=de"},
        "u3": {"country=fr"},
    }
    said = dataset.listener_words
    assert said is not None
    assert (said.texts, said.categories) == (("name",), ("country",))
    assert said.words == tuple(sorted(said.words))


def test_the_columns_of_listeners_may_be_named(extract_files: Extract) -> None:
    files = {"train/a.csv": "user,item\nu1,i\n", "users/u.csv": USERS.replace("31", "30")}
    said = extract_files(files, user_text=[], user_categorical=["AGE"]).listener_words
    assert said is not None
    assert (said.texts, said.categories, said.words) == (("name",), ("age",), ("age=30", "road", "trip"))
    with pytest.raises(UserDataError, match="data_user_categorical"):
        extract_files(files, user_categorical=["city"])


def test_a_channel_of_ids_alone_has_no_words(extract_files: Extract) -> None:
    assert extract_files({"train/a.csv": "user,item\nu,i\n", "users/u.csv": "user\nv\n"}).listener_words is None


def test_words_do_not_depend_on_the_order_of_rows(extract_files: Extract) -> None:
    head, *rows = USERS.strip().split("\n")
    one = extract_files({"train/a.csv": "user,item\nu0,i\n", "users/u.csv": USERS})
    other = extract_files({"train/a.csv": "user,item\nu0,i\n", "users/u.csv": "\n".join([head, *reversed(rows)]) + "\n"})
    assert words_of(one) == words_of(other)
    assert one.listener_words is not None
    assert other.listener_words is not None
    assert np.array_equal(one.listener_words.rows.indices, other.listener_words.rows.indices)
