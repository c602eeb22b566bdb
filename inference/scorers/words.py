"""What a playlist or listener is called says what goes with it."""

from __future__ import annotations

import numpy as np

from inference.histories import Histories, Terms
from inference.history import History
from inference.scorers.patient import PatientScorer


class WordScorer(PatientScorer):
    """Scores the sum of the rows of ``operator`` (words × songs) of the words that the history has, times ``patience / (patience + n)``,
    with n the songs of the history: the more was heard, the less a name adds to it (measured: much to one song, nothing to fifty). With
    ``patience`` 0 words always count alike.

    No song of the history causes any of it, so all of it is the last row of the contributions.
    """

    KIND = "words"

    def weighted_rows(self, history: History) -> tuple[np.ndarray, np.ndarray]:
        words = self._words(history)
        return words, np.repeat(self._share(np.array([len(history)])), len(words))

    def terms(self, histories: Histories) -> Terms:
        if histories.words is None or histories.word_starts is None:
            return Terms(np.zeros(len(histories) + 1, np.int64), np.empty(0, np.int32), np.empty(0))
        counts = np.diff(histories.word_starts)
        return Terms(histories.word_starts, histories.words, np.repeat(self._share(histories.lengths), counts))

    def contributions(self, history: History, numbers: np.ndarray) -> np.ndarray:
        out = np.zeros((len(history) + 1, len(numbers)))
        out[-1] = self.operator.block(self._words(history), numbers).sum(axis=0) * self._share(np.array([len(history)]))
        return out

    def _share(self, songs: np.ndarray) -> np.ndarray:
        """Returns float64: by how much words count for histories of so many songs."""
        return self.patience / (self.patience + songs) if self.patience > 0 else np.ones(len(songs))

    def _words(self, history: History) -> np.ndarray:
        return np.empty(0, dtype=np.int32) if history.words is None else history.words
