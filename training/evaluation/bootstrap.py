"""How sure a mean over listeners is: the percentile bootstrap (Efron 1979), vectorised, and the same answer for the same seed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.95
_DRAWS_AT_A_TIME = 4_000_000


@dataclass(frozen=True)
class Estimate:
    """A mean over listeners and the bounds of its 95 % interval."""

    mean: float
    low: float
    high: float

    def to_json(self) -> dict[str, float]:
        """Returns plain numbers with six digits, which is more than the interval warrants."""
        return {"mean": round(self.mean, 6), "low": round(self.low, 6), "high": round(self.high, 6)}


def estimate(values: NDArray[np.float64], samples: int, seed: int) -> list[Estimate]:
    """Returns an ``Estimate`` for each column of ``values`` (listeners × measures).

    Listeners are drawn with replacement, ``samples`` times. NaN means that the measure is not defined for that listener; it is left
    out of the mean. A column without any number gives NaN three times.
    """
    defined = ~np.isnan(values)
    filled = np.where(defined, values, 0.0)
    means = _ratio(filled.sum(axis=0), defined.sum(axis=0))
    bounds = np.full((2, values.shape[1]), np.nan)
    known = defined.any(axis=0)
    if known.any():
        counted = _resamples(len(values), samples, seed)
        draws = np.concatenate([_ratio(counts @ filled[:, known], counts @ defined[:, known]) for counts in counted])
        tail = (1 - CONFIDENCE) / 2
        bounds[:, known] = np.nanquantile(draws, [tail, 1 - tail], axis=0)
    return [Estimate(float(mean), float(low), float(high)) for mean, low, high in zip(means, *bounds, strict=True)]


def paired_difference(first: NDArray[np.float64], second: NDArray[np.float64], samples: int, seed: int) -> Estimate:
    """Returns by how much ``first`` beats ``second`` (listeners,) on the same listeners. If ``low`` is above 0, it is better.

    Raises ``ValueError`` if they are not about the same number of listeners.
    """
    if first.shape != second.shape:
        raise ValueError(f"{first.shape} and {second.shape} values are not about the same listeners")
    return estimate((first - second)[:, None], samples, seed)[0]


def _resamples(n: int, samples: int, seed: int) -> Iterator[NDArray[np.float64]]:
    """Yields float64 arrays (some samples × n) of how often each listener was drawn, few enough at a time to stay small."""
    rng = np.random.default_rng(seed)
    step = max(1, _DRAWS_AT_A_TIME // max(n, 1))
    for start in range(0, samples, step):
        rows = min(step, samples - start)
        drawn = rng.integers(0, n, size=(rows, n)) + np.arange(rows)[:, None] * n
        yield np.bincount(drawn.ravel(), minlength=rows * n).reshape(rows, n).astype(np.float64)


def _ratio(sums: NDArray[np.float64], counts: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0)
