"""From a catalogue in gzip CSV to features, and the reading alone, by us and by others, in turns in one process."""

from __future__ import annotations

import dataclasses
import gc
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from container.cpus import usable_cpus
from scripts import peers_pandas
from scripts.answer_table import table
from scripts.peers_reading import readers
from training.config import TrainingConfig
from training.data.channel import Channel, look_at, read, wanted_columns
from training.data.choose import song_columns
from training.data.engine import LocalEngine
from training.data.extract import MEGABYTE, extract
from training.data.problems import Ledger
from training.data.songs import read_songs
from training.features import fit_transform

OURS, PANDAS = "ours, file to features", "plain pandas, file to features"
READING, PARSING = "ours, reading", "ours, reading and values"
TARGET_RATE = 100_000
HEADING = ["what", "best s", "median s", "rows/s", "times ours"]


def compare(path: Path, rounds: int) -> dict[str, Any]:
    """Times everything ``rounds`` times, one after another in each round, and returns seconds, counts and ratios by name."""
    config = TrainingConfig.from_hyperparameters({"features_lyrics": "false"})
    channel, _ = _looked_at(path, config)
    columns = wanted_columns(channel.chosen[channel.plans[0].file.name][1])
    whole: dict[str, Callable[[Path], int]] = {OURS: lambda file: _features(file, config)}
    if channel.chosen[channel.plans[0].file.name][0].name == "spotify_tracks":
        whole[PANDAS] = lambda file: len(peers_pandas.features(file)[0])
    reading = {READING: lambda file: _read(file, config), PARSING: lambda file: _parse(file, config), **readers(columns)}
    seconds, counts = in_turns({**whole, **reading}, path, rounds)
    rows = counts[READING]
    return {
        "file": path.name,
        "bytes": path.stat().st_size,
        "rows": rows,
        "songs": counts[OURS],
        "rounds": rounds,
        "columns_read": len(columns),
        "features": _compared({name: seconds[name] for name in whole}, OURS, rows),
        "reading": _compared({name: seconds[name] for name in reading}, READING, rows),
        "counts": counts,
    }


def in_turns(what: Mapping[str, Callable[[Path], int]], path: Path, rounds: int) -> tuple[dict[str, list[float]], dict[str, int]]:
    """Calls each function once in every round, each round beginning with another; returns their seconds and what they returned.

    One call of each beforehand is not counted: it imports, and brings the file into memory.
    """
    counts = {name: function(path) for name, function in what.items()}
    seconds: dict[str, list[float]] = {name: [] for name in what}
    names = list(what)
    for number in range(rounds):
        shift = number % len(names)
        for name in names[shift:] + names[:shift]:
            gc.collect()
            begin = time.perf_counter()
            what[name](path)
            seconds[name].append(time.perf_counter() - begin)
    return seconds, counts


def shown(found: Mapping[str, Any]) -> str:
    """The comparison as text."""
    lines = [f"{found['file']}: {found['rows']:,} rows, {found['songs']:,} songs, {found['bytes'] / 1e6:.1f} MB, {found['rounds']} rounds"]
    for part in ("features", "reading"):
        rows = [
            [name, f"{one['best']:.3f}", f"{one['median']:.3f}", f"{one['rows_per_second']:.0f}", f"{one['times_ours']:.2f}"]
            for name, one in found[part].items()
        ]
        lines += ["", *table([HEADING, *rows])]
    rate = found["features"][OURS]["rows_per_second"]
    lines += ["", f"target: {TARGET_RATE:,} rows/s from file to features: {'reached' if rate >= TARGET_RATE else 'MISSED'} ({rate:,.0f})"]
    polars = {name: one["times_ours"] for name, one in found["reading"].items() if name.startswith("polars")}
    if not polars:
        return "\n".join([*lines, "polars is not installed (scripts/setup installs it): not compared"])
    fastest, ratio = min(polars.items(), key=lambda pair: pair[1])
    lines.append(f"target: reading not slower than polars: {'reached' if ratio >= 1 else 'MISSED'} ({fastest}: {ratio:.2f} times ours)")
    return "\n".join(lines)


def _compared(seconds: Mapping[str, Sequence[float]], ours: str, rows: int) -> dict[str, dict[str, float]]:
    """Of each the best and the median, and the median of the ratios to ours in the same round: other work on the machine slows both."""
    return {
        name: {
            "best": min(times),
            "median": statistics.median(times),
            "rows_per_second": rows / min(times),
            "times_ours": statistics.median(one / own for one, own in zip(times, seconds[ours], strict=True)),
        }
        for name, times in seconds.items()
    }


def _features(path: Path, config: TrainingConfig) -> int:
    dataset = extract({"items": path}, config, LocalEngine(usable_cpus()))
    assert dataset.catalogue is not None
    fit_transform(dataset.catalogue, config.features, dataset.catalogue.known, config.seed)
    return int(dataset.catalogue.known.sum())


def _looked_at(path: Path, config: TrainingConfig) -> tuple[Channel, Ledger]:
    ledger = Ledger(dataclasses.asdict(config.quality))

    def choose(file: Path, columns: Sequence[str]) -> Any:
        return song_columns(file, columns, config.data, config.features, True)

    piece_bytes = int(config.data.partition_mb * MEGABYTE)
    return look_at("items", {"items": path}, choose, LocalEngine(usable_cpus()), piece_bytes, False, ledger), ledger


def _read(path: Path, config: TrainingConfig) -> int:
    """All cells of the columns that play a role, as text, kept in memory; with the sha256 of the file and its misshapen rows."""
    channel, ledger = _looked_at(path, config)

    def keep(cells: Mapping[str, pa.ChunkedArray], *_: object) -> Mapping[str, pa.ChunkedArray]:
        return cells

    def choose(file: Path, columns: Sequence[str]) -> Any:
        return song_columns(file, columns, config.data, config.features, True)

    parts = list(read(channel, keep, choose, LocalEngine(usable_cpus()), ledger))
    return sum(part.rows for part in parts)


def _parse(path: Path, config: TrainingConfig) -> int:
    """The same, and every value read: numbers in our units, names, keys, judged against the settings."""
    channel, ledger = _looked_at(path, config)
    songs = read_songs(channel, config.data, config.features, True, LocalEngine(usable_cpus()), ledger)
    return 0 if songs is None else songs.table.num_rows
