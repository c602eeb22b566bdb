"""``split.npz``: a split as plain arrays, for other programs to be judged on. Imports numpy and scipy only, so that they can read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

SPLIT_NPZ = "split.npz"


@dataclass(frozen=True)
class Asked:
    """Listeners who are asked. ``users`` (int64): their rows in the matrices, -1 of those whom nothing was learned of. ``shown`` (csr
    float32, listeners × songs): what is known of them, by weight; ``hidden`` (csr, 1): what is to be found."""

    users: NDArray[np.int64]
    shown: csr_array
    hidden: csr_array


@dataclass(frozen=True)
class SplitFile:
    """``split.npz``: what to learn from, first (``learn``, to be tuned on ``validation``) and in the end (``relearn``), who is asked in the
    test, and the songs' artists and genres (``features``: csr songs × names, without columns where there is no catalogue)."""

    learn: csr_array
    relearn: csr_array
    validation: Asked
    test: Asked
    features: csr_array

    def write(self, path: Path) -> None:
        arrays: dict[str, Any] = {}
        for name in ("learn", "relearn", "features"):
            arrays |= _arrays(getattr(self, name), name)
        for name, asked in (("validation", self.validation), ("test", self.test)):
            arrays |= {f"{name}.users": asked.users, **_arrays(asked.shown, f"{name}.shown"), **_arrays(asked.hidden, f"{name}.hidden")}
        np.savez(path, **arrays)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Opens what ``write`` wrote."""
        with np.load(path, allow_pickle=False) as arrays:
            matrices = {name: _matrix(arrays, name) for name in ("learn", "relearn", "features")}
            parts = {
                name: Asked(arrays[f"{name}.users"], _matrix(arrays, f"{name}.shown"), _matrix(arrays, f"{name}.hidden"))
                for name in ("validation", "test")
            }
        return cls(**matrices, **parts)


def _arrays(matrix: csr_array, name: str) -> dict[str, NDArray[Any]]:
    parts = {"data": matrix.data.astype(np.float32), "indices": matrix.indices.astype(np.int32), "indptr": matrix.indptr.astype(np.int64)}
    return {f"{name}.{part}": values for part, values in parts.items()} | {f"{name}.shape": np.array(matrix.shape, dtype=np.int64)}


def _matrix(arrays: Mapping[str, NDArray[Any]], name: str) -> csr_array:
    parts = tuple(arrays[f"{name}.{part}"] for part in ("data", "indices", "indptr"))
    return csr_array(parts, shape=tuple(arrays[f"{name}.shape"].tolist()))
