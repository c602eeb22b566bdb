"""At most so many songs of one artist, of one album, of one name of any column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from inference.sparse import rows_of
from inference.top_n import top_n


class Capped(NamedTuple):
    """One cap: the names of all songs as compressed rows (``indptr`` int64, ``codes`` int32), and how often each may come."""

    indptr: np.ndarray
    codes: np.ndarray
    n_names: int
    cap: int


class Caps:
    """Counts the names of the songs that are taken. All names of a song count; one without a name is never kept out."""

    def __init__(self, capped: Sequence[Capped]) -> None:
        self._capped = capped
        self._counts = [np.zeros(one.n_names, dtype=np.int64) for one in capped]

    def open(self, numbers: np.ndarray) -> np.ndarray:
        """Returns bool (numbers,): which songs may still come."""
        mask = np.ones(len(numbers), dtype=bool)
        for one, counts in zip(self._capped, self._counts, strict=True):
            codes, owners = rows_of(one.indptr, one.codes, numbers)
            mask[owners[counts[codes] >= one.cap]] = False
        return mask

    def admits(self, number: int) -> bool:
        """Returns whether this song may still come."""
        return all((counts[self._row(one, number)] < one.cap).all() for one, counts in zip(self._capped, self._counts, strict=True))

    def take(self, number: int) -> None:
        for one, counts in zip(self._capped, self._counts, strict=True):
            counts[self._row(one, number)] += 1

    @staticmethod
    def _row(one: Capped, number: int) -> np.ndarray:
        return one.codes[one.indptr[number] : one.indptr[number + 1]]


def top_capped(scores: np.ndarray, n: int, among: np.ndarray, caps: Caps) -> np.ndarray:
    """Returns what ``top_n`` does, walking on where ``caps`` keep a song out; takes the songs it returns.

    The steps of the walk double, and what is kept out is left out of the next one, so that a catalogue of one artist costs no more.
    """
    chosen: list[int] = []
    step = max(2 * n, 64)
    left = among
    while len(chosen) < n and len(left):
        left = left[caps.open(left)]
        best = top_n(scores, step, left)
        for number in best.tolist():
            if caps.admits(number):
                caps.take(number)
                chosen.append(number)
                if len(chosen) == n:
                    break
        left = np.setdiff1d(left, best, assume_unique=True)
        step *= 2
    return np.array(chosen, dtype=np.int64)
