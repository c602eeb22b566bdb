"""Spectral filters: what songs have in common along the main directions of taste, computed once into a sparse operator."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array, csr_matrix, diags_array
from sklearn.utils.extmath import randomized_svd
from threadpoolctl import threadpool_limits

from inference.scorers import ItemToItemScorer
from inference.sparse import SparseRows
from training.model_config import SpectralConfig
from training.progress import log
from training.trainers.base import TrainingData, blocks, in_threads

_BLOCK = 256
_OVERSAMPLED, _POWER_ITERATIONS = 20, 4
_MAX_FLOPS = 8e12  # of making all rows; beyond, only the most played songs are recommended by this model
_ORDER = 4  # of the Taylor polynomial of the sharpening, as one step of Runge-Kutta has


def fit(data: TrainingData, config: SpectralConfig) -> ItemToItemScorer:
    """``B = (linear · P + D^-½ V Vᵀ D^½) · exp(−T P)`` with ``R̃ = D_u^-½ X D^-½``, ``P = R̃ᵀR̃`` and V its ``factors`` main directions.

    Without ``sharpening`` (T = 0) this is GF-CF (Shen et al., "How powerful is graph convolution for recommendation?", CIKM 2021), whose
    weight of the ideal low-pass is 1/linear; with linear = 0 the ideal low-pass filter alone. With T it is BSPM-EM (Choi et al.,
    "Blurring-sharpening process models for collaborative filtering", SIGIR 2023), whose sharpening, one step of Runge-Kutta, is the
    Taylor polynomial of ``exp(−T P)`` of order 4: a fixed linear map, so it is computed once and not for each listener.

    Each row keeps its ``neighbours`` largest positive entries. Making the rows costs songs² · factors operations; where that is beyond
    eight trillion, only so many of the most played songs as it allows are recommended by this model. The sharpening costs another
    2 · 4 · songs · interactions, and takes minutes from some ten thousand songs on.
    """
    n = data.n_items
    degrees = np.maximum(np.asarray(data.user_items.sum(axis=0)).ravel(), 1e-12)
    user_degrees = np.maximum(np.asarray(data.user_items.sum(axis=1)).ravel(), 1e-12)
    rows = (diags_array(user_degrees**-0.5) @ data.user_items @ diags_array(degrees**-0.5)).astype(np.float32).tocsr()
    directions = main_directions(rows, config.factors, data.seed, data.threads)
    root = np.sqrt(degrees).astype(np.float32)
    targets = _targets(degrees, directions.shape[1], config)
    left, right = directions / root[:, None], np.ascontiguousarray((directions * root[:, None])[targets].T)
    gram_right = rows if len(targets) == n else rows[:, targets].tocsr()
    by_song = rows.T.tocsr()

    def work(block: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        scores = left[block] @ right
        if config.linear > 0:
            scores += np.float32(config.linear) * (by_song[block] @ gram_right).toarray()
        if config.sharpening > 0:
            scores = _sharpened(scores, rows, by_song, config.sharpening)
        return _best(block, scores, targets, config.neighbours)

    parts = list(in_threads(work, blocks(n, _BLOCK), data.threads, "spectral"))
    indptr = np.concatenate([[0], np.cumsum(np.concatenate([part[0] for part in parts]))])
    return ItemToItemScorer(SparseRows(indptr, np.concatenate([p[1] for p in parts]), np.concatenate([p[2] for p in parts]), n))


def main_directions(rows: csr_array, factors: int, seed: int, threads: int) -> np.ndarray:
    """Returns float32 (songs, at most ``factors``): the right singular vectors of ``rows`` with the largest singular values.

    Halko, Martinsson, Tropp, "Finding structure with randomness", SIAM Review 2011. Directions of no strength are left out.
    """
    wanted = max(1, min(factors, min(rows.shape) - 1))
    with threadpool_limits(threads, user_api="blas"):
        _, strengths, right = randomized_svd(
            csr_matrix(rows), wanted, n_oversamples=_OVERSAMPLED, n_iter=_POWER_ITERATIONS, random_state=seed
        )
    return np.ascontiguousarray(right[strengths > 1e-6 * max(float(strengths[0]), 1e-12)].T, dtype=np.float32)


def _targets(degrees: np.ndarray, factors: int, config: SpectralConfig) -> np.ndarray:
    """Returns the numbers, ascending, of the songs that the model may recommend."""
    n = len(degrees)
    most = int(_MAX_FLOPS / 2 / n / max(factors, 1))
    if n <= most or config.sharpening > 0:
        return np.arange(n)
    log("spectral_recommends_the_most_played", songs=most, of=n)
    return np.sort(np.argsort(-degrees, kind="stable")[:most])


def _sharpened(scores: np.ndarray, rows: csr_array, by_song: csr_array, strength: float) -> np.ndarray:
    """Returns ``scores (I − TP + T²P²/2 − T³P³/6 + T⁴P⁴/24)``."""
    term, total = scores, scores.copy()
    for power in range(1, _ORDER + 1):
        term = np.ascontiguousarray((by_song @ (rows @ term.T)).T) * np.float32(-strength / power)
        total += term
    return total


def _best(block: np.ndarray, scores: np.ndarray, targets: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns (lengths, songs int32 ascending in a row, values float32) of the ``k`` largest positive scores of each row."""
    own = np.searchsorted(targets, block)
    inside = (own < len(targets)) & (targets[np.minimum(own, len(targets) - 1)] == block)
    scores[np.flatnonzero(inside), own[inside]] = 0.0
    k = min(k, scores.shape[1])
    best = np.sort(np.argpartition(scores, scores.shape[1] - k, axis=1)[:, scores.shape[1] - k :], axis=1)
    values = np.take_along_axis(scores, best, axis=1)
    positive = values > 0
    return positive.sum(axis=1), targets[best[positive]].astype(np.int32), values[positive].astype(np.float32)
