"""EASE, the learned item-to-item model: dense for small catalogues, local and sparse for large ones."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.linalg.lapack import sposv
from scipy.sparse import csr_array, diags_array

from inference.scorers import ItemToItemScorer
from training.data.errors import UserDataError
from training.model_config import EaseConfig
from training.trainers.base import TrainingData, blocks, in_threads, operator_of_columns, top_k_of_row
from training.trainers.gram import BLOCK, diagonal_of_gram, most_kept, shortened, trimmed_gram

_PARTNERS = 3  # times its neighbours each song keeps of the Gram matrix; the systems are cut out of these
_DENSE_BYTES = 3 * 8  # per entry: the matrix, its inverse and the weights

Columns = Iterator[tuple[np.ndarray, np.ndarray]]


def fit(data: TrainingData, config: EaseConfig) -> ItemToItemScorer:
    """Each song's column is ridge-regressed on the other songs' columns (Steck, "Embarrassingly shallow autoencoders", WWW 2019).

    The matrix is degree-normalised first, ``X̃ = D_u^-a X D_i^-b``, and scores are scaled back by ``D_i^b``. Songs up to
    ``dense_max_items``, where the memory limit allows it, take the closed form over all songs; otherwise each song is regressed on its
    nearest songs only (the sparse approximation of Steck, "Markov random fields for collaborative filtering", NeurIPS 2019, with the
    local systems solved exactly), so that no matrix of songs × songs is ever made. ``dropout`` p adds ``p/(1−p)`` of the diagonal to the
    ridge (Steck, "Autoencoders that don't overfit towards the identity", NeurIPS 2020).
    """
    item_scale = np.maximum(np.asarray(data.user_items.sum(axis=0)).ravel(), 1e-12) ** config.item_exponent
    user_scale = np.maximum(np.asarray(data.user_items.sum(axis=1)).ravel(), 1e-12) ** config.user_exponent
    rows = (diags_array(1.0 / user_scale) @ data.user_items @ diags_array(1.0 / item_scale)).astype(np.float32).tocsr()
    n = data.n_items
    is_dense = n <= config.dense_max_items and n * n * _DENSE_BYTES <= data.memory_limit_gb * 1e9
    columns = _dense(rows, config) if is_dense else _local(shortened(rows), config, data)
    # B ← D^-b B D^b, folded in, so that scoring is one product with the plain history.
    scaled = ((numbers, values * item_scale[song] / item_scale[numbers]) for song, (numbers, values) in enumerate(columns))
    try:
        return operator_of_columns(scaled, n)
    except np.linalg.LinAlgError:
        raise UserDataError(f"Raise ease_l2 (it is {config.l2:g}): songs are too much alike for so small a ridge.") from None


def _ridge(diagonal: np.ndarray, config: EaseConfig) -> np.ndarray:
    return np.asarray(config.l2 + config.dropout / (1.0 - config.dropout) * diagonal)


def _dense(rows: csr_array, config: EaseConfig) -> Columns:
    """``P = (G + Λ)⁻¹``, ``B = I − P diag(1/diag P)``; each column keeps its largest weights, four times as many as the local form has."""
    matrix = (rows.T @ rows).toarray().astype(np.float64)
    matrix[np.diag_indices_from(matrix)] += _ridge(matrix.diagonal(), config)
    inverse = cho_solve(cho_factor(matrix, lower=True, overwrite_a=True, check_finite=False), np.eye(len(matrix)), overwrite_b=True)
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0.0)
    songs = np.arange(len(weights), dtype=np.int32)
    for song in songs.tolist():
        kept, _ = top_k_of_row(songs, np.abs(weights[:, song]), 4 * config.neighbours)
        yield kept, weights[kept, song]


def _local(rows: csr_array, config: EaseConfig, data: TrainingData) -> Columns:
    """For each song j, with N its nearest songs by ``G_ij / d_i^neighbour_exponent`` (d = diag G): ``w = (G_NN + Λ)⁻¹ G_Nj``.

    Of G each song keeps its strongest partners only; a pair that neither of two neighbours keeps counts as never met. N is smaller where
    the result, beside G or a second time while its columns are made to rows, were more than the memory limit.
    """
    diagonal = diagonal_of_gram(rows)
    strength = np.maximum(diagonal, 1e-12) ** config.neighbour_exponent
    neighbours = most_kept(data.n_items, config.neighbours, data.memory_limit_gb, share=0.5)
    keep = max(neighbours, most_kept(data.n_items, _PARTNERS * neighbours, data.memory_limit_gb))
    gram = trimmed_gram(rows, keep, strength, data.threads)
    on_diagonal = (diagonal + _ridge(diagonal, config)).astype(np.float32)

    def work(block: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        return [_local_column(gram, on_diagonal, strength, song, neighbours) for song in block.tolist()]

    # In one thread: a song takes a dozen small calls, and two threads spend more on the interpreter's lock than they gain (35 s, not 25).
    for columns in in_threads(work, blocks(data.n_items, BLOCK), 1, "ease"):
        yield from columns


def _local_column(gram: csr_array, on_diagonal: np.ndarray, strength: np.ndarray, song: int, k: int) -> tuple[np.ndarray, np.ndarray]:
    span = slice(gram.indptr[song], gram.indptr[song + 1])
    numbers, values = gram.indices[span], gram.data[span]
    chosen, _ = top_k_of_row(np.arange(len(numbers)), values / strength[numbers], k)
    nearest, target = numbers[chosen], values[chosen]
    if not len(nearest):
        return nearest, target
    system = gram[nearest][:, nearest].toarray()
    np.maximum(system, system.T, out=system)  # weights are positive: a pair that one of the two dropped is a 0 there
    system[np.diag_indices_from(system)] = on_diagonal[nearest]
    _, weights, failed = sposv(system, target)
    if failed:
        raise np.linalg.LinAlgError
    return nearest, weights
