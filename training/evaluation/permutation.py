"""Whether one model is better than another: a paired permutation test and the size of the effect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.evaluation.bootstrap import Estimate, paired_difference

PERMUTATIONS = 10_000
SIGNIFICANT = 0.05
_FLIPS_AT_A_TIME = 4_000_000


@dataclass(frozen=True)
class Comparison:
    """``difference``: mean of first - second with its 95 % bootstrap interval. ``p_value``: two-sided, of the sign-flip test.
    ``effect_size``: Cohen's d of the paired differences (mean / standard deviation); 0.2 is small, 0.5 middling, 0.8 large."""

    difference: Estimate
    p_value: float
    effect_size: float

    def to_json(self) -> dict[str, Any]:
        size = round(self.effect_size, 4) if np.isfinite(self.effect_size) else None  # JSON has no infinity
        return {**self.difference.to_json(), "p_value": round(self.p_value, 6), "effect_size": size}


def compare(
    first: NDArray[np.float64], second: NDArray[np.float64], samples: int, seed: int, permutations: int = PERMUTATIONS
) -> Comparison:
    """Compares two models on the same listeners (listeners,). Listeners without a number in either are left out.

    Raises ``ValueError`` if the values are not about the same number of listeners.
    """
    difference = paired_difference(first, second, samples, seed)
    known = first - second
    known = known[~np.isnan(known)]
    return Comparison(difference, sign_flip_p(known, permutations, seed), effect_size(known))


def sign_flip_p(differences: NDArray[np.float64], permutations: int, seed: int) -> float:
    """Returns the two-sided p-value of the hypothesis that either model is as likely to be the better one, by as much, for a listener.

    Fisher's randomisation test of paired values (Smucker, Allan, Carterette, CIKM 2007): under the hypothesis every sign is as likely as
    its opposite. ``(1 + as far from 0 as seen) / (1 + permutations)``, so it is never 0. 1 where no listener differs.
    """
    differing = differences[differences != 0]
    if not len(differing):
        return 1.0
    seen = abs(differing.sum()) * (1 - 1e-12)  # equal sums in another order must count as equal
    rng = np.random.default_rng(seed)
    step = max(1, _FLIPS_AT_A_TIME // len(differing))
    extreme = 0
    for start in range(0, permutations, step):
        signs = rng.integers(0, 2, size=(min(step, permutations - start), len(differing)), dtype=np.int8)
        sums = 2 * (signs @ differing) - differing.sum()
        extreme += int((np.abs(sums) >= seen).sum())
    return (1 + extreme) / (1 + permutations)


def effect_size(differences: NDArray[np.float64]) -> float:
    """Returns mean / standard deviation (Cohen's d for paired values); 0 where there is no difference, infinite for a constant one."""
    mean = float(differences.mean()) if len(differences) else 0.0
    deviation = float(differences.std(ddof=1)) if len(differences) > 1 else 0.0
    if deviation == 0:
        return 0.0 if mean == 0 else float(np.copysign(np.inf, mean))
    return mean / deviation


def holm(p_values: list[float]) -> list[float]:
    """Returns p-values adjusted for how many there are (Holm 1979), in the order given: the chance of any false finding stays below it."""
    order = np.argsort(p_values, kind="stable")
    adjusted = np.empty(len(p_values))
    highest = 0.0
    for rank, i in enumerate(order.tolist()):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[i]))
        adjusted[i] = highest
    return [float(one) for one in adjusted]
