"""The trimmed Gram matrix, against a dense one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from tests.training.trainers.data import matrices, weights
from training.trainers import gram
from training.trainers.gram import diagonal_of_gram, most_kept, shortened, trimmed_gram


def rows_of(matrix: np.ndarray) -> csr_array:
    return csr_array(matrix.astype(np.float32))


def check_rows(found: csr_array, matrix: np.ndarray, keep: int, strength: np.ndarray) -> None:
    """Each row holds true entries of XᵀX, and its ranks are the largest there are: which of equal ones stays is left open."""
    full = matrix.T @ matrix
    np.fill_diagonal(full, 0.0)
    assert found.shape == full.shape
    for song in range(len(full)):
        span = slice(found.indptr[song], found.indptr[song + 1])
        columns, values = found.indices[span], found.data[span]
        assert (np.diff(columns) > 0).all()
        np.testing.assert_allclose(values, full[song, columns], rtol=1e-5)
        met = np.flatnonzero(full[song])
        best = np.sort(full[song, met] / strength[met])[::-1][:keep]
        np.testing.assert_allclose(np.sort(full[song, columns] / strength[columns])[::-1], best, rtol=1e-5)


@given(matrix=matrices(weights), keep=st.integers(1, 8), exponent=st.sampled_from([0.0, 0.5, 1.0]))
@settings(max_examples=100, deadline=None)
def test_each_song_keeps_its_strongest_partners(matrix: np.ndarray, keep: int, exponent: float) -> None:
    strength = np.maximum((matrix**2).sum(axis=0), 1e-12) ** exponent
    check_rows(trimmed_gram(rows_of(matrix), keep, strength, threads=1), matrix, keep, strength)


@pytest.mark.parametrize("size", [1, 7, 40, 1000])
@pytest.mark.parametrize("threads", [1, 3])
def test_blocks_and_threads_change_nothing(size: int, threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    matrix = np.where(rng.random((80, 40)) < 0.3, rng.random((80, 40)), 0.0)
    strength = rng.random(40) + 0.5
    monkeypatch.setattr(gram, "BLOCK", size)
    check_rows(trimmed_gram(rows_of(matrix), 6, strength, threads), matrix, 6, strength)


def test_the_matrix_takes_eight_bytes_for_each_song_and_partner_at_most() -> None:
    found = trimmed_gram(rows_of(np.ones((5, 60))), 7, np.ones(60), threads=2)
    assert (np.diff(found.indptr) == 7).all()
    assert found.data.nbytes + found.indices.nbytes == 8 * 60 * 7


@given(n=st.integers(0, 5_000_000), wanted=st.integers(1, 10_000), limit=st.floats(0.001, 500))
def test_as_many_partners_are_kept_as_a_quarter_of_the_memory_limit_holds(n: int, wanted: int, limit: float) -> None:
    kept = most_kept(n, wanted, limit)
    assert 1 <= kept <= wanted
    assert kept == 1 or 8 * n * kept <= limit * 1e9 / 4 * (1 + 1e-12)
    assert kept == wanted or 8 * n * (kept + 1) > limit * 1e9 / 4 * (1 - 1e-12)


@given(matrix=matrices(weights))
@settings(max_examples=50, deadline=None)
def test_the_diagonal_is_the_squared_length_of_each_column(matrix: np.ndarray) -> None:
    np.testing.assert_allclose(diagonal_of_gram(rows_of(matrix)), (matrix**2).sum(axis=0))


@given(matrix=matrices(weights), longest=st.integers(1, 8))
@settings(max_examples=100, deadline=None)
def test_a_history_that_is_too_long_keeps_its_largest_weights(matrix: np.ndarray, longest: int) -> None:
    expected = np.zeros_like(matrix)
    for user, row in enumerate(matrix):
        best = sorted(np.flatnonzero(row).tolist(), key=lambda song: (-row[song], song))[:longest]
        expected[user, best] = row[best]
    np.testing.assert_array_equal(shortened(rows_of(matrix), longest).toarray(), expected)


def test_histories_that_are_short_enough_stay_as_they_are() -> None:
    rows = rows_of(np.ones((3, 4)))
    assert shortened(rows, 4) is rows
    assert shortened(rows) is rows
