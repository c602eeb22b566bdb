"""The same dataset comes out, whoever reads the files: one thread, several, or processes, and however the files are cut."""

from __future__ import annotations

import dataclasses
import gzip
import io
import json
import random
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from scipy.sparse import sparray

from tests.training.data.conftest import settings
from training.data import extract as extract_module
from training.data.dask_engine import dask_on_this_machine
from training.data.dataset import Dataset
from training.data.engine import Engine, LocalEngine
from training.data.errors import UserDataError
from training.data.extract import extract

ROWS = 1500
SAMPLES: list[dict[str, int]] = [{}, {"sample_events": 700}, {"sample_listeners": 20, "sample_songs": 15}]


@pytest.fixture(scope="module")
def engines() -> Iterator[Mapping[str, Engine]]:
    """Readers by name; the first is what the others are compared with."""
    with dask_on_this_machine(1) as one, dask_on_this_machine(3) as three:
        yield {"one thread": LocalEngine(1), "three threads": LocalEngine(3), "one process": one, "three processes": three}


@pytest.fixture(scope="module")
def channels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Events and songs in every format, with mistakes in them."""
    root = tmp_path_factory.mktemp("channels")
    rng = random.Random(11)
    rows = [
        {"user": f"u{rng.randrange(60)}", "item": f"s{rng.randrange(40)}", "timestamp": rng.choice([1_600_000_000 + number, "soon", ""])}
        for number in range(ROWS)
    ]
    rows += [{"user": "", "item": "s1", "timestamp": 1}, {"user": "u1", "item": "s-unknown", "timestamp": 1}]
    rng.shuffle(rows)
    text = "user,item,timestamp\n" + "".join(f"{row['user']},{row['item']},{row['timestamp']}\n" for row in rows)
    columns = {name: [str(row[name]) for row in rows] for name in ("user", "item", "timestamp")}
    parquet = io.BytesIO()
    pa.parquet.write_table(pa.table(columns), parquet, row_group_size=100)
    events = {
        "a.csv": (text + "u2,s2\n" + "u3,s3,1,2\n").encode(),
        "part/b.csv.gz": gzip.compress(text.encode()),
        "c.jsonl": "".join(json.dumps(row) + "\n" for row in rows[:500]).encode(),
        "d.parquet": parquet.getvalue(),
        "_SUCCESS": b"",
    }
    songs = "track_id,track_name,artists,track_genre,tempo\n" + "".join(
        f's{number},"Song, {number % 35}\n(live)",A{number % 7},{rng.choice(["pop", "rock"])},{rng.choice(["120.5", "fast", "-3"])}\n'
        for number in [*range(40), *range(10)]
    )
    for name, content in [*((f"interactions/{name}", body) for name, body in events.items()), ("items/songs.csv", songs.encode())]:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return {"interactions": root / "interactions", "items": root / "items"}


def differences(left: Any, right: Any, path: str = "dataset") -> list[str]:
    """The places at which two datasets differ."""
    if dataclasses.is_dataclass(left):
        return [
            found
            for field in dataclasses.fields(left)
            for found in differences(getattr(left, field.name), getattr(right, field.name), f"{path}.{field.name}")
        ]
    if isinstance(left, sparray):
        return differences(left.toarray(), right.toarray(), path)
    if isinstance(left, np.ndarray):
        np.testing.assert_array_equal(left, right, err_msg=path)
        return [] if left.dtype == right.dtype else [path]
    if isinstance(left, dict):
        missing = [f"{path}[{key}]" for key in left.keys() ^ right.keys()]
        return missing + [found for key in left.keys() & right.keys() for found in differences(left[key], right[key], f"{path}[{key}]")]
    return [] if left == right else [f"{path}: {left!r} and {right!r}"]


@pytest.mark.parametrize("sample", SAMPLES)
@pytest.mark.parametrize("piece_bytes", [1 << 30, 20_000, 900])
def test_the_dataset_does_not_depend_on_who_reads_or_how_files_are_cut(
    engines: Mapping[str, Engine],
    channels: dict[str, Path],
    monkeypatch: pytest.MonkeyPatch,
    piece_bytes: int,
    sample: dict[str, int],
) -> None:
    config = settings(partition_mb=1, **sample)
    whole = extract(channels, config, LocalEngine(1))
    assert len(whole.interactions) > 100
    assert len(whole.ledger.problems) > 2
    monkeypatch.setattr(extract_module, "MEGABYTE", piece_bytes)
    for name, engine in engines.items():
        found = extract(channels, config, engine)
        assert differences(whole, found) == [], name


def test_the_first_refusal_in_the_order_of_files_is_the_same(
    engines: Mapping[str, Engine], channels: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extract_module, "MEGABYTE", 900)
    sentences = set()
    for engine in engines.values():
        with pytest.raises(UserDataError) as raised:
            extract(channels, settings(partition_mb=1, quality_broken_time="refuse"), engine)
        sentences.add(str(raised.value))
    (sentence,) = sentences
    assert "interactions/a.csv" in sentence


def test_a_file_that_cannot_be_read_is_named_by_every_engine(engines: Mapping[str, Engine], tmp_path: Path) -> None:
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 and no more")
    sentences = set()
    for engine in engines.values():
        with pytest.raises(UserDataError, match=r"broken\.parquet: cannot be read as Parquet") as raised:
            extract({"items": tmp_path}, settings(), engine)
        assert type(raised.value) is UserDataError
        sentences.add(str(raised.value))
    assert len(sentences) == 1


def test_there_are_datasets_that_differ(channels: dict[str, Path]) -> None:
    """The comparison itself sees a difference."""
    one: Dataset = extract(channels, settings())
    other: Dataset = extract({"interactions": channels["interactions"]}, settings())
    assert differences(dataclasses.replace(one, files=[]), one)
    assert differences(one.counts, other.counts)
