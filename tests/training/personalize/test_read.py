"""The way back: what was written comes back the same, and what a schema doesn't allow is named with file, row and column."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.features.values import key_and_mode, normal, yes_no
from tests.training.personalize.catalogues import FLOATS, IDS, catalogues, events, full_catalogue
from training.data.dataset import Catalogue
from training.data.errors import UserDataError
from training.personalize.event_columns import MISSING_TYPE
from training.personalize.export import write_interactions, write_items, write_users
from training.personalize.read import to_channels

EVENTS = st.lists(
    st.tuples(IDS, IDS, st.integers(0, 2**40), st.none() | IDS, st.none() | FLOATS),
    min_size=1,
    max_size=12,
)
SCHEMA = {
    "type": "record",
    "name": "Interactions",
    "namespace": "com.amazonaws.personalize.schema",
    "fields": [
        {"name": "USER_ID", "type": "string"},
        {"name": "ITEM_ID", "type": "string"},
        {"name": "TIMESTAMP", "type": "long"},
        {"name": "EVENT_VALUE", "type": ["null", "float"]},
        {"name": "DAY", "type": "int"},
        {"name": "SHUFFLED", "type": ["boolean", "null"]},
        {"name": "DEVICE", "type": ["null", "string"], "categorical": True},
    ],
    "version": "1.0",
}
GOOD = "u,s,10,1.5,3,true,phone\n"


def back(folder: Path, channel: str) -> pa.Table:
    counts = to_channels({channel: folder}, folder / "channels")
    path = folder / "channels" / channel / f"{channel}.parquet"
    table = pq.read_table(path)
    assert counts == {channel: table.num_rows}
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    return table


@settings(deadline=None)
@given(EVENTS, st.integers(0, 12))
def test_events_come_back_as_they_were(tmp_path_factory: pytest.TempPathFactory, rows: list[tuple], cut: int) -> None:
    folder = tmp_path_factory.mktemp("events")
    write_interactions(iter([events(rows[:cut]), events(rows[cut:])]), folder)
    table = back(folder, "interactions")
    names = ("USER_ID", "ITEM_ID", "TIMESTAMP", "EVENT_TYPE", "EVENT_VALUE")
    found = list(zip(*(table.column(name).to_pylist() for name in names), strict=True))
    assert found == [(user, item, time, kind or MISSING_TYPE, value) for user, item, time, kind, value in rows]


@settings(deadline=None)
@given(catalogues())
def test_songs_come_back_as_they_were(tmp_path_factory: pytest.TempPathFactory, songs: tuple[list[str], Catalogue]) -> None:
    ids, catalogue = songs
    folder = tmp_path_factory.mktemp("songs")
    write_items(ids, catalogue, folder)
    table = back(folder, "items")
    places = np.flatnonzero(catalogue.known).tolist()

    def column(name: str) -> list:
        return table.column(name).to_pylist() if name in table.column_names else [None] * len(places)

    assert column("ITEM_ID") == [ids[place] for place in places]
    assert [title or "" for title in column("TITLE")] == [catalogue.titles[place] for place in places]
    assert [tuple(names or ()) for names in column("GENRES")] == [catalogue.genres[place] for place in places]
    assert [tuple(map(normal, names or ())) for names in column("ARTISTS")] == [catalogue.artists[place] for place in places]
    assert [key_and_mode(key)[0] if key else -1 for key in column("KEY")] == catalogue.keys[places].tolist()
    assert [yes_no(flag) if flag else -1 for flag in column("EXPLICIT")] == catalogue.explicit[places].tolist()
    albums = catalogue.labels["album"]
    assert column("ALBUM") == [albums.names[code] if code >= 0 else None for code in albums.codes[places].tolist()]
    np.testing.assert_array_equal(np.array(column("RELEASE_YEAR"), np.float32), catalogue.years[places])
    audio = catalogue.audio[places]
    for number, name in enumerate(("DANCEABILITY", "LOUDNESS", "TEMPO")):
        np.testing.assert_array_equal(np.array(column(name), np.float32), audio[:, number])
    seconds = np.array(column("DURATION_MS"), np.float64) / 1000
    np.testing.assert_array_equal(seconds.astype(np.float32), audio[:, 3])


def test_users_come_back_as_they_were(tmp_path: Path) -> None:
    write_users(['u"1', "u\\2", "🎵"], np.array([1, 2, 0]), tmp_path)
    assert back(tmp_path, "users").to_pydict() == {"USER_ID": ['u"1', "u\\2", "🎵"], "SONG_COUNT": [1, 2, 0]}


def test_the_three_datasets_may_lie_in_one_folder(tmp_path: Path) -> None:
    write_interactions(iter([events([("u", "a", 1, "play", 1.0)])]), tmp_path)
    write_items(["a", "b", "c", "d"], full_catalogue(), tmp_path)
    write_users(["u"], np.array([1]), tmp_path)
    counts = to_channels(dict.fromkeys(("interactions", "items", "users"), tmp_path), tmp_path / "out")
    assert counts == {"interactions": 1, "items": 3, "users": 1}
    items = pq.read_schema(tmp_path / "out" / "items" / "items.parquet")
    assert items.field("ARTISTS").type.value_type == pa.large_string()
    assert items.field("ALBUM").type == pa.large_string()
    assert items.field("RELEASE_YEAR").type == pa.int32()


def test_without_a_schema_ids_stay_text_and_times_are_numbers(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("ITEM_ID,USER_ID,TIMESTAMP,EVENT_TYPE,DEVICE\n007,1e5,10,,phone\n")
    to_channels({"interactions": path}, tmp_path / "out")
    (row,) = pq.read_table(tmp_path / "out" / "interactions" / "interactions.parquet").to_pylist()
    assert row == {"ITEM_ID": "007", "USER_ID": "1e5", "TIMESTAMP": 10, "EVENT_TYPE": None, "DEVICE": "phone"}


def test_several_files_are_one_dataset_and_columns_may_stand_in_any_order(tmp_path: Path) -> None:
    (tmp_path / "part-0.csv").write_text("USER_ID,AGE\nu1,30\n")
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "part-1.csv").write_text("AGE,USER_ID\n,u2\n")
    fields = [{"name": "USER_ID", "type": "string"}, {"name": "AGE", "type": ["int", "null"]}]
    (tmp_path / "users.json").write_text(json.dumps({**SCHEMA, "name": "Users", "fields": fields}))
    assert back(tmp_path, "users").to_pylist() == [{"USER_ID": "u2", "AGE": None}, {"USER_ID": "u1", "AGE": 30}]


def put(folder: Path, body: str, header: str = "USER_ID,ITEM_ID,TIMESTAMP,EVENT_VALUE,DAY,SHUFFLED,DEVICE\n") -> Path:
    (folder / "interactions-schema.json").write_text(json.dumps(SCHEMA))
    path = folder / "interactions.csv"
    path.write_text(header + body)
    return path


def test_values_have_the_types_of_the_schema(tmp_path: Path) -> None:
    put(tmp_path, GOOD + "u,s,-9223372036854775808,-.5e-3,2147483647,,\n" + "u,s,+7,3.4028235e38,-2147483648,false,a|b\n")
    table = back(tmp_path, "interactions")
    assert table.column("TIMESTAMP").to_pylist() == [10, -(2**63), 7]
    assert table.column("EVENT_VALUE").to_pylist() == [1.5, -0.0005, 3.4028235e38]
    assert table.column("DAY").to_pylist() == [3, 2**31 - 1, -(2**31)]
    assert table.column("SHUFFLED").to_pylist() == [True, None, False]
    assert table.column("DEVICE").to_pylist() == ["phone", None, "a|b"]


@pytest.mark.parametrize(
    ("line", "column", "said"),
    [
        (",s,1,1,1,true,x", "USER_ID", "the value is empty, and its type string has no null beside it"),
        ("u,s,,1,1,true,x", "TIMESTAMP", "the value is empty"),
        ("u,s,1.5,1,1,true,x", "TIMESTAMP", '"1.5" is no long'),
        ("u,s,2020-01-01,1,1,true,x", "TIMESTAMP", '"2020-01-01" is no long'),
        ("u,s,9223372036854775808,1,1,true,x", "TIMESTAMP", "is too large for its type long"),
        ("u,s,0x10,1,1,true,x", "TIMESTAMP", '"0x10" is no long'),
        ("u,s,1,NaN,1,true,x", "EVENT_VALUE", '"NaN" is no float'),
        ("u,s,1,3.4028236e38,1,true,x", "EVENT_VALUE", "is too large for its type float"),
        ("u,s,1,1e39,1,true,x", "EVENT_VALUE", '"1e39" is too large for its type float'),
        ("u,s,1,1,2147483648,true,x", "DAY", '"2147483648" is too large for its type int'),
        ("u,s,1,1,1,True,x", "SHUFFLED", '"True" is no boolean'),
        (f"u,s,1,1,1,true,{'x' * 1001}", "DEVICE", "has more than the 1000 characters"),
        (f"u,{'x' * 257},1,1,1,true,x", "ITEM_ID", "has more than the 256 characters"),
    ],
)
def test_what_the_schema_does_not_allow_is_named_with_file_row_and_column(tmp_path: Path, line: str, column: str, said: str) -> None:
    path = put(tmp_path, GOOD * 2 + line + "\n" + GOOD)
    with pytest.raises(UserDataError) as caught:
        to_channels({"interactions": tmp_path}, tmp_path / "out")
    assert str(caught.value).startswith(f'{path}, row 3, column "{column}": ')
    assert said in str(caught.value)
    assert list((tmp_path / "out" / "interactions").iterdir()) == []


def test_rows_are_counted_over_all_pieces_of_a_file(tmp_path: Path) -> None:
    put(tmp_path, GOOD * 250_000 + "u,s,x,1,1,true,x\n")
    with pytest.raises(UserDataError, match=r'row 250001, column "TIMESTAMP"'):
        to_channels({"interactions": tmp_path}, tmp_path / "out")


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("USER_ID,ITEM_ID,TIMESTAMP,EVENT_VALUE,DAY,SHUFFLED\n", "it lacks DEVICE"),
        ("USER_ID,ITEM_ID,TIMESTAMP,EVENT_VALUE,DAY,SHUFFLED,DEVICE,MOOD\n", "it has MOOD, which is not there"),
        ("USER_ID,ITEM_ID,TIMESTAMP,EVENT_VALUE,DAY,SHUFFLED,DEVICE,DAY\n", "has the column DAY twice"),
        ("user,item,TIMESTAMP\n", "lacks the column USER_ID, ITEM_ID, which Interactions"),
        ("USER_ID,ITEM_ID\n", "lacks the column TIMESTAMP, which Interactions"),
        ("ITEM_ID,GENRES\n", "no CSV file of Interactions is there"),
    ],
)
def test_columns_that_are_not_those_of_the_schema_are_named(tmp_path: Path, header: str, said: str) -> None:
    put(tmp_path, "", header)
    with pytest.raises(UserDataError) as caught:
        to_channels({"interactions": tmp_path}, tmp_path / "out")
    assert said in str(caught.value)


def test_two_schemas_of_one_dataset_are_one_too_many(tmp_path: Path) -> None:
    put(tmp_path, GOOD)
    (tmp_path / "other.json").write_text(json.dumps(SCHEMA))
    with pytest.raises(UserDataError, match=r"several schemas of Interactions: interactions-schema\.json, other\.json"):
        to_channels({"interactions": tmp_path}, tmp_path / "out")


def test_a_header_without_rows_is_refused(tmp_path: Path) -> None:
    put(tmp_path, "")
    with pytest.raises(UserDataError, match="a header and no rows"):
        to_channels({"interactions": tmp_path}, tmp_path / "out")
