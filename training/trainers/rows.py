"""Sparse rows that are put together a block at a time, so that what is made on the way never exists all at once."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from inference.sparse import SparseRows, entries_of

_TABLE = 4_000_000  # entries of a padded table
_BLOCK = 20_000


class RowsWriter:
    """Takes rows in their order, and keeps them in one pair of arrays.

    ``most`` entries are reserved, not taken: the system gives memory to what is written only, and ``finished`` gives back the rest. Where
    more comes, or nobody knows how much (0), the arrays grow by a quarter.
    """

    def __init__(self, most: int = 0) -> None:
        self._indices, self._values = np.empty(most, dtype=np.int32), np.empty(most, dtype=np.float32)
        self._lengths: list[np.ndarray] = [np.zeros(1, dtype=np.int64)]
        self._end = 0

    def append(self, lengths: np.ndarray, columns: np.ndarray, values: np.ndarray) -> None:
        """Adds rows, end to end, with their columns ascending."""
        span = slice(self._end, self._end + len(columns))
        if span.stop > len(self._indices):
            self._resize(max(span.stop, len(self._indices) * 5 // 4))
        self._indices[span], self._values[span] = columns, values
        self._lengths.append(np.asarray(lengths, dtype=np.int64))
        self._end = span.stop

    def finished(self, n_columns: int) -> SparseRows:
        """Returns the matrix. May be called once: the arrays are given away."""
        self._resize(self._end)
        return SparseRows(np.cumsum(np.concatenate(self._lengths)), self._indices, self._values, n_columns)

    def _resize(self, entries: int) -> None:
        self._indices.resize(entries, refcheck=False)  # where they lie, if the system can
        self._values.resize(entries, refcheck=False)


def top_of_table(table: np.ndarray, k: int, least: float = 0.0) -> np.ndarray:
    """Returns bool (rows, columns): the ``k`` largest values of each row, of those above ``least``; among equals the first ones."""
    if table.shape[1] <= k:
        return np.asarray(table > least)
    place = table.shape[1] - k
    threshold = np.maximum(np.partition(table, place, axis=1)[:, place : place + 1], np.float32(least))
    keep = table > threshold
    ties = (table == threshold) & (threshold > least)
    room = k - np.count_nonzero(keep, axis=1)
    crowded = np.flatnonzero(np.count_nonzero(ties, axis=1) > room)
    if len(crowded):
        ties[crowded] &= np.cumsum(ties[crowded], axis=1, dtype=np.int32) <= room[crowded, None]
    keep |= ties
    return keep


def strongest(indptr: np.ndarray, values: np.ndarray, k: int) -> np.ndarray:
    """Returns bool (entries,): of each compressed row the ``k`` largest positive values; among equals the first ones."""
    keep = values > 0
    lengths = np.diff(indptr)
    order = np.argsort(lengths, kind="stable")
    order = order[lengths[order] > k]
    stop = len(order)
    while stop > 0:  # rows of like length together, the longest first, so that little is padded
        width = int(lengths[order[stop - 1]])
        start = max(0, stop - max(1, _TABLE // width))
        rows = order[start:stop]
        within = np.arange(width)
        inside = within < lengths[rows, None]
        places = np.minimum(indptr[rows, None] + within, len(values) - 1)
        top = top_of_table(np.where(inside, values[places], np.float32(0)), k)
        keep[places[inside]] = top[inside]
        stop = start
    return keep


def lengths_kept(indptr: np.ndarray, keep: np.ndarray) -> np.ndarray:
    """Returns int64 (rows,): how many entries of each compressed row are kept."""
    before = np.concatenate([[0], np.cumsum(keep, dtype=np.int64)])
    return np.asarray(np.diff(before[indptr]))


def as_csr(rows: SparseRows, start: int = 0, stop: int | None = None) -> csr_array:
    """Returns rows of a matrix as scipy's, without a copy of indices and values."""
    indptr = rows.indptr[start : (len(rows) if stop is None else stop) + 1]
    span = slice(int(indptr[0]), int(indptr[-1]))
    # 32 bits where they do: with an int64 indptr scipy would widen the column numbers, too, and take half as much memory again.
    width = np.int32 if span.stop - span.start < np.iinfo(np.int32).max else np.int64
    parts = (rows.values[span], rows.indices[span], (indptr - indptr[0]).astype(width))
    return csr_array(parts, shape=(len(indptr) - 1, rows.n_columns))


def symmetric(rows: SparseRows, owners: np.ndarray) -> SparseRows:
    """Returns square rows in which what one keeps of another, the other keeps, too; the larger value where both do.

    ``rows``: row r is that of the number ``owners[r]`` (int32, distinct), its values positive; numbers without a row have an empty one.
    Takes about four times the memory of ``rows``, its result included, which has up to twice its entries.
    """
    n = rows.n_columns
    back = as_csr(rows).T.tocsr()
    row_of = np.full(n, len(rows), dtype=np.int64)
    row_of[owners] = np.arange(len(rows))
    indptr = np.append(rows.indptr, rows.indptr[-1])  # one more, which is empty, for those without
    out = RowsWriter(2 * len(rows.values))
    for start in range(0, n, _BLOCK):
        stop = min(start + _BLOCK, n)
        entries, _ = entries_of(indptr, row_of[start:stop])
        ends = np.cumsum(np.diff(indptr)[row_of[start:stop]])
        shape = (stop - start, n)
        parts = (rows.values[entries], rows.indices[entries], np.concatenate([[0], ends]).astype(np.int32))
        forth = csr_array(parts, shape=shape)
        span = slice(int(back.indptr[start]), int(back.indptr[stop]))
        others = (back.data[span], owners[back.indices[span]], back.indptr[start : stop + 1] - back.indptr[start])
        reverse = csr_array(others, shape=shape)
        reverse.sort_indices()
        both = forth.maximum(reverse)
        both.sort_indices()
        out.append(np.diff(both.indptr), both.indices, both.data)
    return out.finished(n)
