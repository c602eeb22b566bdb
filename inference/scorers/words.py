"""What a playlist or listener is called says what goes with it."""

from __future__ import annotations

import numpy as np

from inference.history import History
from inference.scorers.patient import PatientScorer


class WordScorer(PatientScorer):
    """Scores the sum of the rows of ``operator`` (words × songs) of the words that the history has, times ``patience / (patience + n)``,
    with n the songs of the history: the more was heard, the less a name adds to it (measured: much to one song, nothing to fifty). With
    ``patience`` 0 words always count alike.

    No song of the history causes any of it, so all of it is the last row of the contributions.
    """

    KIND = "words"

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
