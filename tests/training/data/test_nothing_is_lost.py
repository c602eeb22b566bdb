"""Whatever the cells hold and the settings do about it: every row that is read is kept, merged, or dropped for a counted reason."""

from __future__ import annotations

import csv
import io
import itertools
import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from tests.training.data.conftest import settings
from training.config import TrainingConfig
from training.data.dataset import Dataset
from training.data.errors import UserDataError
from training.data.extract import extract
from training.data.policies import POLICIES

Rows = list[dict[str, str]]
ODD = (
    "",
    " ",
    "nan",
    "NULL",
    "-1",
    "7",
    "0.5",
    "1e999",
    "2020-02-30",
    "29th April 2013",
    "03:47",
    "D min",
    "-6.85db",
    "Yes",
    "🎵",
    'a "b"',
    "x,y",
)
CELL = st.one_of(st.sampled_from(ODD), st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=6))
SONG_COLUMNS = (
    "id",
    "title",
    "artist",
    "genre",
    "energy",
    "year",
    "length",
    "key",
    "loudness",
    "explicit",
    "lyrics",
    "emotion",
    "popularity",
)
SONG = st.fixed_dictionaries({"id": st.sampled_from(["a", "b", "c", "d", "", "null", "🎵"])} | dict.fromkeys(SONG_COLUMNS[1:], CELL))
EVENT = st.fixed_dictionaries(
    {
        "user": st.sampled_from(["u", "v", "w", "", "nan"]),
        "item": st.sampled_from(["a", "b", "z", "", "None"]),
        "timestamp": CELL,
        "event_type": st.sampled_from(["play", "skip", ""]),
        "plays": CELL,
    }
)
POLICY = st.fixed_dictionaries({f"quality_{kind}": st.sampled_from(list(actions)) for kind, actions in POLICIES.items()})


def as_csv(rows: Rows) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def as_json_lines(rows: Rows) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def as_parquet(rows: Rows) -> bytes:
    sink = io.BytesIO()
    pa.parquet.write_table(pa.Table.from_pylist(rows), sink)
    return sink.getvalue()


WRITERS: dict[str, Callable[[Rows], bytes]] = {".csv": as_csv, ".jsonl": as_json_lines, ".parquet": as_parquet}


def extracted(channels: dict[str, Path], config: TrainingConfig) -> Dataset | str:
    """The dataset, or the sentence that says why there is none."""
    try:
        return extract(channels, config)
    except UserDataError as error:
        return str(error)


def dropped(dataset: Dataset, channel: str) -> int:
    return sum(count for name, count in dataset.counts.items() if name.startswith(f"{channel}.dropped_"))


def accounted(dataset: Dataset, channel: str, n_rows: int, left: str) -> None:
    counts = dataset.counts
    merged = counts.get(f"{channel}.rows_merged", 0) + counts.get(f"{channel}.songs_merged_by_title_and_artist", 0)
    assert counts[f"{channel}.rows_read"] == n_rows == dropped(dataset, channel) + merged + counts.get(left, 0)
    steps = [step for step in dataset.steps if step.channel == channel]
    assert steps[0].rows_in == n_rows
    assert all(one.rows_out == next_one.rows_in for one, next_one in itertools.pairwise(steps))
    assert steps[-1].rows_out == counts[left]


@hypothesis(max_examples=80, deadline=None)
@given(rows=st.lists(SONG, min_size=1, max_size=12), policies=POLICY, ending=st.sampled_from(list(WRITERS)))
def test_every_row_of_a_catalogue_is_accounted_for(
    tmp_path_factory: pytest.TempPathFactory, rows: Rows, policies: dict[str, str], ending: str
) -> None:
    path = tmp_path_factory.mktemp("songs") / f"songs{ending}"
    path.write_bytes(WRITERS[ending](rows))
    dataset = extracted({"items": path}, settings(**policies))
    if isinstance(dataset, str):
        assert "none of its" in dataset
        return
    accounted(dataset, "items", len(rows), "items.songs")
    assert dataset.catalogue is not None
    assert dataset.counts["items.songs"] == int(dataset.catalogue.known.sum())


@hypothesis(max_examples=80, deadline=None)
@given(rows=st.lists(EVENT, min_size=1, max_size=15), policies=POLICY, ending=st.sampled_from(list(WRITERS)), catalogue=st.booleans())
def test_every_event_is_accounted_for(
    tmp_path_factory: pytest.TempPathFactory, rows: Rows, policies: dict[str, str], ending: str, catalogue: bool
) -> None:
    folder = tmp_path_factory.mktemp("events")
    (folder / f"events{ending}").write_bytes(WRITERS[ending](rows))
    channels: dict[str, Path] = {"interactions": folder / f"events{ending}"}
    if catalogue:
        (folder / "songs.csv").write_text("id\na\nb\n", encoding="utf-8")
        channels["items"] = folder / "songs.csv"
    dataset = extracted(channels, settings(event_weights={"skip": 0}, **policies))
    if isinstance(dataset, str):
        assert "none of " in dataset or "event_weights" in dataset
        return
    accounted(dataset, "interactions", len(rows), "interactions.entries")


@hypothesis(max_examples=60, deadline=None)
@given(rows=st.lists(SONG, min_size=1, max_size=8), content=st.data())
def test_what_is_wrong_with_a_cell_is_recorded_with_its_row_and_value(
    tmp_path_factory: pytest.TempPathFactory, rows: Rows, content: st.DataObject
) -> None:
    place = content.draw(st.integers(0, len(rows) - 1))
    rows = [row | {"id": f"s{number}", "energy": "0.5"} for number, row in enumerate(rows)]
    rows[place]["energy"] = "loud"
    path = tmp_path_factory.mktemp("songs") / "songs.csv"
    path.write_bytes(as_csv(rows))
    dataset = extract({"items": path}, settings())
    found = [problem for kind, problem in dataset.ledger.problems.items() if (kind.kind, kind.column) == ("unreadable_value", "energy")]
    assert [(problem.count, problem.examples) for problem in found] == [(1, [("items/songs.csv", place + 1, '"loud"')])]
