"""What a listener did, as numbers and weights; the same weighting in training and in serving."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

WEIGHTINGS = ("log", "binary", "count", "value", "log_value")


@dataclass(frozen=True)
class History:
    """Distinct songs, ascending (``numbers`` int32), each with a positive weight (``weights`` float32)."""

    numbers: np.ndarray
    weights: np.ndarray

    @classmethod
    def of(cls, numbers: np.ndarray, weights: np.ndarray) -> History:
        """Adds up the weights of each song; songs whose sum is not positive are left out."""
        distinct, inverse = np.unique(np.asarray(numbers, dtype=np.int32), return_inverse=True)
        sums = np.bincount(inverse, weights=weights, minlength=len(distinct)).astype(np.float32)
        return cls(distinct[sums > 0], sums[sums > 0])

    def __len__(self) -> int:
        return len(self.numbers)


@dataclass(frozen=True)
class EventWeighting:
    """How events become the weight of a song in a history.

    Each event counts ``event_weights[type]`` (types in small letters; 1 for a type that is not named), times its value where
    ``weighting`` is ``value`` or ``log_value``; an event with a value below ``min_event_value`` counts nothing. The sum over a listener's
    events of one song becomes: ``log`` and ``log_value`` log2(1 + sum), ``binary`` 1, ``count`` and ``value`` the sum itself.
    """

    weighting: str = "log"
    event_weights: Mapping[str, float] = field(default_factory=dict)
    min_event_value: float | None = None

    @property
    def by_value(self) -> bool:
        return self.weighting in ("value", "log_value")

    def transform(self, sums: np.ndarray) -> np.ndarray:
        """Returns the float32 weights for the ``sums`` over (listener, song) pairs: 0 where a sum is not positive, positive elsewhere."""
        positive = np.maximum(np.asarray(sums, dtype=np.float64), 0.0)
        if self.weighting == "binary":
            return (positive > 0).astype(np.float32)
        scaled = np.log2(1.0 + positive) if self.weighting in ("log", "log_value") else positive
        limits = np.finfo(np.float32)
        return np.where(positive > 0, np.clip(scaled, limits.tiny, limits.max), 0.0).astype(np.float32)

    def event_weight(self, event_type: str | None, value: float | None) -> float:
        """Returns what one event adds to the sum of its song."""
        if self.min_event_value is not None and value is not None and value < self.min_event_value:
            return 0.0
        weight = self.event_weights.get(event_type.strip().casefold(), 1.0) if event_type is not None else 1.0
        return weight * value if self.by_value and value is not None else weight
