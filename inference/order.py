"""When things were played: the order of stored histories, of events and of seeds, put together into one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

UNKNOWN_TIME = np.iinfo(np.int64).min
# A number of this size or more is in the unit of 1/divisor seconds: milliseconds, microseconds, nanoseconds. As training reads files.
_EPOCH_UNITS = ((1e17, 1e9), (1e14, 1e6), (1e11, 1e3))
_LARGEST_EPOCH = 1e20
STORED, FRESH, SEEDS = 0, 1, 2  # what comes after what where no two times say it


@dataclass(frozen=True)
class StoredOrder:
    """``times``: int64, aligned with the values of ``user_items``, seconds since 1970 of the last event, or, where not ``in_seconds``, the
    place in the listener's list (a playlist); ``UNKNOWN_TIME`` where unknown, which is before all others."""

    times: np.ndarray
    in_seconds: bool


@dataclass(frozen=True)
class Moments:
    """When some songs were played, for sorting: by ``stage``, then by ``times`` (both int64, one per song)."""

    stage: np.ndarray
    times: np.ndarray


def moments(times: np.ndarray, stage: int | np.ndarray) -> Moments:
    """Of songs with these ``times``, or places in a list."""
    return Moments(np.broadcast_to(np.asarray(stage, dtype=np.int64), len(times)), times.astype(np.int64))


def no_order(n: int, stage: int) -> Moments:
    """Of ``n`` songs of which nobody knows which was first."""
    return moments(np.zeros(n, dtype=np.int64), stage)


def together(parts: Sequence[Moments]) -> np.ndarray | None:
    """Returns int64 per song of all ``parts``, one after another: a number that is larger the later it was, equal where nobody knows; None
    where they all are equal: there is no order."""
    stages, times = (np.concatenate([getattr(part, name) for part in parts]) for name in ("stage", "times"))
    if not len(times):
        return None
    order = np.lexsort((times, stages))
    later = (np.diff(stages[order]) != 0) | (times[order][1:] != times[order][:-1])
    if not later.any():
        return None
    keys = np.empty(len(order), dtype=np.int64)
    keys[order] = np.concatenate([[0], np.cumsum(later)])
    return keys


def seconds_of(timestamps: Sequence[float | None]) -> np.ndarray:
    """Returns int64 seconds since 1970 of the times of events: numbers from 1e11 on are milliseconds, from 1e14 on microseconds, from 1e17
    on nanoseconds. ``UNKNOWN_TIME`` for None, and for what is no time at all."""
    return np.array([UNKNOWN_TIME if time is None else _seconds(time) for time in timestamps], dtype=np.int64)


def _seconds(time: float) -> int:
    if abs(time) >= _LARGEST_EPOCH:
        return int(UNKNOWN_TIME)
    divisor = next((divisor for start, divisor in _EPOCH_UNITS if abs(time) >= start), 1.0)
    return int(time // divisor)
