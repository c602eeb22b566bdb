"""Calibration: that the genres of a list come in the proportions of the history (Steck, "Calibrated recommendations", RecSys 2018)."""

from __future__ import annotations

import numpy as np

from inference.sparse import rows_of

ALPHA = 0.01  # the paper's: the part of the history's mix that is stirred into the list's, so that a genre it lacks costs no infinity


def mix_of(indptr: np.ndarray, codes: np.ndarray, n_names: int, songs: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Returns float64 (names,): the paper's ``p(g|u)``, the weighted mean over the songs that have genres, each song's genres sharing it
    equally. It sums to 1, or is all 0 where no song has a genre."""
    found, owners = rows_of(indptr, codes, songs)
    lengths = np.bincount(owners, minlength=len(songs))
    sums = np.bincount(found, weights=(weights / np.maximum(lengths, 1))[owners], minlength=n_names).astype(np.float64)
    total = sums.sum()
    return sums / total if total > 0 else sums


class GenreMix:
    """How far a list's mix of genres is from the wanted one, and would be with each candidate added.

    The distance is the paper's ``KL(p || (1 - α) q + α p)``, divided by the most that it can be, ``log(1/α)``: 0 is the same mix, 1 has
    none of its genres. A song without genres takes its place and adds to no genre.
    """

    def __init__(self, wanted: np.ndarray, indptr: np.ndarray, codes: np.ndarray, numbers: np.ndarray) -> None:
        """``wanted``: float64 (names,), sums to 1. ``numbers``: the candidates; ``indptr``, ``codes``: the genres of all songs."""
        self._names = np.flatnonzero(wanted)
        self._p = wanted[self._names]
        place = np.full(len(wanted), -1, dtype=np.int64)
        place[self._names] = np.arange(len(self._names))
        found, owners = rows_of(indptr, codes, numbers)
        shares = 1.0 / np.bincount(owners, minlength=len(numbers))[owners] if len(owners) else np.empty(0)
        known = place[found] >= 0
        self._owners, self._places, self._shares = owners[known], place[found][known], shares[known]
        self._n = len(numbers)
        self._mass = np.zeros(len(self._names))
        self._taken = 0

    def distances(self) -> np.ndarray:
        """Returns float64 (candidates,): the distance of the list with each of them added. Only the genres of the candidate change it,
        so the rest is summed once."""
        before = (1 - ALPHA) * self._mass / (self._taken + 1) + ALPHA * self._p
        after = before[self._places] + (1 - ALPHA) * self._shares / (self._taken + 1)
        gains = self._p[self._places] * np.log(before[self._places] / after)
        base = float((self._p * np.log(self._p / before)).sum())
        return (base + np.bincount(self._owners, weights=gains, minlength=self._n)) / -np.log(ALPHA)

    def take(self, place: int) -> None:
        own = self._owners == place
        self._mass[self._places[own]] += self._shares[own]
        self._taken += 1
