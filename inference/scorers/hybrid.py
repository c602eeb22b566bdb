"""The hybrid: a weighted sum of other scorers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from inference.history import History
from inference.scorers.base import Scorer
from inference.scorers.item_to_item import ItemToItemScorer


class HybridScorer:
    """Scores ``sum_m weights[m] * scorers[m].scores(history)``. Weights are positive; models with weight 0 are left out when it is made.

    ``compiled``: the item-to-item models among them, added into one operator that keeps the strongest entries; it then answers in their
    place. The other arrays are not its own: it is stored as its weights, and shares the scorers that the artifact holds anyway.
    """

    def __init__(self, scorers: Mapping[str, Scorer], weights: Mapping[str, float], compiled: ItemToItemScorer | None = None) -> None:
        # Always in the same order, so that a loaded model adds up to the same bits as the one that was saved.
        self.weights = {name: weights[name] for name in sorted(weights) if weights[name] > 0}
        self.parts = {name: scorers[name] for name in self.weights}
        self.compiled = compiled
        if not self.parts:
            raise ValueError("a hybrid needs at least one model with a positive weight")

    @property
    def addends(self) -> list[tuple[float, Scorer]]:
        """The scorers whose weighted scores add up to ours: the operator, if there is one, and what is not in it."""
        operator: list[tuple[float, Scorer]] = [] if self.compiled is None else [(1.0, self.compiled)]
        return operator + [(weight, self.parts[name]) for name, weight in self.weights.items() if not self._in_operator(name)]

    def scores(self, history: History) -> np.ndarray:
        total = None if self.compiled is None else self.compiled.scores(history)
        for name, weight in self.weights.items():
            if self._in_operator(name):
                continue
            part = self.parts[name].scores(history)
            part *= weight
            total = part if total is None else np.add(total, part, out=total)
        assert total is not None
        return total

    def contributions_by_model(self, history: History, numbers: np.ndarray, name: str = "hybrid") -> dict[str, np.ndarray]:
        """Returns each model's contributions (history + 1, numbers), weighted, so that all of them together sum to the score."""
        parts = {part: weight * self.parts[part].contributions(history, numbers) for part, weight in self.weights.items()}
        if self.compiled is not None:
            kept = np.zeros((len(history) + 1, len(numbers)), dtype=bool)
            kept[:-1] = self.compiled.operator.block(history.numbers, numbers) != 0
            parts = {part: np.where(kept, values, 0.0) if self._in_operator(part) else values for part, values in parts.items()}
        return parts

    def _in_operator(self, name: str) -> bool:
        return self.compiled is not None and isinstance(self.parts[name], ItemToItemScorer)
