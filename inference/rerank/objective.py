"""The one objective that all aims of a list are terms of."""

from __future__ import annotations

import numpy as np

from inference.rerank.alike import Alike
from inference.rerank.genre_mix import GenreMix
from inference.rerank.weights import Weights


class Objective:
    """A list L of candidates is worth ``w_a Σ s - w_d Σ max sim + w_n Σ n + w_f Σ f - w_c |L| KL``, with sums over L; all terms are between
    0 and 1 per place (similarities from -1), so that weights can be compared.

    s: the score over the highest one. max sim: of each song to those before it (Carbonell and Goldstein 1998, MMR). n, f: novelty and
    the share of small artists. KL: the distance of the list's genres from the history's (Steck 2018; scores as their mean over the
    list). A term without its data (``alike`` or ``mix`` None) is the same for all candidates.
    """

    def __init__(
        self,
        weights: Weights,
        scores: np.ndarray,
        novelty: np.ndarray | None = None,
        fairness: np.ndarray | None = None,
        alike: Alike | None = None,
        mix: GenreMix | None = None,
    ) -> None:
        """``scores`` (candidates,) are positive; the others are aligned with them, and needed only where their weight is not 0."""
        self._weights = weights
        self._alone = weights.accuracy * scores / scores.max(initial=np.finfo(np.float64).tiny)
        for weight, term in ((weights.novelty, novelty), (weights.fairness, fairness)):
            if weight and term is not None:
                self._alone = self._alone + weight * term
        self._alike = alike if weights.diversity else None
        self._mix = mix if weights.calibration else None
        self._nearest: np.ndarray | None = None
        self._taken = 0

    def gains(self) -> np.ndarray:
        """Returns float64 (candidates,): what the list would be worth with each added, up to what is the same for all."""
        gains = self._alone
        if self._nearest is not None:
            gains = gains - self._weights.diversity * self._nearest
        if self._mix is not None:
            gains = gains - self._weights.calibration * (self._taken + 1) * self._mix.distances()
        return gains

    def take(self, place: int) -> None:
        """Adds a candidate to the list."""
        self._taken += 1
        if self._alike is not None:
            similar = self._alike.to(place)
            self._nearest = similar if self._nearest is None else np.maximum(self._nearest, similar)
        if self._mix is not None:
            self._mix.take(place)
