"""A sparse item-to-item operator: cosine, Pearson, EASE, graph filters and content all score in this one way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np

from inference.histories import Histories, Terms, of_unit_sum
from inference.history import History
from inference.scorers.base import RowScorer
from inference.sparse import SparseRows

TINY = float(np.finfo(np.float64).tiny)  # so that nothing is divided by 0


class ItemToItemScorer(RowScorer):
    """Scores ``h @ B``, with ``h`` the weights of the history, scaled to sum to 1, and ``B`` (songs × songs) the operator.

    Row i of ``operator`` holds what having song i in the history adds to every other song. Scaling ``h`` changes no order; it keeps the
    scores of short and long histories comparable, so that a hybrid can add them to others with one weight.
    """

    KIND = "item_to_item"
    ARRAYS = SparseRows.ARRAYS

    def __init__(self, operator: SparseRows) -> None:
        if len(operator) != operator.n_columns:
            raise ValueError("an item-to-item operator must be square")
        self.operator = operator

    def weighted_rows(self, history: History) -> tuple[np.ndarray, np.ndarray]:
        return history.numbers, _unit_sum(history)

    def terms(self, histories: Histories) -> Terms:
        """Returns which rows of the operator add up to the scores of each history; with the weights that ``scores`` has for one history,
        but for their last bits."""
        return Terms(histories.starts, histories.numbers, of_unit_sum(histories.starts, histories.weights))

    def contributions(self, history: History, numbers: np.ndarray) -> np.ndarray:
        out = np.zeros((len(history) + 1, len(numbers)))
        out[:-1] = self.operator.block(history.numbers, numbers) * _unit_sum(history)[:, None]
        return out

    def arrays(self) -> dict[str, np.ndarray]:
        return self.operator.arrays()

    def settings(self) -> dict[str, Any]:
        return {"n_items": self.operator.n_columns}

    @classmethod
    def load(cls, settings: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Self:
        return cls(SparseRows(**{name: arrays[name] for name in cls.ARRAYS}, n_columns=int(settings["n_items"])))


def _unit_sum(history: History) -> np.ndarray:
    weights = history.weights.astype(np.float64)
    return weights / max(weights.sum(), TINY)
