"""A table over all songs that requests use one after the other, so that none has to make and fill one."""

from __future__ import annotations

import threading

import numpy as np

_of_thread = threading.local()


def places(n: int) -> np.ndarray:
    """Returns int32, at least ``n`` long, no value below 0, of this thread. Whatever an earlier use has left is still in it: so write down
    where some numbers are in a list, and believe what is read only where the list has that number there."""
    found: np.ndarray | None = getattr(_of_thread, "places", None)
    if found is None or len(found) < n:
        found = _of_thread.places = np.zeros(n, dtype=np.int32)
    return found


def places_in(distinct: np.ndarray, wanted: np.ndarray, n: int) -> np.ndarray:
    """Returns where each of ``wanted`` is among the ``distinct`` numbers (both int, from 0 to n - 1), −1 where it is not; int64."""
    if not len(distinct):
        return np.full(len(wanted), -1, dtype=np.int64)
    place = places(n)
    place[distinct] = np.arange(len(distinct), dtype=np.int32)
    near = np.minimum(place[wanted], len(distinct) - 1)
    return np.where(distinct[near] == wanted, near, -1).astype(np.int64)


def places_among(distinct: np.ndarray, wanted: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns at which places of ``wanted`` one of the ``distinct`` numbers is, ascending, and which of them it is (both int64). Better
    than ``places_in`` where few are."""
    flags = _flags(n)
    flags[distinct] = True
    at = flags[wanted].nonzero()[0]
    flags[distinct] = False
    order = distinct.argsort()
    return at, order[distinct[order].searchsorted(wanted[at])]


def _flags(n: int) -> np.ndarray:
    """Returns bool, at least ``n`` long, of this thread, all False: whoever sets some takes them back."""
    found: np.ndarray | None = getattr(_of_thread, "flags", None)
    if found is None or len(found) < n:
        found = _of_thread.flags = np.zeros(n, dtype=bool)
    return found
