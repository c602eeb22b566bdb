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
    if n < len(chosen):
        threshold = np.partition(chosen, len(chosen) - n)[len(chosen) - n]
        above = np.flatnonzero(chosen > threshold)
        ties = np.flatnonzero(chosen == threshold)[: n - len(above)]
        places = np.concatenate([above, ties])
    else:
        places = np.arange(n)
    places = places[np.lexsort((places, -chosen[places]))]
    return places if among is None else among[places].astype(np.int64)
