"""Greedy selection: the best next song, again and again."""

from __future__ import annotations

import numpy as np

from inference.rerank.caps import Caps
from inference.rerank.objective import Objective


def select(objective: Objective, numbers: np.ndarray, n: int, caps: Caps | None = None) -> np.ndarray:
    """Returns places (int64) in ``numbers``, the candidates with the best first: at most ``n``, each the one that gains most after those
    before it, of several the first. ``objective`` and ``caps`` take what is returned."""
    free = np.ones(len(numbers), dtype=bool)
    chosen: list[int] = []
    while len(chosen) < n:
        open_ = free if caps is None else free & caps.open(numbers)
        if not open_.any():
            break
        place = int(np.argmax(np.where(open_, objective.gains(), -np.inf)))
        chosen.append(place)
        free[place] = False
        objective.take(place)
        if caps is not None:
            caps.take(int(numbers[place]))
    return np.array(chosen, dtype=np.int64)
