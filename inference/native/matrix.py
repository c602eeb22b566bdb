"""What the kernels do with sparse rows."""

from __future__ import annotations

import ctypes
from typing import Self

import numpy as np

from inference.native.library import UNLIKE, RowsStruct, address, checked, is_plain, library


class Matrix:
    """``indptr`` int64, ``indices`` int32, ``values`` float32, as ``inference.sparse.SparseRows`` has them."""

    def __init__(self, indptr: np.ndarray, indices: np.ndarray, values: np.ndarray, n_columns: int, functions: ctypes.CDLL) -> None:
        self._arrays = indptr, indices, values  # the struct only knows where they are
        self._block = functions.block
        self._rows = RowsStruct(address(indptr), address(indices), address(values), len(indptr) - 1, len(indices), n_columns)
        self.at = ctypes.addressof(self._rows)

    @classmethod
    def of(cls, indptr: np.ndarray, indices: np.ndarray, values: np.ndarray, n_columns: int) -> Self | None:
        """Returns None where nothing is compiled, or the arrays are others."""
        functions = library()
        plain = is_plain(indptr, np.int64) and is_plain(indices, np.int32) and is_plain(values, np.float32)
        if functions is None or not plain or not len(indptr) or len(indices) != len(values):
            return None
        return cls(indptr, indices, values, n_columns, functions)

    def block(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray | None:
        """Returns the dense float64 matrix of ``rows`` and distinct ``columns`` (int); None where those are too many."""
        out = np.zeros((len(rows), len(columns)))
        rows, columns = np.ascontiguousarray(rows, dtype=np.int32), np.ascontiguousarray(columns, dtype=np.int64)
        found = checked(self._block(self.at, address(rows), len(rows), address(columns), len(columns), address(out)))
        return None if found == UNLIKE else out
