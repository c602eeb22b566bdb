"""EASE, the learned item-to-item model: dense for small catalogues, local and sparse for large ones."""

from __future__ import annotations

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse import csr_array, diags_array

from inference.scorers import ItemToItemScorer
from training.config import EaseConfig
from training.data.errors import UserDataError
from training.progress import log
from training.trainers.base import TrainingData, blocks, in_threads, operator_of_columns, top_k_of_row

_BLOCK = 500
_LONGEST_HISTORY = 2000  # in the local form: a listener of n songs makes n² pairs of the Gram matrix


def fit(data: TrainingData, config: EaseConfig) -> ItemToItemScorer:
    """Each song's column is ridge-regressed on the other songs' columns (Steck, "Embarrassingly shallow autoencoders", WWW 2019).

    The matrix is degree-normalised first, ``X̃ = D_u^-a X D_i^-b``, and scores are scaled back by ``D_i^b``. Songs up to
    ``dense_max_items`` take the closed form over all songs; above, each song is regressed on its nearest songs only (the sparse
    approximation of Steck, "Markov random fields for collaborative filtering", NeurIPS 2019, with the local systems solved exactly), so
    that no matrix of songs × songs is ever made. ``dropout`` p adds ``p/(1−p)`` of the diagonal to the ridge (Steck, "Autoencoders that
    don't overfit towards the identity", NeurIPS 2020).
    """
    item_scale = np.maximum(np.asarray(data.user_items.sum(axis=0)).ravel(), 1e-12) ** config.item_exponent
    user_scale = np.maximum(np.asarray(data.user_items.sum(axis=1)).ravel(), 1e-12) ** config.user_exponent
    normalised = (diags_array(1.0 / user_scale) @ data.user_items @ diags_array(1.0 / item_scale)).astype(np.float32).tocsr()
    if data.n_items > config.dense_max_items:
        normalised = _shortened(normalised)
    gram = (normalised.T.tocsr() @ normalised).tocsr()
    gram.sort_indices()
    ridge = config.l2 + config.dropout / (1.0 - config.dropout) * gram.diagonal()
    solve = _dense if data.n_items <= config.dense_max_items else _local
    try:
        columns = solve(gram, ridge, config, data.threads)
    except np.linalg.LinAlgError:
        raise UserDataError(f"Raise ease_l2 (it is {config.l2:g}): songs are too much alike for so small a ridge.") from None
    # B ← D^-b B D^b, folded in, so that scoring is one product with the plain history.
    scaled = ((numbers, values * item_scale[song] / item_scale[numbers]) for song, (numbers, values) in enumerate(columns))
    return operator_of_columns(scaled, data.n_items)


def _shortened(rows: csr_array) -> csr_array:
    """Keeps the largest values of rows that are too long. A robot or a list of everything says little, and would take all memory."""
    lengths = np.diff(rows.indptr)
    long = np.flatnonzero(lengths > _LONGEST_HISTORY)
    if not len(long):
        return rows
    log("ease_shortens_histories", listeners=len(long), longest=int(lengths.max()), to=_LONGEST_HISTORY)
    keep = np.ones(rows.nnz, dtype=bool)
    for row in long.tolist():
        span = slice(rows.indptr[row], rows.indptr[row + 1])
        kept, _ = top_k_of_row(np.arange(lengths[row]), rows.data[span], _LONGEST_HISTORY)
        keep[span] = False
        keep[rows.indptr[row] + kept] = True
    indptr = np.concatenate([[0], np.cumsum(np.minimum(lengths, _LONGEST_HISTORY))])
    return csr_array((rows.data[keep], rows.indices[keep], indptr), shape=rows.shape)


Columns = list[tuple[np.ndarray, np.ndarray]]


def _dense(gram: csr_array, ridge: np.ndarray, config: EaseConfig, threads: int) -> Columns:
    """``P = (G + Λ)⁻¹``, ``B = I − P diag(1/diag P)``; each column keeps its largest weights, four times as many as the local form has."""
    matrix = gram.toarray().astype(np.float64)
    matrix[np.diag_indices_from(matrix)] += ridge
    inverse = cho_solve(cho_factor(matrix, lower=True, overwrite_a=True, check_finite=False), np.eye(len(matrix)), overwrite_b=True)
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0.0)
    songs = np.arange(len(weights), dtype=np.int32)
    out = []
    for song in songs.tolist():
        kept, _ = top_k_of_row(songs, np.abs(weights[:, song]), 4 * config.neighbours)
        out.append((kept, weights[kept, song]))
    return out


def _local(gram: csr_array, ridge: np.ndarray, config: EaseConfig, threads: int) -> Columns:
    """For each song j, with N its nearest songs by ``G_ij / d_i^neighbour_exponent`` (d = diag G): ``w = (G_NN + Λ)⁻¹ G_Nj``."""
    strength = np.maximum(gram.diagonal(), 1e-12) ** config.neighbour_exponent

    def work(block: np.ndarray) -> Columns:
        return [_local_column(gram, ridge, strength, song, config.neighbours) for song in block.tolist()]

    return [column for columns in in_threads(work, blocks(gram.shape[0], _BLOCK), threads, "ease") for column in columns]


def _local_column(gram: csr_array, ridge: np.ndarray, strength: np.ndarray, song: int, k: int) -> tuple[np.ndarray, np.ndarray]:
    span = slice(gram.indptr[song], gram.indptr[song + 1])
    numbers, values = gram.indices[span], gram.data[span]
    others = numbers != song
    numbers, values = numbers[others], values[others]
    chosen, _ = top_k_of_row(np.arange(len(numbers)), values / strength[numbers], k)
    nearest, target = numbers[chosen], values[chosen]
    if not len(nearest):
        return nearest, target
    system = gram[nearest][:, nearest].toarray()
    system[np.diag_indices_from(system)] += ridge[nearest]
    return nearest, np.linalg.solve(system, target)
