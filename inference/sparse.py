"""Rows of a sparse matrix, on memory-mapped arrays, without scipy."""

from __future__ import annotations

import functools

import numpy as np

from inference.native.matrix import Matrix
from inference.scratch import places_among


class SparseRows:
    """A sparse matrix in compressed rows: ``indptr`` int64 (rows + 1), ``indices`` int32 (ascending in a row), ``values`` float32."""

    ARRAYS = ("indptr", "indices", "values")

    def __init__(self, indptr: np.ndarray, indices: np.ndarray, values: np.ndarray, n_columns: int) -> None:
        # Plain views: slicing a numpy.memmap costs ten times what slicing the array under it does.
        self.indptr = np.asarray(indptr)
        self.indices = np.asarray(indices)
        self.values = np.asarray(values)
        self.n_columns = n_columns

    def __len__(self) -> int:
        return len(self.indptr) - 1

    @functools.cached_property
    def compiled(self) -> Matrix | None:
        """The same rows for the compiled kernels, where there are any."""
        return Matrix.of(self.indptr, self.indices, self.values, self.n_columns)

    def arrays(self) -> dict[str, np.ndarray]:
        return {"indptr": self.indptr, "indices": self.indices, "values": self.values}

    def row(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Returns (columns, values) of one row, as views."""
        start, stop = self.indptr[number], self.indptr[number + 1]
        return self.indices[start:stop], self.values[start:stop]

    def weighted_entries(self, rows: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns (columns int32, values float64 times the weight of their row) of all entries of ``rows``, one row after the other."""
        if not len(rows):
            return self.indices[:0], np.empty(0)
        begins, ends = self.indptr[rows], self.indptr[rows + 1]
        places = [slice(begin, end) for begin, end in zip(begins.tolist(), ends.tolist(), strict=True)]
        values = np.concatenate([self.values[place] for place in places], dtype=np.float64)
        values *= np.repeat(np.asarray(weights, dtype=np.float64), ends - begins)
        return np.concatenate([self.indices[place] for place in places]), values

    def weighted_sum(self, rows: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Returns ``weights @ self[rows]`` as a dense float64 vector (n_columns)."""
        columns, values = self.weighted_entries(rows, weights)
        if not len(columns):
            return np.zeros(self.n_columns)  # numpy.bincount forgets the dtype of its weights where there are none
        return np.bincount(columns, weights=values, minlength=self.n_columns)

    def block(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Returns the dense float64 matrix ``self[rows][:, columns]`` (rows, columns); the columns must be distinct."""
        if self.compiled is not None and (found := self.compiled.block(rows, columns)) is not None:
            return found
        out = np.zeros((len(rows), len(columns)))
        if len(rows):
            begins, ends = self.indptr[rows], self.indptr[rows + 1]
            entries = [slice(begin, end) for begin, end in zip(begins.tolist(), ends.tolist(), strict=True)]
            found, places = places_among(columns, np.concatenate([self.indices[some] for some in entries]), self.n_columns)
            owners = np.searchsorted(np.cumsum(ends - begins), found, side="right")
            out[owners, places] = np.concatenate([self.values[some] for some in entries])[found]
        return out


def rows_of(indptr: np.ndarray, values: np.ndarray, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns what the compressed rows ``numbers`` hold, end to end, and of each entry the place of its row among ``numbers`` (int64)."""
    entries, owners = entries_of(indptr, numbers)
    return values[entries], owners


def entries_of(indptr: np.ndarray, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the places of all entries of the rows ``numbers``, and of each the place of its row among ``numbers`` (both int64)."""
    starts = indptr[numbers]
    lengths = indptr[numbers + 1] - starts
    owners = np.repeat(np.arange(len(numbers)), lengths)
    within = np.arange(len(owners)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return starts[owners] + within, owners
