"""From channels to a dataset: vocabularies, channels and properties that hold for any data."""

import csv
import io
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.config import TrainingConfig
from training.data.config import DataConfig
from training.data.dataset import Dataset
from training.data.errors import UserDataError
from training.data.extract import extract

Extract = Callable[..., Dataset]
EVENTS = "user,item\nu2,i2\nu1,i1\nu1,é\nu1,𝄞\nu1,\uffff\n"


def test_vocabularies_are_sorted_by_utf8_bytes_and_entries_by_user_then_item(extract_files: Extract) -> None:
    dataset = extract_files({"train/a.csv": EVENTS})
    for ids in (dataset.user_ids, dataset.item_ids):
        assert ids.dtype == object
        assert ids.tolist() == sorted(ids, key=lambda identifier: identifier.encode())
    events = dataset.interactions
    assert (np.lexsort((events.items, events.users)) == np.arange(len(events))).all()
    assert (events.users.dtype, events.items.dtype, events.weights.dtype) == (np.int32, np.int32, np.float32)


def test_the_matrix_has_users_as_rows_and_songs_as_columns(extract_files: Extract) -> None:
    dataset = extract_files({"train/a.csv": EVENTS, "users/u.csv": "user\nu0\nu9\n"})
    matrix = dataset.interactions.user_items(dataset.n_users, dataset.n_items)
    assert matrix.shape == (4, 5)
    assert matrix.dtype == np.float32
    assert matrix.toarray().sum(axis=1).tolist() == [0, 4, 1, 0]
    assert matrix.has_canonical_format
    assert dataset.counts["users.without_events"] == 2
    with pytest.raises(ValueError, match="does not fit"):
        dataset.interactions.user_items(1, dataset.n_items)


def test_interactions_and_train_are_one_channel(extract_files: Extract) -> None:
    dataset = extract_files({"train/a.csv": "user,item\nu,i\n", "interactions/b.csv": "user,item\nv,j\n"})
    assert (dataset.n_users, dataset.n_items, len(dataset.interactions)) == (2, 2, 2)


def test_a_test_channel_shares_the_vocabularies_and_may_bring_new_ids(extract_files: Extract) -> None:
    dataset = extract_files({"train/a.csv": "user,item\nu,i\n", "test/t.csv": "user,item\nz,a\nu,i\n"})
    assert dataset.item_ids.tolist() == ["a", "i"]
    assert dataset.user_ids.tolist() == ["u", "z"]
    assert dataset.test is not None
    assert dataset.test.items.tolist() == [1, 0]
    assert len(dataset.interactions) == 1


def test_items_alone_give_a_dataset_without_interactions(extract_files: Extract) -> None:
    dataset = extract_files({"items/a.csv": "item_id,genre\n2,rock\n1,pop\n", "interactions/e.csv": "user,item\n"})
    assert dataset.item_ids.tolist() == ["1", "2"]
    assert dataset.n_users == len(dataset.interactions) == 0
    assert dataset.interactions.user_items(0, 2).shape == (0, 2)


def test_other_channels_are_not_read(extract_files: Extract) -> None:
    assert extract_files({"train/a.csv": EVENTS, "model/model.tar.gz": b"\x1f\x8bnonsense"}).n_users == 2


@pytest.mark.parametrize("files", [{}, {"interactions/a.csv": ""}, {"train/a.csv": "user,item\n"}, {"users/u.csv": "user\nu\n"}])
def test_nothing_to_train_on_is_one_sentence_with_the_channels_and_what_is_expected(extract_files: Extract, files: dict) -> None:
    with pytest.raises(UserDataError) as error:
        extract_files(files)
    message = str(error.value)
    assert message.startswith("no data to train on: the channel interactions (or train)")
    assert all(name.split("/")[0] in message for name in files)
    assert "\n" not in message


def test_a_catalogue_of_other_songs_is_refused_with_an_id_of_each(extract_files: Extract) -> None:
    with pytest.raises(UserDataError, match='have ids like "spotify:7", the catalogue like "7"; name the column'):
        extract_files({"train/e.csv": "user,item\nu,spotify:7\n", "items/i.csv": "item_id\n7\n"})


