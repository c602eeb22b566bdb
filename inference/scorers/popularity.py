"""Popularity: the same score for everybody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np

from inference.history import History
from inference.scorers.base import Scorer


class PopularityScorer(Scorer):
    """Scores a song by ``popularity`` (float32, songs), whatever the history."""

    KIND = "popularity"
    ARRAYS = ("popularity",)

    def __init__(self, popularity: np.ndarray) -> None:
        self.popularity = np.asarray(popularity)

    def scores(self, history: History) -> np.ndarray:
        return self.popularity.astype(np.float64)

    def contributions(self, history: History, numbers: np.ndarray) -> np.ndarray:
        out = np.zeros((len(history) + 1, len(numbers)))
        out[-1] = self.popularity[numbers]
        return out

    def arrays(self) -> dict[str, np.ndarray]:
        return {"popularity": self.popularity}

    def settings(self) -> dict[str, Any]:
        return {}

    @classmethod
    def load(cls, settings: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Self:
        return cls(arrays["popularity"])
