"""The best n of many scores, in one place, so that every answer breaks ties in the same way."""

from __future__ import annotations

import numpy as np


def top_n(scores: np.ndarray, n: int, among: np.ndarray | None = None) -> np.ndarray:
    """Returns the numbers of the ``n`` highest ``scores``, best first; equal scores in the order of their numbers.

    ``scores`` is a vector over all songs; ``among`` (int, ascending) restricts the choice. Returns int64, shorter than ``n`` where there
    are fewer songs to choose from. Equals a full stable sort, at the cost of one partition.
    """
    chosen = scores if among is None else scores[among]
    n = min(n, len(chosen))
    if n <= 0:
        return np.empty(0, dtype=np.int64)
    places = _those_that_may_be_among_the_best(chosen, n)
    values = chosen[places]
    if n < len(places):
        threshold = np.partition(values, len(places) - n)[len(places) - n]
        above = np.flatnonzero(values > threshold)
        ties = np.flatnonzero(values == threshold)[: n - len(above)]
        best = np.concatenate([above, ties])
        places, values = places[best], values[best]
    places = places[np.lexsort((places, -values))]
    return places if among is None else among[places].astype(np.int64)


def _those_that_may_be_among_the_best(values: np.ndarray, n: int) -> np.ndarray:
    """Returns the places, ascending, of all values that reach the n-th highest of some maxima; the n best are among them.

    The maxima of many columns cost a tenth of what a partition of all values does.
    """
    columns = max(1024, 4 * n)
    rows = len(values) // columns
    if rows < 4:
        return np.arange(len(values))
    maxima = values[: rows * columns].reshape(rows, columns).max(axis=0)
    return np.flatnonzero(values >= np.partition(maxima, columns - n)[columns - n])
