"""Scores of many histories as a product of two sparse matrices, made for the kernel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from inference.histories import Terms, side_by_side, starts_of
from inference.kernel import Rows
from inference.sparse import SparseRows, entries_of


class Addend(NamedTuple):
    """``terms`` of some histories times ``matrix``, whose columns are the songs."""

    terms: Terms
    matrix: SparseRows


class Product(NamedTuple):
    """``left @ right`` are the scores of some histories, −∞ where a song is excluded.

    ``error`` float64 per history: two songs whose scores are further apart have the same order when each is added up in any other way.
    ``added``: the values of ``right`` up to there are added up, those behind it exclude songs.
    """

    left: Rows
    right: Rows
    error: np.ndarray
    added: int

    def some(self, histories: np.ndarray) -> Product:
        """Returns the product of these histories only."""
        if len(histories) == self.left.n_rows:
            return self
        entries, _ = entries_of(self.left.starts, histories)
        starts = starts_of(np.diff(self.left.starts)[histories]).astype(np.int32)
        left = Rows(starts, self.left.columns[entries], self.left.values[entries])
        return Product(left, self.right, self.error[histories], self.added)

    def norms(self) -> np.ndarray:
        """Returns about how large the scores of each history are, float64: the length of the vector, were no rows of ``right`` alike."""
        before = np.concatenate([[0.0], np.cumsum(self.right.values[: self.added] ** 2)])
        ends = np.minimum(self.right.starts, self.added)
        squares = np.maximum(before[ends[1:]] - before[ends[:-1]], 0.0)
        owners = np.repeat(np.arange(self.left.n_rows), np.diff(self.left.starts))
        return np.sqrt(np.bincount(owners, self.left.values**2 * squares[self.left.columns], minlength=self.left.n_rows))


def product(addends: Sequence[Addend], excluded: Terms, n_songs: int) -> Product:
    """Returns the sum of the ``addends``; ``excluded``: songs of each history, in ``rows``.

    The right matrix holds only rows that occur, in float64: so the sums are those of a single request but for their last bits, and no more
    than these rows is copied. Each excluded song is a row of its own, with −∞ in its column.
    """
    needed = [_distinct(one.terms.rows, len(one.matrix)) for one in addends]
    shut, shut_places = _distinct(excluded.rows, n_songs)
    lengths = [np.diff(one.matrix.indptr)[rows] for (rows, _), one in zip(needed, addends, strict=True)]
    starts = starts_of(np.concatenate([*lengths, np.ones(len(shut), np.int64)]))
    added = int(starts[-1]) - len(shut)
    columns, values = np.empty(starts[-1], np.int32), np.empty(starts[-1])
    at = 0
    for (rows, _), one, length in zip(needed, addends, lengths, strict=True):
        here = slice(at, at := at + int(length.sum()))
        _copy(one.matrix, rows, columns[here], values[here])
    columns[added:], values[added:] = shut, -np.inf
    right = Rows(starts.astype(np.int32), columns, values)
    first = np.cumsum([0, *(len(rows) for rows, _ in needed)])
    parts = [one.terms._replace(rows=places + start) for one, (_, places), start in zip(addends, needed, first[:-1].tolist(), strict=True)]
    left = side_by_side([*parts, excluded._replace(rows=shut_places + int(first[-1]), weights=np.ones(len(shut_places)))])
    return Product(Rows(left.starts.astype(np.int32), left.rows, left.weights), right, _error(parts, values[:added]), added)


def _copy(matrix: SparseRows, rows: np.ndarray, columns: np.ndarray, values: np.ndarray) -> None:
    """Writes the entries of some rows, one row after the other, into ``columns`` and ``values``; of all rows in one piece."""
    if len(rows) == len(matrix):
        columns[:], values[:] = matrix.indices, matrix.values
    elif len(rows):
        pieces = list(map(slice, matrix.indptr[rows].tolist(), matrix.indptr[rows + 1].tolist()))
        np.concatenate([matrix.indices[one] for one in pieces], out=columns)
        np.concatenate([matrix.values[one] for one in pieces], out=values)


def _error(parts: list[Terms], values: np.ndarray) -> np.ndarray:
    """Each of k additions, of a score and of a weight, rounds by half an eps of what has been added up, for two songs, in two ways."""
    counts = np.sum([np.diff(part.starts) for part in parts], axis=0)
    sums = np.sum([part.sums_of_sizes for part in parts], axis=0)
    largest = max(values.max(initial=0.0), -values.min(initial=0.0))
    error: np.ndarray = 4 * (counts + 8) * np.finfo(np.float64).eps * sums * largest
    return error


def _distinct(rows: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the distinct ``rows`` (each from 0 to n - 1), in no order, and of each of ``rows`` its place among them (both int32).

    Where they are most of all n, it returns all n, in order: copying a matrix whole is faster than in many pieces.
    """
    place = np.empty(n, dtype=np.int32)
    at = np.arange(len(rows), dtype=np.int32)
    place[rows] = at  # of equal ones the last overwrites the others, and stands for them
    first = rows[place[rows] == at]
    if 2 * len(first) > n:
        return np.arange(n, dtype=np.int32), rows
    place[first] = at[: len(first)]
    return first, place[rows]
