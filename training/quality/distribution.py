"""Describes columns of numbers: quantiles, moments and histograms, in JSON's types. Whatever the numbers are, what comes out is finite."""

from __future__ import annotations

import heapq
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

BINS = 25
TRIMMED = 0.005  # of the values at each end lie beyond the bins of their own: one wrong value would else leave one bar of all others
FINEST = 1e-11  # of the numbers, the narrowest bin: edges are written with twelve digits
TOP = 10


def rounded(value: float) -> float | None:
    """The number with six significant digits, -0 as 0; None where there is none (NaN, infinite)."""
    number = float(value)
    return float(f"{number:.6g}") + 0.0 if math.isfinite(number) else None


def share(part: float, whole: float) -> float:
    """What part of the whole, 0 of nothing."""
    return rounded(part / whole) or 0.0 if whole else 0.0


def describe(values: NDArray, bins: int = BINS) -> dict[str, Any]:
    """Describes numbers, of which those that are not finite are missing.

    ``missing``, ``missing_share``, ``distinct``; if any is present also ``min``, ``q1``, ``median``, ``q3``, ``max``, ``mean``,
    ``deviation`` (of the values themselves, divided by n) and ``histogram`` (see there).
    """
    ordered = np.sort(values[np.isfinite(values)])
    missing = len(values) - len(ordered)
    found: dict[str, Any] = {"missing": missing, "missing_share": share(missing, len(values)), "distinct": 0}
    if not len(ordered):
        return found
    found["distinct"] = 1 + int(np.count_nonzero(ordered[1:] != ordered[:-1]))
    exact = ordered.astype(np.float64)
    quantiles = {name: _quantile(exact, at) for name, at in (("min", 0), ("q1", 0.25), ("median", 0.5), ("q3", 0.75), ("max", 1))}
    moments = {"mean": rounded(exact.mean()), "deviation": rounded(exact.std())}
    return found | quantiles | moments | {"histogram": histogram(ordered, bins)}


def spread(counts: NDArray[np.int64]) -> dict[str, Any]:
    """Describes how many of something each has, of those that have any (counts > 0; there must be one).

    ``min``, ``p5``, ``q1``, ``median``, ``q3``, ``p95``, ``p99``, ``max``, ``mean``, ``once`` (how many have 1), and ``histogram`` with the
    ``edges`` 1, 2, 4, 8, ...: the bin i counts those from edges[i] up to, but not with, edges[i + 1].
    """
    ordered = np.sort(counts[counts > 0])
    places = (("min", 0), ("p5", 0.05), ("q1", 0.25), ("median", 0.5), ("q3", 0.75), ("p95", 0.95), ("p99", 0.99), ("max", 1))
    edges = [2**power for power in range(int(ordered[-1]).bit_length() + 1)]
    below = np.searchsorted(ordered, np.array(edges))
    return {
        **{name: _quantile(ordered, at) for name, at in places},
        "mean": rounded(ordered.mean()),
        "once": int(np.searchsorted(ordered, 2)),
        "histogram": {"edges": edges, "counts": np.diff(below).tolist()},
    }


def histogram(ordered: NDArray, bins: int = BINS) -> dict[str, Any]:
    """Counts sorted, finite numbers (at least one) in at most ``bins`` + 2 bins of one round width.

    ``edges``: one more than ``counts``. A bin holds its lower edge, and the last one its upper. What lies beyond the first or the last
    edge (up to half a per cent at each end) is counted in the first or last bin, and ``open_low`` or ``open_high`` says so.
    """
    last = len(ordered) - 1
    low, high = float(ordered[math.floor(last * TRIMMED)]), float(ordered[math.ceil(last * (1 - TRIMMED))])
    if low == high:
        low, high = float(ordered[0]), float(ordered[-1])
    whole = bool((ordered == np.rint(ordered)).all())
    step = max(_round_step((high - low) / bins, whole), _round_step(max(abs(low), abs(high)) * FINEST, whole))
    first = math.floor(low / step + 1e-9)
    stop = max(math.ceil(high / step - 1e-9), first + 1)
    if whole and step == 1:
        stop = max(math.floor(high) + 1, first + 1)  # a bin for each number
    edges = np.arange(first, stop + 1, dtype=np.float64) * step
    # Compared in the precision of the values: 0.7 as they have it may be a little less than the edge of 0.7.
    with np.errstate(over="ignore"):  # the outer edges may be beyond the largest number of this precision
        compared = edges.astype(ordered.dtype)
    inner = np.searchsorted(ordered, compared[1:-1])
    counts = np.diff(np.concatenate([[0], inner, [len(ordered)]]))
    return {
        "edges": [float(f"{edge:.12g}") + 0.0 for edge in edges.tolist()],
        "counts": counts.tolist(),
        "open_low": bool(ordered[0] < compared[0]),
        "open_high": bool(ordered[-1] > compared[-1]),
    }


def most_common(counts: Mapping[str, int], n: int = TOP) -> list[tuple[str, int]]:
    """The ``n`` most frequent names, equal ones by name."""
    return heapq.nsmallest(n, counts.items(), key=lambda pair: (-pair[1], pair[0]))


def _quantile(ordered: NDArray, at: float) -> float | None:
    """Between two neighbours, linearly, as numpy does by default."""
    place = at * (len(ordered) - 1)
    below = math.floor(place)
    lower, upper = float(ordered[below]), float(ordered[min(below + 1, len(ordered) - 1)])
    return rounded(lower + (upper - lower) * (place - below))


def _round_step(step: float, whole: bool) -> float:
    """The smallest of 1, 2, 5, 10, 20, ... times a power of ten that is not below ``step``; for whole numbers a whole one."""
    if not step > 0 or not math.isfinite(step):
        return 1.0
    power = math.floor(math.log10(step))
    found = next(factor * 10.0**power for factor in (1, 2, 5, 10) if factor * 10.0**power >= step * (1 - 1e-9))
    return max(found, 1.0) if whole else found
