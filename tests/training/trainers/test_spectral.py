"""Spectral filters, against numpy's singular value decomposition."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from tests.training.trainers.data import dense, matrices, training_data, weights
from training.model_config import SpectralConfig
from training.trainers import spectral

LOW_PASS = SpectralConfig(factors=5, neighbours=100)


def random_matrix() -> np.ndarray:
    rng = np.random.default_rng(7)
    return np.where(rng.random((50, 18)) < 0.3, rng.integers(1, 4, (50, 18)), 0).astype(float)


def filters(matrix: np.ndarray, factors: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns (P, the ideal low-pass filter D^-½ V Vᵀ D^½)."""
    d_u, d = np.maximum(matrix.sum(axis=1), 1), matrix.sum(axis=0)  # some have played nothing
    normal = matrix / np.sqrt(d_u)[:, None] / np.sqrt(d)[None, :]
    v = np.linalg.svd(normal)[2][:factors].T
    return normal.T @ normal, v @ v.T / np.sqrt(d)[:, None] * np.sqrt(d)[None, :]


def reference(matrix: np.ndarray, config: SpectralConfig) -> np.ndarray:
    p, ideal = filters(matrix, config.factors)
    blurred = config.linear * p + ideal
    t, polynomial = config.sharpening, np.eye(len(p))
    for power, factorial in ((1, 1), (2, 2), (3, 6), (4, 24)):
        polynomial += np.linalg.matrix_power(-t * p, power) / factorial
    return kept(blurred @ polynomial, config.neighbours)


def kept(scores: np.ndarray, neighbours: int) -> np.ndarray:
    out = np.zeros_like(scores)
    for i in range(len(scores)):
        best = sorted((j for j in range(len(scores)) if j != i and scores[i, j] > 0), key=lambda j: -scores[i, j])[:neighbours]
        out[i, best] = scores[i, best]
    return out


@pytest.mark.parametrize(
    "config",
    [
        pytest.param(LOW_PASS, id="ideal low-pass"),
        pytest.param(replace(LOW_PASS, factors=1), id="one direction"),
        pytest.param(replace(LOW_PASS, linear=3.0), id="gf-cf"),
        pytest.param(replace(LOW_PASS, sharpening=2.5), id="sharpened"),
        pytest.param(replace(LOW_PASS, linear=3.0, sharpening=0.7), id="bspm"),
        pytest.param(replace(LOW_PASS, neighbours=3), id="few neighbours"),
        pytest.param(replace(LOW_PASS, linear=3.0, sharpening=0.7, neighbours=2), id="bspm, few neighbours"),
    ],
)
@pytest.mark.parametrize("block", [4, 256])
def test_the_operator_equals_the_dense_filter(config: SpectralConfig, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spectral, "_BLOCK", block)
    matrix = random_matrix()
    np.testing.assert_allclose(dense(spectral.fit(training_data(matrix), config)), reference(matrix, config), atol=2e-5)


def test_sharpening_is_one_step_of_runge_kutta() -> None:
    matrix, t = random_matrix(), 1.3
    p, x = filters(matrix, 5)
    k1 = -x @ p
    k2 = -(x + t / 2 * k1) @ p
    k3 = -(x + t / 2 * k2) @ p
    k4 = -(x + t * k3) @ p
    expected = kept(x + t / 6 * (k1 + 2 * k2 + 2 * k3 + k4), 100)
    found = dense(spectral.fit(training_data(matrix), replace(LOW_PASS, sharpening=t)))
    np.testing.assert_allclose(found, expected, atol=2e-5)


@pytest.mark.parametrize("linear", [0.0, 2.0])
def test_where_it_would_cost_too_much_only_the_most_played_songs_are_recommended(linear: float, monkeypatch: pytest.MonkeyPatch) -> None:
    matrix, config = random_matrix(), replace(LOW_PASS, linear=linear)
    full = dense(spectral.fit(training_data(matrix), config))
    monkeypatch.setattr(spectral, "_MAX_FLOPS", 2 * matrix.shape[1] * config.factors * 6)
    few = dense(spectral.fit(training_data(matrix), config))
    most_played = np.argsort(-matrix.sum(axis=0), kind="stable")[:6]
    expected = np.zeros_like(full)
    expected[:, most_played] = full[:, most_played]
    np.testing.assert_allclose(few, expected, atol=1e-5)
    assert few.any()


@given(matrix=matrices(weights))
@settings(max_examples=40, deadline=None)
def test_entries_are_positive_and_no_song_is_a_reason_for_itself(matrix: np.ndarray) -> None:
    operator = spectral.fit(training_data(matrix), SpectralConfig(factors=3, linear=1.0, sharpening=0.5)).operator
    assert (operator.values > 0).all()
    for song in range(len(operator)):
        columns, _ = operator.row(song)
        assert song not in columns
        assert (np.diff(columns) > 0).all()


def test_directions_are_the_singular_vectors_and_those_of_no_strength_are_left_out() -> None:
    rng = np.random.default_rng(0)
    rows = training_data(rng.random((30, 3)) @ rng.random((3, 12))).user_items  # of rank 3
    found = spectral.main_directions(rows, 8, seed=1, threads=1)
    assert found.shape == (12, 3)
    right = np.linalg.svd(rows.toarray().astype(float))[2][:3]
    np.testing.assert_allclose(np.abs(found.T @ right.T), np.eye(3), atol=1e-3)
