"""What a playlist or listener is called says what goes with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np

from inference.history import History
from inference.scorers.base import Scorer
from inference.sparse import SparseRows


class WordScorer(Scorer):
    """Scores the sum of the rows of ``operator`` (words × songs) of the words that the history has, times ``patience / (patience + n)``,
    with n the songs of the history: the more was heard, the less a name adds to it (measured: much to one song, nothing to fifty). With
    ``patience`` 0 words always count alike.

    No song of the history causes any of it, so all of it is the last row of the contributions.
    """

    KIND = "words"
    ARRAYS = SparseRows.ARRAYS

    def __init__(self, operator: SparseRows, patience: float) -> None:
        self.operator, self.patience = operator, patience

    def scores(self, history: History) -> np.ndarray:
        words = self._words(history)
        return self.operator.weighted_sum(words, np.full(len(words), self._share(history)))

    def contributions(self, history: History, numbers: np.ndarray) -> np.ndarray:
        out = np.zeros((len(history) + 1, len(numbers)))
        out[-1] = self.operator.block(self._words(history), numbers).sum(axis=0) * self._share(history)
        return out

    def _share(self, history: History) -> float:
        return self.patience / (self.patience + len(history)) if self.patience > 0 else 1.0

    def _words(self, history: History) -> np.ndarray:
        return np.empty(0, dtype=np.int32) if history.words is None else history.words

    def arrays(self) -> dict[str, np.ndarray]:
        return self.operator.arrays()

    def settings(self) -> dict[str, Any]:
        return {"n_items": self.operator.n_columns, "patience": self.patience}

    @classmethod
    def load(cls, settings: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Self:
        operator = SparseRows(**{name: arrays[name] for name in cls.ARRAYS}, n_columns=int(settings["n_items"]))
        return cls(operator, float(settings["patience"]))
