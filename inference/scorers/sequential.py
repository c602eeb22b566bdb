"""Next songs: an item-to-item operator for histories in which the latest songs say the most."""

from __future__ import annotations

import numpy as np

from inference.histories import Histories, Terms, of_unit_sum, unit_sum
from inference.history import History
from inference.scorers.patient import PatientScorer
from inference.sparse import SparseRows


def recency(history: History, patience: float) -> np.ndarray:
    """Returns float64 per song of the history: its weight times ``1 / (1 + rank / patience)``. ``patience`` is the rank that counts half as
    much as the latest song; 0, or a history whose order nobody knows: all ranks count alike."""
    weights = history.weights.astype(np.float64)
    return weights if patience <= 0 or history.ranks is None else weights / (1.0 + history.ranks / patience)


class SequentialScorer(PatientScorer):
    """Scores ``h @ B``, with ``h`` the weights of the history by ``recency``, scaled to sum to 1, and ``B`` (songs × songs) the operator.

    Row i of ``operator`` holds what having song i in the history adds to every other song.
    """

    KIND = "sequential"
    READS_ORDER = True

    def __init__(self, operator: SparseRows, patience: float) -> None:
        if len(operator) != operator.n_columns:
            raise ValueError("an item-to-item operator must be square")
        super().__init__(operator, patience)

    def weighted_rows(self, history: History) -> tuple[np.ndarray, np.ndarray]:
        return history.numbers, self._weights(history)

    def terms(self, histories: Histories) -> Terms:
        weights = recency(History(histories.numbers, histories.weights, histories.ranks), self.patience)  # a song's depends on its own rank
        return Terms(histories.starts, histories.numbers, of_unit_sum(histories.starts, weights))

    def contributions(self, history: History, numbers: np.ndarray) -> np.ndarray:
        out = np.zeros((len(history) + 1, len(numbers)))
        out[:-1] = self.operator.block(history.numbers, numbers) * self._weights(history)[:, None]
        return out

    def _weights(self, history: History) -> np.ndarray:
        return unit_sum(recency(history, self.patience))
