"""Trims data to an exact size: the rows, listeners or songs whose hash is smallest. No order, cut or number of hosts changes which."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
_ODD = np.uint64(0x9E3779B97F4A7C15)
_ALL = np.uint64(2**64 - 1)


@dataclass(frozen=True)
class Limit:
    """What is kept: everything whose hash is below ``below``, and ``ties`` of those that equal it."""

    below: np.uint64 = _ALL
    ties: int = -1  # all


@dataclass(frozen=True)
class Limits:
    """Of songs and listeners by their ids, of events by all that is in them."""

    seed: int = 0
    songs: Limit | None = None
    listeners: Limit | None = None
    events: Limit | None = None


def smallest(hashes: Hashes, n: int) -> Limit:
    """The limit that keeps exactly ``n`` of these; all, if there are no more."""
    if n >= len(hashes):
        return Limit()
    below = np.uint64(np.partition(hashes, n - 1)[n - 1])
    return Limit(below, n - int((hashes < below).sum()))


def smallest_of(parts: Iterable[Hashes | None], n: int) -> Limit:
    """The same for hashes that come part by part, of which no more than a few times ``n`` are in memory."""
    found = np.empty(0, dtype=np.uint64)
    for part in parts:
        if part is not None:
            found = np.concatenate([found, part])
        if len(found) > n + 1:
            found = np.partition(found, n)[: n + 1]  # one more than is kept, which tells that there are more
    return smallest(found, n)


def hash_ids(ids: Sequence[str], seed: int) -> Hashes:
    """uint64 per id, the same on every machine."""
    values = np.empty(len(ids), dtype=object)
    values[:] = ids
    return mixed(pd.util.hash_array(values, categorize=False), np.uint64(seed))


def mixed(*parts: Hashes | np.uint64) -> Hashes:
    """One hash of several numbers (the finaliser of splitmix64, over and over)."""
    state = np.zeros(1, dtype=np.uint64)
    for part in parts:
        state = (state ^ part) + _ODD
        state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        state = state ^ (state >> np.uint64(31))
    return state


def kept(hashes: Hashes, limit: Limit | None) -> NDArray[np.bool_]:
    """Which are kept for certain; those that equal ``below`` too, of which the one who counts them drops what is too many."""
    if limit is None or limit.ties < 0:
        return np.ones(len(hashes), dtype=bool)
    return hashes <= limit.below
