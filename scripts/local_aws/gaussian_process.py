"""A Gaussian process over the unit cube, and what it makes one expect of a point that has not been tried.

Rasmussen and Williams, Gaussian Processes for Machine Learning (2006), chapters 2, 4 and 5: Matérn 5/2 with a length for each dimension.
Lengths and noise are those of the greatest posterior density, under priors that keep them sane where there are few points. Expected
improvement: Jones, Schonlau and Welch (1998); AWS names both for its Bayesian strategy (Perrone et al., Amazon SageMaker Automatic Model
Tuning, 2021), and keeps its own ways of fitting them to itself.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve, cholesky, solve_triangular
from scipy.optimize import minimize
from scipy.special import ndtr

Array = NDArray[np.float64]
LENGTH, LENGTH_SPREAD = np.log(0.5), 1.0  # prior of the logarithm of a length
NOISE, NOISE_SPREAD = np.log(1e-3), 1.5  # and of the noise's variance, where the values have variance 1
BOUNDS = (np.log(1e-2), np.log(1e2)), (np.log(1e-6), np.log(1.0))
JITTER = 1e-8
FITTING_STEPS = 20


class GaussianProcess:
    """``points``: points × dimensions, from 0 to 1; ``values``: one for each point. ``like``: whose lengths and noise it takes over."""

    def __init__(self, points: Array, values: Array, like: GaussianProcess | None = None) -> None:
        self._points = points
        self._mean, self._scale = float(values.mean()), float(values.std()) or 1.0
        self._values = (values - self._mean) / self._scale
        self._kind: tuple[Array, float] = like._kind if like else self._fitted()
        self._root = self._factor(*self._kind)
        self._weights = cho_solve((self._root, True), self._values)

    def predict(self, points: Array) -> tuple[Array, Array]:
        """Returns what is expected at each point, noise left out, and its standard deviation."""
        between = _matern(points, self._points, self._kind[0])
        half = solve_triangular(self._root, between.T, lower=True)
        variance = np.maximum(1.0 - (half**2).sum(axis=0), 0.0)
        return self._mean + self._scale * (between @ self._weights), self._scale * np.sqrt(variance)

    def _fitted(self) -> tuple[Array, float]:
        dimensions = self._points.shape[1]
        start = np.array([LENGTH] * dimensions + [NOISE])
        bounds = [BOUNDS[0]] * dimensions + [BOUNDS[1]]
        fitted = minimize(self._unlikely, start, method="L-BFGS-B", bounds=bounds, options={"maxiter": FITTING_STEPS})
        return np.exp(fitted.x[:-1]), float(np.exp(fitted.x[-1]))

    def _factor(self, lengths: Array, noise: float) -> Array:
        among = _matern(self._points, self._points, lengths)
        return np.asarray(cholesky(among + (noise + JITTER) * np.eye(len(among)), lower=True))

    def _unlikely(self, logarithms: Array) -> float:
        """The negative logarithm of the posterior density of lengths and noise, but for constants."""
        root = self._factor(np.exp(logarithms[:-1]), float(np.exp(logarithms[-1])))
        half = solve_triangular(root, self._values, lower=True)
        prior = (((logarithms[:-1] - LENGTH) / LENGTH_SPREAD) ** 2).sum() + ((logarithms[-1] - NOISE) / NOISE_SPREAD) ** 2
        return float(0.5 * (half**2).sum() + np.log(np.diag(root)).sum() + 0.5 * prior)


def expected_improvement(mean: Array, deviation: Array, best: float) -> Array:
    """Returns by how much each point is expected to be above ``best``: E[max(0, value - best)] of a normal value."""
    certain = np.maximum(mean - best, 0.0)
    spread = np.maximum(deviation, 1e-12)
    above = (mean - best) / spread
    density = np.exp(-0.5 * above**2) / np.sqrt(2 * np.pi)
    return np.where(deviation > 1e-12, np.maximum(spread * (above * ndtr(above) + density), 0.0), certain)


def _matern(left: Array, right: Array, lengths: Array) -> Array:
    apart = (left[:, None, :] - right[None, :, :]) / lengths
    distance = np.sqrt(5.0 * (apart**2).sum(axis=2))
    return np.asarray((1.0 + distance + distance**2 / 3.0) * np.exp(-distance))
