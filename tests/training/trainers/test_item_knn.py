"""Neighbours equal brute force."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from tests.training.trainers.data import dense, matrices, training_data, weights, zeros_and_ones
from training.model_config import NeighboursConfig
from training.trainers.item_knn import fit_cosine, fit_pearson


def keep_largest(similarity: np.ndarray, k: int) -> np.ndarray:
    out = np.zeros_like(similarity)
    for j in range(len(similarity)):
        order = sorted((i for i in range(len(similarity)) if i != j and similarity[i, j] > 0), key=lambda i: (-similarity[i, j], i))
        out[order[:k], j] = similarity[order[:k], j]
    return out


def shrink(similarity: np.ndarray, matrix: np.ndarray, shrinkage: float) -> np.ndarray:
    common = (matrix > 0).astype(float).T @ (matrix > 0).astype(float)
    return similarity * common / np.maximum(common + shrinkage, 1e-12)


@given(matrix=matrices(weights))
@settings(max_examples=60, deadline=None)
def test_cosine_equals_brute_force(matrix: np.ndarray) -> None:
    norms = np.maximum(np.linalg.norm(matrix, axis=0), 1e-12)
    expected = shrink(matrix.T @ matrix / norms[:, None] / norms[None, :], matrix, 2.0)
    found = dense(fit_cosine(training_data(matrix), NeighboursConfig(neighbours=100, shrinkage=2.0)))
    np.testing.assert_allclose(found, keep_largest(expected, 100), atol=1e-6)


@given(matrix=matrices(zeros_and_ones))
@settings(max_examples=60, deadline=None)
def test_pearson_equals_the_correlation_of_the_columns(matrix: np.ndarray) -> None:
    centred = matrix - matrix.mean(axis=0)
    norms = np.maximum(np.linalg.norm(centred, axis=0), 1e-6)
    expected = centred.T @ centred / norms[:, None] / norms[None, :]
    expected[(matrix.T @ matrix) == 0] = 0  # without a common listener there is no evidence
    expected = shrink(np.where(expected > 1e-9, expected, 0), matrix, 1.0)
    found = dense(fit_pearson(training_data(matrix), NeighboursConfig(neighbours=100, shrinkage=1.0)))
    np.testing.assert_allclose(found, keep_largest(expected, 100), atol=1e-5)


def test_each_song_keeps_its_nearest_neighbours_only() -> None:
    rng = np.random.default_rng(0)
    matrix = (rng.random((40, 15)) < 0.4).astype(float)
    full = dense(fit_cosine(training_data(matrix), NeighboursConfig(neighbours=100, shrinkage=0)))
    few = dense(fit_cosine(training_data(matrix), NeighboursConfig(neighbours=3, shrinkage=0)))
    np.testing.assert_allclose(few, keep_largest(full, 3), atol=1e-6)
    assert ((few > 0).sum(axis=0) == 3).all()


@pytest.mark.parametrize("size", [1e-30, 1e30])
def test_the_unit_of_the_weights_does_not_matter_to_the_cosine(size: float) -> None:
    matrix = np.random.default_rng(2).integers(0, 3, (40, 12)).astype(float)
    usual = fit_cosine(training_data(matrix), NeighboursConfig()).operator
    scaled = fit_cosine(training_data(matrix * size), NeighboursConfig()).operator
    np.testing.assert_array_equal(usual.indices, scaled.indices)
    np.testing.assert_allclose(usual.values, scaled.values, rtol=1e-5)
