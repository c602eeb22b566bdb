"""The one piece of foreign machine code that answers requests: the best entries of a product of sparse matrices.

It is the compiled module of the package ``sparse_dot_topn`` (ING, Apache-2), found and loaded by its file, when a batch first wants it. The
package itself is never imported: that would import scipy and psutil, which takes 0.2 s and 27 MB in every worker, and fails where psutil
cannot count the processor's cores. The module alone needs numpy only, and takes 10 ms and 1.4 MB.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from types import ModuleType
from typing import NamedTuple, Protocol

import numpy as np

PACKAGE, MODULE = "sparse_dot_topn", "_sparse_dot_topn_core"


class Rows(NamedTuple):
    """A sparse matrix in compressed rows, as the kernel wants it: ``starts`` int32 (rows + 1), ``columns`` int32, ``values`` float64, all
    writable, though it writes nothing. A row may name a column twice; the values then add up."""

    starts: np.ndarray
    columns: np.ndarray
    values: np.ndarray

    @property
    def n_rows(self) -> int:
        return len(self.starts) - 1


class Kernel(Protocol):
    def __call__(self, left: Rows, right: Rows, n_columns: int, n: int, above: float) -> Rows:
        """Returns the ``n`` largest values of each row of ``left @ right``, of those larger than ``above`` (0 or more), largest first; of
        equal ones any, in any order. Each sum is added up in float64, in the order of the entries of ``left``.
        ``n_columns``: of ``right``."""


@functools.cache
def load_kernel() -> Kernel | None:
    """Returns the kernel, or None where it is not installed, does not fit this machine, or does not do what it should."""
    path = _path()
    if path is None:
        return None
    os.environ.setdefault("KMP_DUPLICATE_LIB_OK", "True")  # as the package does: on a Mac, scikit-learn has brought an OpenMP of its own
    try:
        kernel = _of(_module(path).sp_matmul_topn_sorted)
        return kernel if _works(kernel) else None
    except (ImportError, AttributeError, TypeError, OSError):
        return None


def _module(path: Path) -> ModuleType:
    name = f"{PACKAGE}.lib.{MODULE}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        sys.modules[name] = module  # as import does; and a module that nobody holds takes its functions' memory with it
    return sys.modules[name]


def _path() -> Path | None:
    try:
        spec = importlib.util.find_spec(PACKAGE)  # of a package this imports nothing
    except (ImportError, ValueError):
        return None
    folders = [] if spec is None else [Path(place) / "lib" for place in spec.submodule_search_locations or ()]
    return next((path for folder in folders for suffix in EXTENSION_SUFFIXES if (path := folder / f"{MODULE}{suffix}").is_file()), None)


def _of(function: object) -> Kernel:
    def kernel(left: Rows, right: Rows, n_columns: int, n: int, above: float) -> Rows:
        values, columns, starts = function(  # type: ignore[operator]
            top_n=n,
            nrows=left.n_rows,
            ncols=n_columns,
            threshold=above,
            density=1.0,
            A_data=left.values,
            A_indptr=left.starts,
            A_indices=left.columns,
            B_data=right.values,
            B_indptr=right.starts,
            B_indices=right.columns,
        )
        return Rows(starts, columns, values)

    return kernel


def _works(kernel: Kernel) -> bool:
    """Tries a product that any change of what the arguments mean would change."""
    left = Rows(np.array([0, 2, 2, 3], np.int32), np.array([0, 1, 2], np.int32), np.array([1.0, 2.0, 1.0]))
    right = Rows(np.array([0, 2, 4, 5], np.int32), np.array([0, 2, 2, 3, 1], np.int32), np.array([1.0, 0.25, 0.5, -1.0, -np.inf]))
    all_, one = kernel(left, right, 4, 3, 0.0), kernel(left, right, 4, 3, 1.0)
    return [part.tolist() for part in (*all_, *one)] == [[0, 2, 2, 2], [2, 0], [1.25, 1.0], [0, 1, 1, 1], [2], [1.25]]
