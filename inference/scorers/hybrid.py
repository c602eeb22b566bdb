"""The hybrid: a weighted sum of other scorers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from inference.history import History
from inference.scorers.base import Scorer


class HybridScorer:
    """Scores ``sum_m weights[m] * scorers[m].scores(history)``. Weights are positive; models with weight 0 are left out when it is made.

    It owns no arrays: it is stored as its weights, and shares the scorers that the artifact holds anyway.
    """

    def __init__(self, scorers: Mapping[str, Scorer], weights: Mapping[str, float]) -> None:
        # Always in the same order, so that a loaded model adds up to the same bits as the one that was saved.
        self.weights = {name: weights[name] for name in sorted(weights) if weights[name] > 0}
        self.parts = {name: scorers[name] for name in self.weights}
        if not self.parts:
            raise ValueError("a hybrid needs at least one model with a positive weight")

    def scores(self, history: History) -> np.ndarray:
        total: np.ndarray | None = None
        for name, weight in self.weights.items():
            part = self.parts[name].scores(history)
            part *= weight
            total = part if total is None else np.add(total, part, out=total)
        assert total is not None
        return total

    def contributions_by_model(self, history: History, numbers: np.ndarray, name: str = "hybrid") -> dict[str, np.ndarray]:
        """Returns each model's contributions (history + 1, numbers), weighted, so that all of them together sum to the score."""
        return {part: weight * self.parts[part].contributions(history, numbers) for part, weight in self.weights.items()}
