"""A sparse item-to-item operator: cosine, Pearson, EASE, graph filters and content all score in this one way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np

from inference.histories import Histories, Terms, of_unit_sum, unit_sum
from inference.history import History
from inference.scorers.base import RowScorer
from inference.sparse import SparseRows


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
        return history.numbers, unit_sum(history.weights)

    def terms(self, histories: Histories) -> Terms:
        return Terms(histories.starts, histories.numbers, of_unit_sum(histories.starts, histories.weights))

    def contributions(self, history: History, numbers: np.ndarray) -> np.ndarray:
        out = np.zeros((len(history) + 1, len(numbers)))
        out[:-1] = self.operator.block(history.numbers, numbers) * unit_sum(history.weights)[:, None]
        return out

    def arrays(self) -> dict[str, np.ndarray]:
        return self.operator.arrays()

    def settings(self) -> dict[str, Any]:
        return {"n_items": self.operator.n_columns}

    @classmethod
    def load(cls, settings: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Self:
        return cls(SparseRows(**{name: arrays[name] for name in cls.ARRAYS}, n_columns=int(settings["n_items"])))
