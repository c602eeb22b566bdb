"""EASE, dense and local, against its formula."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_array

from tests.training.trainers.data import dense, training_data
from training.data.errors import UserDataError
from training.model_config import EaseConfig
from training.trainers import ease, gram
from training.trainers.base import TrainingData

PLAIN = EaseConfig(l2=2.0, neighbours=50, user_exponent=0.0, item_exponent=0.0)


def random_matrix() -> np.ndarray:
    rng = np.random.default_rng(3)
    matrix = (rng.random((60, 12)) < 0.3).astype(float)
    matrix[0] = 1  # one listener of everything: then every pair of songs has met
    return matrix


def closed_form(matrix: np.ndarray, config: EaseConfig) -> np.ndarray:
    d_u, d_i = matrix.sum(axis=1), matrix.sum(axis=0)
    x = matrix / d_u[:, None] ** config.user_exponent / d_i[None, :] ** config.item_exponent
    gram = x.T @ x
    ridge = config.l2 + config.dropout / (1 - config.dropout) * np.diag(gram)
    p = np.linalg.inv(gram + np.diag(ridge))
    b = np.eye(len(p)) - p / np.diag(p)[None, :]
    return b / d_i[:, None] ** config.item_exponent * d_i[None, :] ** config.item_exponent


@pytest.mark.parametrize(
    "config",
    [
        PLAIN,
        replace(PLAIN, user_exponent=0.25, item_exponent=0.25),
        replace(PLAIN, dropout=0.3),
        replace(PLAIN, user_exponent=0.5, item_exponent=0.1, dropout=0.1),
    ],
)
@pytest.mark.parametrize("dense_max_items", [0, 4000])
def test_both_forms_equal_the_closed_form_where_every_song_is_a_neighbour(config: EaseConfig, dense_max_items: int) -> None:
    matrix = random_matrix()
    found = dense(ease.fit(training_data(matrix), replace(config, dense_max_items=dense_max_items)))
    np.testing.assert_allclose(found, closed_form(matrix, config), atol=2e-5)


def test_the_local_form_solves_each_song_on_its_nearest_songs() -> None:
    matrix = random_matrix()
    config = replace(PLAIN, neighbours=4, dense_max_items=0, neighbour_exponent=0.5)
    found = dense(ease.fit(training_data(matrix), config))
    gram = matrix.T @ matrix
    for j in range(len(gram)):
        rank = gram[:, j] / np.diag(gram) ** 0.5
        nearest = sorted((i for i in range(len(gram)) if i != j), key=lambda i: (-rank[i], i))[:4]
        expected = np.zeros(len(gram))
        expected[nearest] = np.linalg.solve(gram[np.ix_(nearest, nearest)] + 2.0 * np.eye(4), gram[nearest, j])
        np.testing.assert_allclose(found[:, j], expected, atol=1e-5)


def test_songs_are_never_a_reason_for_themselves() -> None:
    for dense_max_items in (0, 4000):
        found = dense(ease.fit(training_data(random_matrix()), replace(PLAIN, dense_max_items=dense_max_items)))
        assert not np.diag(found).any()


def test_songs_too_much_alike_for_a_tiny_ridge_are_the_users_to_mend() -> None:
    user_items = csr_array(np.ones((3000, 30), dtype=np.float32))
    config = EaseConfig(l2=1e-6, user_exponent=0.0, item_exponent=0.0, dense_max_items=0)
    with pytest.raises(UserDataError, match="ease_l2"):
        ease.fit(TrainingData(user_items, None, 1, 1), config)


def test_a_listener_of_everything_does_not_take_all_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gram, "LONGEST_HISTORY", 4)
    matrix = random_matrix()  # its first listener has played all 12 songs
    matrix[1:] = 0
    matrix[1:, :3] = 1
    operator = ease.fit(training_data(matrix), replace(PLAIN, dense_max_items=0)).operator
    assert len(np.unique(operator.indices)) == 4


def test_a_song_is_regressed_on_fewer_songs_where_the_memory_limit_asks_for_it() -> None:
    matrix = random_matrix()
    n, config = matrix.shape[1], replace(PLAIN, dense_max_items=0)
    limited = ease.fit(replace(training_data(matrix), memory_limit_gb=2 * 8 * n * 3 / 1e9), config)
    assert (np.count_nonzero(dense(limited), axis=0) == 3).all()
    unlimited = dense(ease.fit(training_data(matrix), replace(config, neighbours=3)))  # the same songs, of whose pairs more are known
    np.testing.assert_array_equal(dense(limited) != 0, unlimited != 0)
