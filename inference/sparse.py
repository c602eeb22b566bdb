"""Rows of a sparse matrix, on memory-mapped arrays, without scipy."""

from __future__ import annotations

import numpy as np


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

    def arrays(self) -> dict[str, np.ndarray]:
        return {"indptr": self.indptr, "indices": self.indices, "values": self.values}

    def row(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Returns (columns, values) of one row, as views."""
        start, stop = self.indptr[number], self.indptr[number + 1]
        return self.indices[start:stop], self.values[start:stop]

    def weighted_sum(self, rows: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Returns ``weights @ self[rows]`` as a dense float64 vector (n_columns)."""
        parts = [self.row(r) for r in rows.tolist()]
        columns = np.concatenate([columns for columns, _ in parts]) if parts else self.indices[:0]
        if not len(columns):
            return np.zeros(self.n_columns)  # numpy.bincount forgets the dtype of its weights where there are none
        values = np.concatenate([values for _, values in parts]).astype(np.float64)
        values *= np.repeat(np.asarray(weights, dtype=np.float64), [len(columns) for columns, _ in parts])
        return np.bincount(columns, weights=values, minlength=self.n_columns)

    def block(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Returns the dense float64 matrix ``self[rows][:, columns]`` (rows, columns); the columns must be distinct."""
        out = np.zeros((len(rows), len(columns)))
        parts = [self.row(r) for r in rows.tolist()]
        if parts:
            stored = np.concatenate([row_columns for row_columns, _ in parts])
            places = np.full(self.n_columns, -1, dtype=np.int32)
            places[columns] = np.arange(len(columns))
            found = np.flatnonzero(places[stored] >= 0)
            owners = np.repeat(np.arange(len(rows)), [len(row_columns) for row_columns, _ in parts])
            out[owners[found], places[stored[found]]] = np.concatenate([values for _, values in parts])[found]
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
