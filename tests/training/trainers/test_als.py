"""ALS against the plain normal equations."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from scipy.sparse import csr_array

from tests.training.trainers.data import checkerboard, history, matrices, training_data, weights
from training.model_config import AlsConfig
from training.trainers import als

CONFIG = AlsConfig(factors=3, iterations=5, l2=0.05, unobserved_weight=0.2, frequency_exponent=0.7)


def solve_slowly(matrix: np.ndarray, factors: np.ndarray, config: AlsConfig) -> np.ndarray:
    out = np.zeros((len(matrix), factors.shape[1]))
    for row, values in enumerate(matrix):
        if values.any():
            count = np.count_nonzero(values)
            ridge = config.l2 * (count + config.unobserved_weight * len(factors)) ** config.frequency_exponent
            a = config.unobserved_weight * factors.T @ factors + (factors * values[:, None]).T @ factors + ridge * np.eye(factors.shape[1])
            out[row] = np.linalg.solve(a, factors.T @ values)
    return out


@given(matrix=matrices(weights))
@settings(max_examples=60, deadline=None)
def test_rows_solve_the_normal_equations(matrix: np.ndarray) -> None:
    """Rows with fewer and with more entries than factors take different ways to the same answer."""
    factors = np.random.default_rng(0).normal(size=(matrix.shape[1], 3)).astype(np.float32)
    found = als.solve_rows(csr_array(matrix), factors, CONFIG, threads=2)
    np.testing.assert_allclose(found, solve_slowly(matrix, factors.astype(float), CONFIG), rtol=1e-4, atol=1e-5)


def test_many_rows_of_all_lengths_are_solved_in_batches(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(als, "_BATCH_FLOATS", 100)
    rng = np.random.default_rng(1)
    matrix = (rng.random((50, 30)) < rng.random((50, 1))) * rng.random((50, 30))
    factors = rng.normal(size=(30, 3)).astype(np.float32)
    found = als.solve_rows(csr_array(matrix), factors, CONFIG, threads=2)
    np.testing.assert_allclose(found, solve_slowly(matrix, factors.astype(float), CONFIG), rtol=1e-4, atol=1e-5)


def test_each_iteration_lowers_the_loss() -> None:
    matrix = checkerboard()
    losses = [loss(matrix, CONFIG, iterations) for iterations in (1, 2, 4, 8)]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 0.99 * losses[0]


def loss(matrix: np.ndarray, config: AlsConfig, iterations: int) -> float:
    y = als.fit(training_data(matrix), replace(config, iterations=iterations)).item_factors.astype(float)
    x = solve_slowly(matrix, y, config)
    predicted = x @ y.T

    def ridge(values: np.ndarray, other: int) -> np.ndarray:
        return config.l2 * (np.count_nonzero(values, axis=1) + config.unobserved_weight * other) ** config.frequency_exponent

    observed = (matrix * (predicted - 1) ** 2).sum() + config.unobserved_weight * (predicted**2).sum()
    return float(observed + ridge(matrix, len(y)) @ (x**2).sum(axis=1) + ridge(matrix.T, len(x)) @ (y**2).sum(axis=1))


def test_serving_folds_a_listener_in_as_training_would() -> None:
    matrix = checkerboard()
    scorer = als.fit(training_data(matrix), CONFIG)
    x = solve_slowly(matrix, scorer.item_factors.astype(float), CONFIG)
    for user in range(len(matrix)):
        np.testing.assert_allclose(scorer.scores(history(matrix, user)), scorer.item_factors @ x[user], atol=1e-5)
