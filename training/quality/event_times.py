"""When people listened: the range of the times, and the entries per day, month or year."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.data.dataset import MISSING_TIME
from training.quality.distribution import share

# The finest that gives no more periods than this. Whatever is further from the middle is counted in the first or last period.
MOST_PERIODS = (("day", "D", 92), ("month", "M", 120), ("year", "Y", 200))
BLOCK = 1 << 22  # entries at a time: the calendar needs several times the memory of the seconds


def describe_times(seconds: NDArray[np.int64] | None) -> dict[str, Any] | None:
    """Describes the times of entries (seconds since 1970, ``MISSING_TIME`` where unknown); None if none has one.

    ``first``, ``last``: ISO 8601, UTC. ``missing``, ``missing_share``: entries without a time. ``unit``: day, month or year;
    ``periods``: each as ISO 8601, without gaps; ``counts``: entries in each.
    """
    if seconds is None or not len(seconds):
        return None
    last = int(seconds.max())
    if last == MISSING_TIME:
        return None
    present = seconds != MISSING_TIME
    missing = len(seconds) - int(np.count_nonzero(present))
    first = int(np.min(seconds, where=present, initial=last))
    unit, periods, counts = _periods(seconds, first, last)
    return {
        "first": f"{np.datetime64(first, 's')}Z",
        "last": f"{np.datetime64(last, 's')}Z",
        "missing": missing,
        "missing_share": share(missing, len(seconds)),
        "unit": unit,
        "periods": periods,
        "counts": counts,
    }


def _periods(seconds: NDArray[np.int64], first: int, last: int) -> tuple[str, list[str], list[int]]:
    for unit, code, most in MOST_PERIODS:  # noqa: B007 the last one is used below
        kind = f"datetime64[{code}]"
        low, high = (int(np.datetime64(one, "s").astype(kind).astype(np.int64)) for one in (first, last))
        if high - low < most:
            break
    else:
        block = seconds[:: max(1, len(seconds) // BLOCK)]
        middle = int(np.median(_numbers(block[block != MISSING_TIME], kind))) if (block != MISSING_TIME).any() else high
        low, high = max(low, middle - most // 2), min(high, middle + most // 2)
    counts = np.zeros(high - low + 1, dtype=np.int64)
    for start in range(0, len(seconds), BLOCK):
        block = seconds[start : start + BLOCK]
        numbers = np.clip(_numbers(block[block != MISSING_TIME], kind), low, high)
        counts += np.bincount(numbers - low, minlength=len(counts))
    return unit, [str(np.int64(number).astype(kind)) for number in range(low, high + 1)], counts.tolist()


def _numbers(seconds: NDArray[np.int64], kind: str) -> NDArray[np.int64]:
    return seconds.astype("datetime64[s]").astype(kind).astype(np.int64)
