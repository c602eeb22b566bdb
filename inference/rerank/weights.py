"""How much each aim of the re-ranker weighs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Weights:
    """Of the terms of the objective, each between 0 and 1 on average over the list. ``novelty`` below 0 asks for well-known songs."""

    accuracy: float = 1.0
    diversity: float = 0.0
    calibration: float = 0.0
    novelty: float = 0.0
    fairness: float = 0.0

    @property
    def of_score_alone(self) -> bool:
        """Whether these leave the order to the score."""
        return self.accuracy > 0 and not (self.diversity or self.calibration or self.novelty or self.fairness)


TERMS = tuple(field.name for field in fields(Weights))


def traded(shares: Mapping[str, float]) -> Weights:
    """Returns the weights for options that each trade one term against accuracy: ``(1 - share) · accuracy + share · term``.

    With one option that is the formula of its paper; with several, each keeps the rate at which it is traded, share : 1 - share. A
    share of 1 leaves no accuracy, and nothing to those below 1.
    """
    if whole := {term: math.copysign(1.0, share) for term, share in shares.items() if abs(share) >= 1}:
        return Weights(**{"accuracy": 0.0, **whole})
    return Weights(**{term: share / (1.0 - abs(share)) for term, share in shares.items()})
