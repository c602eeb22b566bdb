"""What ranking finds, whichever way it is done."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Ranking(NamedTuple):
    """``numbers`` int64, best first, and their ``scores`` float64. The first ``scored`` are the model's choice, the others fill the list by
    popularity. ``history``: the songs that it was made from; ``known``: whether the model knows the listener."""

    numbers: np.ndarray
    scores: np.ndarray
    scored: int
    history: int
    known: bool
