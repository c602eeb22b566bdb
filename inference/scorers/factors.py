"""Matrix factorization, with fold-in: a listener's factors are found from the history at the time of the request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np

from inference.history import History
from inference.scorers.base import Scorer


class FactorScorer(Scorer):
    """Implicit ALS (Hu, Koren, Volinsky 2008; regularised as in Rendle et al., "Revisiting iALS", 2022).

    A listener with songs S and weights w gets the factors that minimise
    ``sum_S w_i (x·y_i - 1)² + alpha0 sum_all (x·y_j)² + l2 (|S| + alpha0 n)^nu |x|²``, which is
    ``x = A⁻¹ sum_S w_i y_i`` with ``A = alpha0 YᵀY + sum_S w_i y_i y_iᵀ + l2 (|S| + alpha0 n)^nu I``.

    ``item_factors`` is float32 (songs, factors); ``gram`` is float64 ``YᵀY`` (factors, factors).
    """

    KIND = "factors"
    ARRAYS = ("item_factors", "gram")

    def __init__(self, item_factors: np.ndarray, gram: np.ndarray, unobserved_weight: float, l2: float, frequency_exponent: float) -> None:
        self.item_factors = np.asarray(item_factors)
        self.gram = np.asarray(gram)
        if self.gram.shape != (self.item_factors.shape[1],) * 2:
            raise ValueError("gram must be factors x factors")
        self.unobserved_weight = unobserved_weight
        self.l2 = l2
        self.frequency_exponent = frequency_exponent

    def scores(self, history: History) -> np.ndarray:
        if not len(history):
            return np.zeros(len(self.item_factors))
        user_factors = self._shares(history).sum(axis=1)
        return (self.item_factors @ user_factors.astype(np.float32)).astype(np.float64)

    def contributions(self, history: History, numbers: np.ndarray) -> np.ndarray:
        out = np.zeros((len(history) + 1, len(numbers)))
        if len(history):
            out[:-1] = (self.item_factors[numbers] @ self._shares(history)).T
        return out

    def _shares(self, history: History) -> np.ndarray:
        """Returns float64 (factors, history): ``A⁻¹ w_i y_i``, each song's part of the listener's factors, which are their sum."""
        factors = self.item_factors[history.numbers].astype(np.float64)
        weights = history.weights.astype(np.float64)
        l2 = self.l2 * (len(history) + self.unobserved_weight * len(self.item_factors)) ** self.frequency_exponent
        a = self.unobserved_weight * self.gram + l2 * np.eye(len(self.gram)) + (factors * weights[:, None]).T @ factors
        return np.linalg.solve(a, (factors * weights[:, None]).T)

    def arrays(self) -> dict[str, np.ndarray]:
        return {"item_factors": self.item_factors, "gram": self.gram}

    def settings(self) -> dict[str, Any]:
        return {"unobserved_weight": self.unobserved_weight, "l2": self.l2, "frequency_exponent": self.frequency_exponent}

    @classmethod
    def load(cls, settings: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Self:
        numbers = {name: float(settings[name]) for name in ("unobserved_weight", "l2", "frequency_exponent")}
        return cls(arrays["item_factors"], arrays["gram"], **numbers)
