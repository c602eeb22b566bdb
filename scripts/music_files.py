"""Writes rows as CSV, and events as CSV or as shards of Parquet, block by block; the same rows give the same bytes."""

import csv
import gzip
import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet

from scripts.music_listening import EVENT_TYPES, Events

EVENT_HEADER = ("USER_ID", "ITEM_ID", "TIMESTAMP", "EVENT_TYPE")
ROW_GROUP = 1 << 20
DICTIONARY_BYTES = 1 << 25


def write_csv(path: Path, header: Sequence[str], lines: Iterable[Sequence[object]]) -> int:
    """Writes a file, gzip if it is called `.gz`, and returns how many rows it has."""
    path.parent.mkdir(parents=True, exist_ok=True)
    written = 0

    def counted() -> Iterator[Sequence[object]]:
        nonlocal written
        for line in lines:
            written += 1
            yield line

    with _open_text(path) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(counted())
    return written


def event_rows(blocks: Iterable[Events], ids: list[str], n_listeners: int) -> Iterator[tuple[str, str, int, str]]:
    """The events as rows of CSV under `EVENT_HEADER`."""
    for events in blocks:
        first, names = _listener_names(events, n_listeners)
        columns = (events.listeners.tolist(), events.songs.tolist(), events.seconds.tolist(), events.types.tolist())
        for listener, song, seconds, kind in zip(*columns, strict=True):
            yield names[listener - first], ids[song], seconds, EVENT_TYPES[kind]


def write_event_shards(folder: Path, blocks: Iterable[Events], ids: list[str], n_listeners: int) -> int:
    """Writes a Parquet file for each block and returns how many events there are."""
    folder.mkdir(parents=True, exist_ok=True)
    songs, types = pa.array(ids), pa.array(EVENT_TYPES)
    written = 0
    for number, events in enumerate(blocks):
        first, names = _listener_names(events, n_listeners)
        columns = [
            pa.array(names).take(pa.array(events.listeners - first)),
            songs.take(pa.array(events.songs)),
            pa.array(events.seconds),
            types.take(pa.array(events.types)),
        ]
        table = pa.table(dict(zip(EVENT_HEADER, columns, strict=True)))
        path = folder / f"events-{number:05d}.parquet"
        pa.parquet.write_table(table, path, row_group_size=ROW_GROUP, compression="zstd", dictionary_pagesize_limit=DICTIONARY_BYTES)
        written += table.num_rows
    return written


def _listener_names(events: Events, n_listeners: int) -> tuple[int, list[str]]:
    """The smallest number of a listener in a block, and the names from there to the largest."""
    width = len(str(n_listeners))
    first, last = int(np.min(events.listeners)), int(np.max(events.listeners))
    return first, [f"listener-{number:0{width}d}" for number in range(first + 1, last + 2)]


@contextmanager
def _open_text(path: Path) -> Iterator[TextIO]:
    if path.suffix != ".gz":
        with path.open("w", encoding="utf-8", newline="") as file:
            yield file
        return
    # neither the time nor the name of the file goes into the gzip header: same data, same bytes
    with path.open("wb") as raw, gzip.GzipFile("", "wb", 6, raw, mtime=0) as packed, io.TextIOWrapper(packed, "utf-8", newline="") as text:
        yield text
