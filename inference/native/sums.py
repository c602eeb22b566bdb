"""Weights added up by song, compiled."""

from __future__ import annotations

import numpy as np

from inference.native.library import address, library


def added_up(numbers: np.ndarray, weights: np.ndarray | None) -> tuple[np.ndarray, np.ndarray] | None:
    """Returns what ``inference.history.added_up`` does; None where nothing is compiled."""
    functions = library()
    if functions is None:
        return None
    count = len(numbers)
    numbers = np.ascontiguousarray(numbers, dtype=np.int32)
    weights = None if weights is None else np.ascontiguousarray(weights, dtype=np.float64)
    scratch = np.empty(3 * count, dtype=np.int64)
    sums, distinct = scratch[count : 2 * count].view(np.float64), scratch[2 * count :].view(np.int32)
    at = address(scratch)
    found = functions.add_up(address(numbers), None if weights is None else address(weights), count, at, at + 16 * count, at + 8 * count)
    return distinct[:found], sums[:found]
