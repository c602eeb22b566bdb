"""Counts events: from rows to one entry per listener and song, in memory that does not grow with the number of rows.

Rows that do not fit are written to disk in buckets, each with all rows of its listeners, and counted bucket by bucket at the end.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from inference.history import EventWeighting
from training.data.entries import Entries
from training.data.id_table import IdTable

ROWS_IN_MEMORY = 8_000_000  # 24 bytes each
BUCKETS = 64
ENTRY = np.dtype([("user", np.int32), ("item", np.int32), ("weight", np.float32), ("seconds", np.int64)])
ROW = np.dtype([("user", np.int32), ("item", np.int32), ("weight", np.float64), ("seconds", np.int64)])


@dataclass(frozen=True)
class EventRows:
    """Some rows. ``user_ids``, ``item_ids``: distinct; ``users``, ``items``: int32 per row, places in them. ``weights``: float64, not 0.

    ``seconds``: int64, ``MISSING_TIME`` where unknown.
    """

    user_ids: pa.LargeStringArray
    users: NDArray[np.int32]
    item_ids: pa.LargeStringArray
    items: NDArray[np.int32]
    weights: NDArray[np.float64]
    seconds: NDArray[np.int64]


class EventCounter:
    """Is given rows, piece by piece, and counts them. A context manager: what it wrote to disk goes when the block ends.

    The result is the same, bit for bit, for any cut of the rows into pieces and any order of them.
    """

    def __init__(self, rows_in_memory: int = ROWS_IN_MEMORY, folder: Path | None = None) -> None:
        self.rows = 0
        self.spilled_bytes = 0
        self._rows_in_memory, self._folder = rows_in_memory, folder
        self._waiting: list[NDArray] = []
        self._n_waiting = 0
        self._users, self._items = IdTable(), IdTable()
        self._disk: tempfile.TemporaryDirectory[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._waiting.clear()
        if self._disk is not None:
            self._disk.cleanup()

    def add(self, rows: EventRows) -> None:
        """Takes some rows."""
        table = np.empty(len(rows.users), dtype=ROW)
        table["user"] = self._users.numbers(rows.user_ids)[rows.users]
        table["item"] = self._items.numbers(rows.item_ids)[rows.items]
        table["weight"], table["seconds"] = rows.weights, rows.seconds
        self._waiting.append(table)
        self._n_waiting += len(table)
        self.rows += len(table)
        if self._n_waiting > self._rows_in_memory:
            self._spill()

    def finish(self, weighting: str, name: str, counts: Counter[str]) -> Entries:
        """The sum of the weights of each listener and song, scaled as ``weighting`` says, and the time of the last event.

        Pairs whose weights do not sum to more than 0 are dropped. ``name`` is the channel, under which is counted what is merged.
        """
        user_ids, user_ranks = self._users.ranked()
        item_ids, item_ranks = self._items.ranked()

        def count(rows: NDArray) -> NDArray:
            return _entries(rows, user_ranks, item_ranks, weighting, name, counts)

        if self._disk is None:
            waiting, self._waiting = self._waiting, []
            entries = count(np.concatenate(waiting) if waiting else np.empty(0, dtype=ROW))
            columns = [np.ascontiguousarray(entries[column]) for column in ENTRY.names or ()]
            return Entries(user_ids, item_ids, columns[0], columns[1], columns[2], columns[3])
        self._spill()
        sizes = np.zeros(len(user_ids), dtype=np.int64)
        for bucket in self._buckets():
            entries = count(np.fromfile(bucket, dtype=ROW))
            entries.tofile(bucket)  # fewer bytes than the rows: all buckets together would take twice the memory of the result
            sizes += np.bincount(entries["user"], minlength=len(user_ids))
        return Entries(user_ids, item_ids, *self._interleaved(sizes))

    def _spill(self) -> None:
        """Writes the rows that wait to the files of their buckets."""
        if self._disk is None:
            self._disk = tempfile.TemporaryDirectory(prefix="events-", dir=self._folder)
        for rows in self._waiting:
            buckets = (rows["user"] % BUCKETS).astype(np.uint8)
            order = np.argsort(buckets, kind="stable")
            ends = np.cumsum(np.bincount(buckets, minlength=BUCKETS))
            rows = rows[order]
            for bucket, (start, end) in enumerate(zip([0, *ends[:-1].tolist()], ends.tolist(), strict=True)):
                if end > start:
                    with self._file(bucket).open("ab") as file:
                        rows[start:end].tofile(file)
            self.spilled_bytes += rows.nbytes
        self._waiting, self._n_waiting = [], 0

    def _file(self, bucket: int) -> Path:
        assert self._disk is not None
        return Path(self._disk.name, f"{bucket}.rows")

    def _buckets(self) -> Iterator[Path]:
        return (self._file(bucket) for bucket in range(BUCKETS) if self._file(bucket).exists())

    def _interleaved(self, sizes: NDArray[np.int64]) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32], NDArray[np.int64]]:
        """The counted entries of all buckets in the order of users, of whom ``sizes`` says how many entries each has."""
        starts = np.cumsum(sizes) - sizes
        total = int(sizes.sum())
        users = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
        items, weights, seconds = np.empty(total, np.int32), np.empty(total, np.float32), np.empty(total, np.int64)
        for bucket in self._buckets():
            part = np.fromfile(bucket, dtype=ENTRY)
            bucket.unlink()
            first = np.flatnonzero(np.diff(part["user"], prepend=-1))
            lengths = np.diff(np.append(first, len(part)))
            places = np.repeat(starts[part["user"][first]] - first, lengths) + np.arange(len(part))
            items[places], weights[places], seconds[places] = part["item"], part["weight"], part["seconds"]
        return users, items, weights, seconds


def _entries(
    rows: NDArray, user_ranks: NDArray[np.int32], item_ranks: NDArray[np.int32], weighting: str, name: str, counts: Counter[str]
) -> NDArray:
    """The entries of some rows, sorted by user, then item, as an array of ``ENTRY``."""
    pairs = user_ranks[rows["user"]].astype(np.int64) * max(len(item_ranks), 1) + item_ranks[rows["item"]]
    weights = rows["weight"]
    # Sums of whole numbers are exact in any order. Others are summed in the order of their size, so that the last bit is, too.
    whole = bool((weights == np.rint(weights)).all()) and float(np.abs(weights).sum()) < 2.0**53
    order = np.argsort(pairs) if whole else np.lexsort((weights, pairs))
    pairs = pairs[order]
    starts = np.flatnonzero(np.diff(pairs, prepend=-1))
    if not len(starts):
        return np.empty(0, dtype=ENTRY)
    sums = np.add.reduceat(weights[order], starts)
    last = np.maximum.reduceat(rows["seconds"][order], starts)
    positive = sums > 0
    counts[f"{name}.rows_merged"] += len(rows) - len(starts)
    counts[f"{name}.dropped_weight_not_positive"] += int((~positive).sum())
    entries = np.empty(int(positive.sum()), dtype=ENTRY)
    entries["user"], entries["item"] = np.divmod(pairs[starts[positive]], max(len(item_ranks), 1))
    entries["weight"] = EventWeighting(weighting).transform(sums[positive])
    entries["seconds"] = last[positive]
    return entries
