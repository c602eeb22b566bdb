"""What a leaderboard holds: the results of each contestant in each run, and what follows from them."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.evaluation.bootstrap import Estimate, estimate
from training.evaluation.permutation import SIGNIFICANT, Comparison, compare, holm

COMPARED = ("recall", "ndcg")
SAMPLES = 1000


@dataclass(frozen=True)
class Result:
    """One contestant in one run (a fold, a seed). ``per_listener``: values by measure (``recall_at_20``), in the order of the run's
    listeners; ``whole``: measures of all lists together. ``seconds``, ``cpu_seconds``: of everything from files to report; ``fit_seconds``:
    of the models alone; ``peak_bytes``: of the process."""

    fold: int
    seed: int
    per_listener: Mapping[str, NDArray[np.float64]]
    whole: Mapping[str, float]
    seconds: float
    cpu_seconds: float
    fit_seconds: float
    peak_bytes: int
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class Row:
    """One contestant: its results, in the order of the runs, which is the same for all rows."""

    name: str
    results: Sequence[Result]

    def values(self, measure: str) -> NDArray[np.float64]:
        """Returns the values of all listeners of all runs, one after the other; NaN where a run does not have the measure."""
        n = [len(next(iter(result.per_listener.values()))) for result in self.results]
        return np.concatenate(
            [result.per_listener.get(measure, np.full(size, np.nan)) for result, size in zip(self.results, n, strict=True)]
        )

    def estimate(self, measure: str, seed: int) -> Estimate | None:
        """Returns mean and 95 % interval over all listeners; None where nobody has a number."""
        values = self.values(measure)
        return None if np.isnan(values).all() else estimate(values[:, None], SAMPLES, seed)[0]

    def whole(self, measure: str) -> float | None:
        """Returns the mean over the runs of a measure of all lists together; None where a run does not have it."""
        found = [result.whole[measure] for result in self.results if measure in result.whole]
        return float(np.mean(found)) if len(found) == len(self.results) else None

    def between_runs(self, measure: str) -> float | None:
        """Returns the standard deviation of the runs' means; None of one run."""
        means = [float(np.nanmean(result.per_listener[measure])) for result in self.results]
        return float(np.std(means, ddof=1)) if len(means) > 1 else None

    def cost(self, name: str) -> float:
        """Returns the mean over the runs of ``seconds``, ``cpu_seconds``, ``fit_seconds``; the largest of ``peak_bytes``."""
        found = [float(getattr(result, name)) for result in self.results]
        return max(found) if name == "peak_bytes" else float(np.mean(found))


@dataclass(frozen=True)
class Pair:
    """``first`` against ``second`` in one measure; ``adjusted``: the p-value, adjusted (Holm) for all pairs of this measure."""

    first: str
    second: str
    measure: str
    comparison: Comparison
    adjusted: float

    @property
    def verdict(self) -> str:
        """``better`` and ``worse`` where the adjusted p-value is below 0.05, else ``too close to call``."""
        if self.adjusted >= SIGNIFICANT:
            return "too close to call"
        return "better" if self.comparison.difference.mean > 0 else "worse"

    def to_json(self) -> dict[str, Any]:
        return {
            "first": self.first,
            "second": self.second,
            "measure": self.measure,
            **self.comparison.to_json(),
            "adjusted_p_value": round(self.adjusted, 6),
            "verdict": self.verdict,
        }


def pairs(rows: Sequence[Row], k: int, seed: int) -> list[Pair]:
    """Compares every two contestants on the same listeners, in recall and nDCG at k."""
    found: list[Pair] = []
    for name in COMPARED:
        measure = f"{name}_at_{k}"
        both = list(itertools.combinations(rows, 2))
        compared = [compare(first.values(measure), second.values(measure), SAMPLES, seed) for first, second in both]
        adjusted = holm([one.p_value for one in compared])
        found += [Pair(first.name, second.name, measure, one, p) for (first, second), one, p in zip(both, compared, adjusted, strict=True)]
    return found


def sorted_rows(rows: Sequence[Row], k: int) -> list[Row]:
    """Returns the rows by nDCG at k, best first; equal ones by name."""
    return sorted(rows, key=lambda row: (-float(np.nanmean(row.values(f"ndcg_at_{k}"))), row.name))
