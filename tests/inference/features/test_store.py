"""The feature store on disk and in memory."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from inference.features.columns import CategoriesColumn, CategoryColumn, FlagColumn, NumberColumn, VectorColumn
from inference.features.store import FeatureStore

STORE = FeatureStore(
    {
        "energy": NumberColumn(np.array([0.5, np.nan, 0.0], np.float32)),
        "explicit": FlagColumn(np.array([1, -1, 0], np.int8)),
        "album": CategoryColumn.of_names(np.array([1, -1, 0]), ["Ä", "Ω"]),
        "genres": CategoriesColumn.of_lists([("rock", "jazz", "rock"), (), ("jazz",)]),
        "audio": VectorColumn(np.array([[1, 2], [0, 0], [0, 0]], np.float32)),
    },
    3,
)
ROWS = [
    {"energy": 0.5, "explicit": True, "album": "Ω", "genres": ["rock", "jazz"], "audio": [1.0, 2.0]},
    {"energy": None, "explicit": None, "album": None, "genres": [], "audio": None},
    {"energy": 0.0, "explicit": False, "album": "Ä", "genres": ["jazz"], "audio": None},
]


def test_a_row_is_what_people_and_json_read() -> None:
    assert [STORE.row(number) for number in range(3)] == ROWS
    assert json.loads(json.dumps(ROWS, allow_nan=False)) == ROWS


@pytest.mark.parametrize("number", [-1, 3])
def test_a_song_that_is_not_there_has_no_row(number: int) -> None:
    with pytest.raises(IndexError):
        STORE.row(number)


def test_it_comes_back_from_memory_mapped_files(tmp_path: Path) -> None:
    for name, array in STORE.arrays().items():
        assert name.startswith("features.")
        np.save(tmp_path / f"{name}.npy", array)
    settings = json.loads(json.dumps(STORE.settings()))
    again = FeatureStore.load(settings, lambda name: np.load(tmp_path / f"{name}.npy", mmap_mode="r"))
    assert list(again) == list(STORE)
    assert [again.row(number) for number in range(3)] == ROWS


def test_names_are_those_that_files_can_have() -> None:
    for name in ("Energy", "", "a.b", "../x", "x" * 65, "1a"):
        with pytest.raises(ValueError, match="cannot be called"):
            FeatureStore({name: STORE["energy"]}, 3)
        with pytest.raises(ValueError, match="not one of ours"):
            FeatureStore.load({"n_songs": 3, "columns": [{"name": name, "kind": "number"}]}, lambda name: np.zeros(3, np.float32))


def test_columns_of_another_length_or_type_are_refused() -> None:
    with pytest.raises(ValueError, match="energy has 3 rows"):
        FeatureStore({"energy": STORE["energy"]}, 4)
    with pytest.raises(ValueError, match="float32 cannot hold float64"):
        NumberColumn(np.zeros(3))


def test_codes_follow_the_bytes_of_the_names() -> None:
    column = CategoriesColumn.of_lists([("é", "z"), ("𝄞", "\uffff")])
    names = [column.names[code] for code in range(len(column.names))]
    assert names == sorted(names, key=str.encode)
    assert [column.code(name) for name in names] == [0, 1, 2, 3]
    assert column.row(0).tolist() == [column.code("é"), column.code("z")]
    assert column.code("y") == column.code("") == column.code("\U0010ffff") == -1
