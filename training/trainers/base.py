"""What every trainer gets, and the arithmetic that they share."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
from scipy.sparse import csr_array
from threadpoolctl import threadpool_limits

from inference.features.store import FeatureStore
from inference.features.transform import FeatureTransform
from inference.scorers import ItemToItemScorer
from inference.sparse import SparseRows
from training.data.dataset import Catalogue
from training.progress import track
from training.trainers.rows import RowsWriter, as_csr

Job = TypeVar("Job")
Result = TypeVar("Result")
_COLUMNS = 1000  # that are put together at once


Features = tuple[FeatureTransform, FeatureStore]


@dataclass(frozen=True)
class TrainingData:
    """``user_items``: float32 weights (listeners × songs), only the listeners to learn from. ``threads``: at least 1. ``features``: of
    the songs of the catalogue, and what made them (``training.features.fit_transform``); None without a catalogue. ``memory_limit_gb``:
    what a trainer's matrices of songs × songs may take; it keeps fewer neighbours, or takes a sparse form, to stay below.

    ``users``: int, the listener's number of each row. ``times``: int64, aligned with the entries of ``user_items``, when each was played
    last (``in_seconds``), or its place in the list; ``MISSING_TIME`` where unknown. ``words``: bool (listeners × words), what each is
    called. Each is None where the data does not say."""

    user_items: csr_array
    catalogue: Catalogue | None
    seed: int
    threads: int
    features: Features | None = None
    memory_limit_gb: float = 4.0
    users: np.ndarray | None = None
    times: np.ndarray | None = None
    in_seconds: bool = True
    words: csr_array | None = None

    @property
    def n_items(self) -> int:
        return int(self.user_items.shape[1])

    @cached_property
    def listeners(self) -> np.ndarray:
        """How many listeners have played each song, int32 (songs,)."""
        return np.bincount(self.user_items.indices, minlength=self.n_items).astype(np.int32)

    @cached_property
    def binary(self) -> csr_array:
        """``user_items`` with every weight 1."""
        return csr_array((np.ones_like(self.user_items.data), self.user_items.indices, self.user_items.indptr), shape=self.user_items.shape)

    @property
    def is_binary(self) -> bool:
        return bool((self.user_items.data == 1).all())


def in_threads(work: Callable[[Job], Result], jobs: Sequence[Job], threads: int, description: str = "") -> Iterator[Result]:
    """Runs ``work`` on each job, in threads, and yields the results in order: numpy, LAPACK and scipy let go of the interpreter lock.

    With a ``description`` a person at a terminal sees a progress bar.

    Meanwhile BLAS keeps to one thread in each: threads within threads made small systems ten times slower.
    """
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(max(1, threads)) as pool:
        results = pool.map(work, jobs)
        yield from track(results, len(jobs), description) if description else results


def blocks(n: int, size: int) -> list[np.ndarray]:
    """Cuts ``range(n)`` into consecutive int32 blocks."""
    return [np.arange(start, min(start + size, n), dtype=np.int32) for start in range(0, n, size)]


def top_k_of_row(columns: np.ndarray, values: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the ``k`` columns of the largest values, columns ascending. At equal values the smaller column wins, whatever k."""
    if len(columns) > k:
        threshold = np.partition(values, len(values) - k)[len(values) - k]
        above = np.flatnonzero(values > threshold)
        keep = np.sort(np.concatenate([above, np.flatnonzero(values == threshold)[: k - len(above)]]))
        return columns[keep], values[keep]
    return columns, values


def operator_of_columns(columns: Iterable[tuple[np.ndarray, np.ndarray]], n_items: int) -> ItemToItemScorer:
    """Makes the scorer of an operator that is given column by column: for each song in order, the songs that speak for it (numbers
    ascending) and how much each does.
    """
    out, waiting = RowsWriter(), iter(columns)
    while some := list(itertools.islice(waiting, _COLUMNS)):
        numbers, values = zip(*some, strict=True)
        out.append(np.array([len(column) for column in numbers]), np.concatenate(numbers), np.concatenate(values))
    by_target = as_csr(out.finished(n_items))
    rows = by_target.T.tocsr()
    rows.eliminate_zeros()
    rows.sort_indices()
    return ItemToItemScorer(SparseRows(rows.indptr.astype(np.int64), rows.indices.astype(np.int32, copy=False), rows.data, n_items))
