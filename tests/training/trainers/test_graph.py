"""The item graph, against its formula, and against each model that it can be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from tests.training.trainers.data import dense, matrices, training_data, weights, zeros_and_ones
from training.model_config import GraphConfig, NeighboursConfig
from training.trainers import gram, graph, item_knn


def exponents(user: float, source: float, target: float, power: float) -> GraphConfig:
    return GraphConfig(neighbours=100, user_exponent=user, source_exponent=source, target_exponent=target, power=power)


COSINE, P3, GF_CF = exponents(0, 0.5, 0.5, 1), exponents(1, 1, 0, 1), exponents(1, 0.5, 0.5, 1)


def slow(matrix: np.ndarray, config: GraphConfig) -> np.ndarray:
    users, songs = matrix.shape
    d_u, d = matrix.sum(axis=1), matrix.sum(axis=0)
    out = np.zeros((songs, songs))
    for i in range(songs):
        for j in range(songs):
            if i != j:
                for u in range(users):
                    if matrix[u, i] > 0 and matrix[u, j] > 0:
                        normal = d_u[u] ** config.user_exponent * d[i] ** config.source_exponent * d[j] ** config.target_exponent
                        out[i, j] += matrix[u, i] * matrix[u, j] / normal
    return out**config.power


def without_diagonal(matrix: np.ndarray) -> np.ndarray:
    return matrix - np.diag(np.diag(matrix))


def over(matrix: np.ndarray, sums: np.ndarray, exponent: float = 1.0) -> np.ndarray:
    """Divides by powers of sums; where a sum is 0 there is nothing to divide."""
    return matrix / np.where(sums > 0, sums, 1.0) ** exponent


@pytest.mark.parametrize(
    "config",
    [
        pytest.param(COSINE, id="cosine"),
        pytest.param(P3, id="p3"),
        pytest.param(exponents(1, 1, 0, 1.7), id="p3 alpha"),
        pytest.param(exponents(1, 1, 0.6, 1), id="rp3 beta"),
        pytest.param(GF_CF, id="gf-cf"),
        pytest.param(exponents(1.2, 0.4, 0.4, 0.7), id="turbo-cf"),
        pytest.param(exponents(0.3, 0.9, 0.2, 1.3), id="linkprop"),
    ],
)
@given(matrix=matrices(weights))
@settings(max_examples=25, deadline=None)
def test_the_operator_equals_its_formula(config: GraphConfig, matrix: np.ndarray) -> None:
    np.testing.assert_allclose(dense(graph.fit(training_data(matrix), config)), slow(matrix, config), rtol=1e-4)


@given(matrix=matrices(zeros_and_ones))
@settings(max_examples=50, deadline=None)
def test_it_can_be_the_cosine_of_zeros_and_ones(matrix: np.ndarray) -> None:
    neighbours = item_knn.fit_cosine(training_data(matrix), NeighboursConfig(neighbours=100, shrinkage=0))
    np.testing.assert_allclose(dense(graph.fit(training_data(matrix), COSINE)), dense(neighbours), rtol=1e-5)


@given(matrix=matrices(weights))
@settings(max_examples=50, deadline=None)
def test_it_can_be_the_random_walk_from_song_to_listener_to_song(matrix: np.ndarray) -> None:
    to_listener, to_song = over(matrix, matrix.sum(axis=0)).T, over(matrix, matrix.sum(axis=1)[:, None])
    walk = to_listener @ to_song
    played = matrix.sum(axis=0) > 0
    np.testing.assert_allclose(walk[played].sum(axis=1), 1.0)
    np.testing.assert_allclose(dense(graph.fit(training_data(matrix), P3)), without_diagonal(walk), rtol=1e-4)
    rp3 = over(walk, matrix.sum(axis=0), 0.6)
    np.testing.assert_allclose(dense(graph.fit(training_data(matrix), exponents(1, 1, 0.6, 1))), without_diagonal(rp3), rtol=1e-4)


@given(matrix=matrices(weights))
@settings(max_examples=50, deadline=None)
def test_it_can_be_the_linear_filter_of_gf_cf_and_of_turbo_cf(matrix: np.ndarray) -> None:
    by_user, by_song = matrix.sum(axis=1)[:, None], matrix.sum(axis=0)
    normal = over(over(matrix, by_user, 0.5), by_song, 0.5)
    np.testing.assert_allclose(dense(graph.fit(training_data(matrix), GF_CF)), without_diagonal(normal.T @ normal), rtol=1e-4)
    alpha, power = 0.6, 0.7
    normal = over(over(matrix, by_user, alpha), by_song, 1 - alpha)
    turbo = graph.fit(training_data(matrix), exponents(2 * alpha, 1 - alpha, 1 - alpha, power))
    np.testing.assert_allclose(dense(turbo), without_diagonal(normal.T @ normal) ** power, rtol=1e-4)


@pytest.mark.parametrize("config", [COSINE, P3, exponents(1, 1, 0.9, 1), exponents(1.2, 0.4, 0.4, 0.7)])
def test_each_song_keeps_its_largest_entries(config: GraphConfig) -> None:
    rng = np.random.default_rng(1)
    matrix = np.where(rng.random((60, 25)) < 0.4, rng.random((60, 25)) + 0.1, 0.0)
    full = slow(matrix, config)
    found = dense(graph.fit(training_data(matrix), replace(config, neighbours=4)))
    for i in range(25):
        largest = np.argsort(-full[i])[:4]
        assert set(np.flatnonzero(found[i])) == set(largest)
        np.testing.assert_allclose(found[i, largest], full[i, largest], rtol=1e-4)


def test_a_small_memory_limit_keeps_fewer_neighbours() -> None:
    data = replace(training_data(np.ones((3, 50))), memory_limit_gb=4 * 8 * 50 * 6 / 1e9)
    assert (np.diff(graph.fit(data, COSINE).operator.indptr) == 6).all()


def test_a_listener_of_everything_does_not_take_all_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gram, "LONGEST_HISTORY", 4)
    assert len(np.unique(graph.fit(training_data(np.ones((1, 12))), COSINE).operator.indices)) == 4
