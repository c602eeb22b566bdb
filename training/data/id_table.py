"""Numbers for ids in the order in which they come: grown piece by piece, without a Python object per id."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from training.data.sample import hash_ids

MERGE_FROM = 1 << 16


class IdTable:
    """Ids by their 64-bit hash, in two sorted arrays: a large one, and a small one of what came since they were last merged.

    Two ids of one hash would become one id; among ten million ids the chance of that is three in a million.
    """

    def __init__(self) -> None:
        self._names: list[pa.LargeStringArray] = []
        self._large, self._small = (_Sorted(np.empty(0, np.uint64), np.empty(0, np.int32)) for _ in range(2))
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def numbers(self, names: pa.LargeStringArray) -> NDArray[np.int32]:
        """int32, for each of the distinct names its number; a new name gets the next one."""
        hashes = hash_ids(names.to_pylist(), 0)
        found = self._large.find(hashes)
        missing = np.flatnonzero(found < 0)
        found[missing] = self._small.find(hashes[missing])
        new = missing[found[missing] < 0]
        if len(new):
            found[new] = np.arange(self._size, self._size + len(new), dtype=np.int32)
            self._size += len(new)
            self._names.append(names.take(pa.array(new)))
            self._small = self._small.merged(hashes[new], found[new])
            if len(self._small) > max(MERGE_FROM, len(self._large) // 8):
                self._large = self._large.merged(self._small.hashes, self._small.numbers)
                self._small = _Sorted(self._small.hashes[:0], self._small.numbers[:0])
        return found

    def ranked(self) -> tuple[list[str], NDArray[np.int32]]:
        """All ids, sorted by their UTF-8 bytes, and int32, for each number the place of its id in them."""
        names = pa.chunked_array(self._names or [pa.array([], pa.large_string())], pa.large_string())
        order = pc.sort_indices(names).to_numpy()
        ranks = np.empty(len(order), dtype=np.int32)
        ranks[order] = np.arange(len(order), dtype=np.int32)
        return names.take(pa.array(order)).to_pylist(), ranks


class _Sorted:
    """``hashes`` ascending, ``numbers`` beside them."""

    def __init__(self, hashes: NDArray[np.uint64], numbers: NDArray[np.int32]) -> None:
        self.hashes, self.numbers = hashes, numbers

    def __len__(self) -> int:
        return len(self.hashes)

    def find(self, hashes: NDArray[np.uint64]) -> NDArray[np.int32]:
        """The number of each hash, -1 where it is not here."""
        if not len(self.hashes):
            return np.full(len(hashes), -1, dtype=np.int32)
        places = np.minimum(np.searchsorted(self.hashes, hashes), len(self.hashes) - 1)
        return np.where(self.hashes[places] == hashes, self.numbers[places], -1).astype(np.int32)

    def merged(self, hashes: NDArray[np.uint64], numbers: NDArray[np.int32]) -> _Sorted:
        both = np.concatenate([self.hashes, hashes])
        order = np.argsort(both, kind="stable")
        return _Sorted(both[order], np.concatenate([self.numbers, numbers])[order])
