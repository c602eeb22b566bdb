"""The baseline has Model Monitor's form, and its numbers are those of the rows it stands for, counted one by one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.features.store import FeatureStore
from training.config import TrainingConfig
from training.data.dataset import Dataset
from training.data.extract import extract
from training.features import fit_transform
from training.quality.monitor_baseline import baseline, numbers, sketch, write_baseline

EVENTS = """USER_ID,ITEM_ID,TIMESTAMP
u1,a,1700000000
u1,b,1700000100
u2,a,
u3,a,1700000300
u3,c,1700000400
"""
SONGS = """track_id,track_name,artists,track_genre,energy,tempo,explicit,release_year,album
a,A,X,rock,0.25,120,true,1999,One
b,B,Y,pop,0.5,90,false,2001,Two
c,C,Z,pop,,100.5,,,
d,D,Z,pop,0.75,60,false,2010,One
"""


def world(folder: Path, events: str = EVENTS) -> tuple[Dataset, FeatureStore]:
    channels = {}
    for name, text in {"interactions": events, "items": SONGS}.items():
        if text:
            (folder / f"{name}.csv").write_text(text)
            channels[name] = folder / f"{name}.csv"
    config = TrainingConfig()
    dataset = extract(channels, config)
    assert dataset.catalogue is not None
    return dataset, fit_transform(dataset.catalogue, config.features, dataset.catalogue.known, 1)[1]


@pytest.fixture
def documents(tmp_path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    return baseline(*world(tmp_path))


def by_name(document: dict[str, Any]) -> dict[str, Any]:
    return {one["name"]: one for one in document["features"]}


def test_a_column_of_a_song_counts_once_for_each_of_its_rows(documents: tuple[dict[str, Any], dict[str, Any]]) -> None:
    statistics, constraints = documents
    assert statistics["dataset"] == {"item_count": 5}
    energy = by_name(statistics)["energy"]["numerical_statistics"]
    rows = np.array([0.25, 0.5, 0.25, 0.25])  # of a, b, a, a; c has none, and nobody has played d
    assert energy["common"] == {"num_present": 4, "num_missing": 1}
    assert (energy["mean"], energy["sum"], energy["min"], energy["max"]) == (rows.mean(), rows.sum(), 0.25, 0.5)
    assert energy["std_dev"] == pytest.approx(rows.std())
    assert [bucket["count"] for bucket in energy["distribution"]["kll"]["buckets"]] == [3.0, *[0.0] * 8, 1.0]
    assert energy["distribution"]["kll"]["sketch"]["data"] == [[0.25, 0.25, 0.25, 0.5]]
    assert by_name(constraints)["energy"] == {
        "name": "energy",
        "inferred_type": "Fractional",
        "completeness": 0.8,
        "num_constraints": {"is_non_negative": True},
    }
    album = by_name(statistics)["album"]["string_statistics"]
    assert album["distribution"]["categorical"]["buckets"] == [{"value": "One", "count": 3}, {"value": "Two", "count": 1}]
    assert by_name(constraints)["album"]["string_constraints"] == {"domains": ["One", "Two"]}
    assert by_name(statistics)["explicit"]["numerical_statistics"]["sum"] == 3


def test_events_are_described_and_no_id_is_named(documents: tuple[dict[str, Any], dict[str, Any]]) -> None:
    statistics = by_name(documents[0])
    assert statistics["user_id"]["string_statistics"] == {"common": {"num_present": 5, "num_missing": 0}, "distinct_count": 3.0}
    assert statistics["item_id"]["string_statistics"]["distinct_count"] == 3.0
    times = statistics["timestamp"]
    assert (times["inferred_type"], times["numerical_statistics"]["common"]) == ("Integral", {"num_present": 4, "num_missing": 1})
    assert (times["numerical_statistics"]["min"], times["numerical_statistics"]["max"]) == (1_700_000_000, 1_700_000_400)
    assert "u1" not in json.dumps(documents)


def test_the_documents_have_the_schema_of_the_developer_guide(documents: tuple[dict[str, Any], dict[str, Any]]) -> None:
    statistics, constraints = documents
    assert set(statistics) == {"version", "dataset", "features"}
    assert set(constraints) == {"version", "features", "monitoring_config"}
    assert [one["name"] for one in statistics["features"]] == [one["name"] for one in constraints["features"]]
    for one in statistics["features"]:
        kind = one["inferred_type"]
        assert kind in ("Integral", "Fractional", "String")
        assert set(one) == {"name", "inferred_type", "string_statistics" if kind == "String" else "numerical_statistics"}
        if kind == "String":
            assert {"common", "distinct_count"} <= set(one["string_statistics"]) <= {"common", "distinct_count", "distribution"}
            continue
        told = one["numerical_statistics"]
        assert set(told) == {"common", "mean", "sum", "std_dev", "min", "max", "distribution"}
        assert all(set(bucket) == {"lower_bound", "upper_bound", "count"} for bucket in told["distribution"]["kll"]["buckets"])
        assert set(told["distribution"]["kll"]["sketch"]) == {"parameters", "data"}
    for one in constraints["features"]:
        assert 0 < one["completeness"] <= 1
        assert set(one) <= {"name", "inferred_type", "completeness", "num_constraints", "string_constraints"}


def test_a_catalogue_without_listening_has_a_row_for_each_song(tmp_path: Path) -> None:
    statistics, _ = baseline(*world(tmp_path, events=""))
    assert statistics["dataset"] == {"item_count": 4}
    assert "user_id" not in by_name(statistics)
    assert by_name(statistics)["tempo"]["numerical_statistics"]["mean"] == pytest.approx((120 + 90 + 100.5 + 60) / 4)


def test_the_files_are_strict_json_and_the_same_in_each_run(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_baseline(*world(tmp_path), tmp_path / name)
    for name in ("statistics.json", "constraints.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
        json.loads((tmp_path / "one" / name).read_text(encoding="ascii"), parse_constant=pytest.fail)
    assert len(list((tmp_path / "one").iterdir())) == 2


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.floats(-1e6, 1e6, width=32), st.integers(1, 5000)), min_size=1, max_size=60),
)
def test_a_sketch_stands_for_all_rows_and_no_rank_is_far_off(pairs: list[tuple[float, int]]) -> None:
    values, counts = np.array([value for value, _ in pairs]), np.array([count for _, count in pairs])
    levels = sketch(values, counts, False)
    n = int(counts.sum())
    assert sum(len(level) << i for i, level in enumerate(levels)) == n
    assert all(len(level) <= 2048 for level in levels)
    rows = np.sort(np.repeat(values, counts))
    told = np.sort(np.repeat(np.concatenate(levels), np.concatenate([[1 << i] * len(level) for i, level in enumerate(levels)]).astype(int)))
    for place in (0, n // 4, n // 2, n - 1):
        low, high = max(0, place - (1 << len(levels))), min(n - 1, place + (1 << len(levels)))
        assert rows[low] - 1e-2 <= told[place] <= rows[high] + 1e-2


def test_a_column_of_one_value_or_of_none_is_no_trouble() -> None:
    described = numbers("n", np.array([3.0, np.nan]), np.array([2, 1]))
    assert described is not None
    assert described[0]["numerical_statistics"]["std_dev"] == 0
    assert numbers("n", np.array([np.nan, 1.0]), np.array([2, 0])) is None
