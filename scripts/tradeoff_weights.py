"""Weights of several aims to try, and which of the results no other one beats in everything."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray


def simplex_points(terms: int, n: int, seed: int) -> NDArray[np.float64]:
    """Returns float64 (n, terms), rows that sum to 1: a grid of the simplex, as fine as fits into half of them, its corners among them,
    and random points, evenly spread, for the rest. ``n`` is at least ``terms``."""
    grid: list[tuple[int, ...]] = []
    for steps in itertools.count(1):
        finer = _compositions(terms, steps)
        if grid and len(finer) > max(n // 2, terms):
            break
        grid = finer
    points = np.array(grid, dtype=np.float64)
    points /= points.sum(axis=1, keepdims=True)
    drawn = np.random.default_rng(seed).dirichlet(np.ones(terms), max(0, n - len(points)))
    return np.vstack([points, drawn])[:n]


def _compositions(terms: int, steps: int) -> list[tuple[int, ...]]:
    """All ways to give ``steps`` equal parts to the terms."""
    bars = itertools.combinations(range(steps + terms - 1), terms - 1)
    return [tuple(b - a - 1 for a, b in itertools.pairwise((-1, *bar, steps + terms - 1))) for bar in bars]


def non_dominated(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Returns bool (points,): which rows of (points × aims), higher is better, no other row reaches in all aims and beats in one."""
    reached = (values[:, None, :] >= values[None, :, :]).all(axis=2)
    beaten = (values[:, None, :] > values[None, :, :]).any(axis=2)
    return np.logical_not((reached & beaten).any(axis=0))