def test_ids_of_numbers_and_of_text_meet(extract_files: Extract) -> None:
    table = io.BytesIO()
    pa.parquet.write_table(pa.table({"user": [1.0, None], "item": [7, 8]}), table)
    dataset = extract_files({"train/a.parquet": table.getvalue(), "train/b.jsonl": '{"user": 1, "item": "7"}\n{"user": "1", "item": 7.0}'})
    assert dataset.user_ids.tolist() == ["1"]
    assert dataset.item_ids.tolist() == ["7"]
    assert dataset.counts["interactions.rows_merged"] == 2
    assert dataset.counts["interactions.dropped_missing_id"] == 1


@pytest.mark.parametrize("kind", [pa.struct([("id", pa.int64())]), pa.list_(pa.list_(pa.int64()))])
def test_a_column_of_records_is_refused_by_name(extract_files: Extract, kind: pa.DataType) -> None:
    table = io.BytesIO()
    pa.parquet.write_table(pa.table({"user": ["u"], "item": pa.array([None], kind)}), table)
    with pytest.raises(UserDataError, match=r'a\.parquet: the column "item" holds records'):
        extract_files({"train/a.parquet": table.getvalue()})


# Any text but half of a surrogate pair, which no file can hold.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
ROW = st.fixed_dictionaries({"USER_ID": TEXT, "ITEM_ID": TEXT, "TIMESTAMP": st.integers(0, 2**40), "EVENT_VALUE": st.integers(0, 9)})
SONG = st.fixed_dictionaries(
    {
        "ITEM_ID": st.sampled_from(["a", "b", "c", ""]),
        "title": TEXT,
        "artists": st.sampled_from(["", "X;y", "y", "Z"]),
        "genres": st.sampled_from(["", "pop|rock", "rock", "Pop"]),
        "year": st.integers(1990, 1995),
        "energy": st.sampled_from([0.25, 0.5, 0.75]),
        "tempo": st.sampled_from([0.0, 120.5, 999.0]),
    }
)


def as_csv(rows: list[dict[str, Any]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def as_json_lines(rows: list[dict[str, Any]]) -> bytes:
    return "\n".join(map(json.dumps, rows)).encode()


def as_parquet(rows: list[dict[str, Any]]) -> bytes:
    sink = io.BytesIO()
    pa.parquet.write_table(pa.Table.from_pylist(rows), sink)
    return sink.getvalue()


WRITERS = {"csv": as_csv, "jsonl": as_json_lines, "parquet": as_parquet}
DEFAULT = TrainingConfig()
CONFIG = TrainingConfig(data=DataConfig(weighting="value"))


def try_extract(folder: Path, config: TrainingConfig) -> Dataset | str:
    try:
        return extract({"interactions": folder / "interactions", "items": folder / "items"}, config)
    except UserDataError as error:
        return type(error).__name__


def written(folder: Path, channel: str, rows: list[dict[str, Any]], kind: str, name: str = "part") -> None:
    if rows:
        (folder / channel).mkdir(parents=True, exist_ok=True)
        (folder / channel / f"{name}.{kind}").write_bytes(WRITERS[kind](rows))


def assert_equal(first: Dataset | str, second: Dataset | str) -> None:
    if isinstance(first, str) or isinstance(second, str):
        assert first == second
        return
    for name in ("item_ids", "user_ids"):
        assert getattr(first, name).tolist() == getattr(second, name).tolist()
    for name in ("users", "items", "weights", "timestamps"):
        np.testing.assert_array_equal(getattr(first.interactions, name), getattr(second.interactions, name))
    assert (first.catalogue is None) == (second.catalogue is None)
    if first.catalogue and second.catalogue:
        for name in ("titles", "years", "popularity", "audio", "known", "artists", "genres", "audio_names"):
            one, other = getattr(first.catalogue, name), getattr(second.catalogue, name)
            if isinstance(one, np.ndarray):
                np.testing.assert_array_equal(one, other)
            else:
                assert one == other
    ignored = ("interactions.files_read", "items.files_read")
    assert {k: n for k, n in first.counts.items() if k not in ignored} == {k: n for k, n in second.counts.items() if k not in ignored}


@settings(max_examples=100, deadline=None)
@given(events=st.lists(ROW, max_size=12), songs=st.lists(SONG, max_size=8))
def test_the_format_of_the_files_does_not_change_the_dataset(
    tmp_path_factory: pytest.TempPathFactory, events: list[dict[str, Any]], songs: list[dict[str, Any]]
) -> None:
    results = []
    for kind in WRITERS:
        folder = tmp_path_factory.mktemp(kind)
        written(folder, "interactions", events, kind)
        written(folder, "items", songs, kind)
        results.append(try_extract(folder, CONFIG))
    assert_equal(results[0], results[1])
    assert_equal(results[0], results[2])


@settings(max_examples=100, deadline=None)
@given(events=st.lists(ROW, max_size=12), songs=st.lists(SONG, max_size=8), seed=st.integers(0, 99), n_files=st.integers(1, 3))
def test_the_order_of_rows_and_of_files_does_not_change_the_dataset(
    tmp_path_factory: pytest.TempPathFactory, events: list[dict[str, Any]], songs: list[dict[str, Any]], seed: int, n_files: int
) -> None:
    first, second = tmp_path_factory.mktemp("first"), tmp_path_factory.mktemp("second")
    shuffler = random.Random(seed)
    for channel, rows in (("interactions", events), ("items", songs)):
        written(first, channel, rows, "csv")
        shuffled = shuffler.sample(rows, len(rows))
        for part in range(n_files):
            written(second, channel, shuffled[part::n_files], "csv", f"{shuffler.random()}")
    assert_equal(try_extract(first, CONFIG), try_extract(second, CONFIG))


@settings(max_examples=60, deadline=None)
@given(ids=st.lists(TEXT.filter(bool), min_size=1, max_size=10, unique=True), kind=st.sampled_from(list(WRITERS)))
def test_an_id_comes_back_exactly_as_it_was_written(tmp_path_factory: pytest.TempPathFactory, ids: list[str], kind: str) -> None:
    folder = tmp_path_factory.mktemp("ids")
    written(folder, "interactions", [{"user": "u", "item": identifier} for identifier in ids], kind)
    dataset = extract({"interactions": folder / "interactions"}, DEFAULT)
    assert dataset.item_ids.tolist() == sorted(ids)


CELL = st.sampled_from(['"', ",", "\n", "\r\n", "a", "7.0", "2020-01-01", "\t", "é", "\0", " ", "{", "}", "[", ":", "null", "-1e999", '""'])
JUNK = st.one_of(
    st.binary(max_size=60),
    st.lists(CELL, max_size=20).map(lambda cells: "user,item,time,value\n" + "".join(cells)).map(str.encode),
    st.lists(CELL, max_size=20).map(lambda cells: '{"user": "u", "item": 1}\n' + "".join(cells)).map(str.encode),
    st.lists(CELL, max_size=20).map(lambda cells: "id,genre,energy,year,length\n" + "".join(cells)).map(str.encode),
    st.binary(max_size=40).map(lambda tail: as_parquet([{"user": "u", "item": 1}])[:-3] + tail),
)


@settings(max_examples=150, deadline=None)
@given(
    content=JUNK, ending=st.sampled_from(["", ".csv", ".csv.gz", ".tsv", ".jsonl", ".parquet"]), channel=st.sampled_from(["train", "items"])
)
def test_junk_gives_a_dataset_or_a_sentence_and_never_a_traceback(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, ending: str, channel: str
) -> None:
    path = tmp_path_factory.mktemp("junk") / f"part{ending}"
    path.write_bytes(content)
    try:
        dataset = extract({channel: path}, DEFAULT)
    except UserDataError:
        return
    assert dataset.n_items > 0


def test_a_test_channel_that_no_model_can_answer_is_refused_and_a_part_of_it_counted(tmp_path: Path) -> None:
    def channel(name: str, *rows: str) -> Path:
        path = tmp_path / f"{name}.csv"
        path.write_text("USER_ID,ITEM_ID\n" + "\n".join(rows) + "\n", encoding="utf-8")
        return path

    events = channel("events", "u1,s1", "u1,s2", "u2,s1")
    with pytest.raises(UserDataError, match="held out"):
        extract({"interactions": events, "test": channel("same", "u1,s1", "u2,s1")}, DEFAULT)
    with pytest.raises(UserDataError, match="none of its 2 events is of a listener"):
        extract({"interactions": events, "test": channel("strangers", "x,s1", "y,s1")}, DEFAULT)

    counts = extract({"interactions": events, "test": channel("some", "u1,s1", "x,s1", "u2,s9", "u2,s2")}, DEFAULT).counts
    assert counts["test.entries_also_in_interactions"] == 1
    assert counts["test.entries_of_unknown_listeners"] == 1
    assert counts["test.entries_of_songs_without_events"] == 1
