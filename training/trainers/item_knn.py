"""Item-to-item neighbours, by cosine or by Pearson correlation."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from scipy.sparse import csr_array

from inference.scorers import ItemToItemScorer
from training.model_config import NeighboursConfig
from training.trainers.base import TrainingData, blocks, in_threads, operator_of_columns, top_k_of_row

_BLOCK = 1000  # songs at a time: keeps a block of the co-occurrence matrix in tens of megabytes

# (block of songs, their sparse rows of XᵀX) -> similarities, aligned with the stored entries
Similarity = Callable[[np.ndarray, csr_array], np.ndarray]


def fit_cosine(data: TrainingData, config: NeighboursConfig) -> ItemToItemScorer:
    """Cosine of the songs' columns, times ``c/(c + shrinkage)``, with c the number of common listeners; the nearest are kept.

    Sarwar et al., "Item-based collaborative filtering", WWW 2001; shrinkage after Bell & Koren, 2007.
    """
    # In float64, where no product of two float32 weights overflows, or becomes a 0 that scipy would leave out.
    weights = data.user_items if data.is_binary else data.user_items.astype(np.float64)
    norms = np.sqrt(np.asarray(weights.power(2).sum(axis=0)).ravel())
    inverse = 1.0 / np.where(norms > 0, norms, 1.0)

    def similarity(block: np.ndarray, gram: csr_array) -> np.ndarray:
        return gram.data * inverse[gram.indices] * np.repeat(inverse[block], np.diff(gram.indptr))

    return _fit(data, config, weights, similarity)


def fit_pearson(data: TrainingData, config: NeighboursConfig) -> ItemToItemScorer:
    """Pearson correlation of the songs' columns of 0 and 1, times ``c/(c + shrinkage)``; the nearest with a positive one are kept.

    For 0/1 data the correlation is the cosine of the centred columns, exact from counts without making them dense:
    ``(c_ij − n_i n_j/U) / sqrt(n_i (1 − n_i/U) n_j (1 − n_j/U))``.
    """
    users = max(1, data.user_items.shape[0])
    counts = data.listeners.astype(np.float64)
    deviation = np.sqrt(np.maximum(counts * (1.0 - counts / users), 1e-12))

    def similarity(block: np.ndarray, gram: csr_array) -> np.ndarray:
        lengths = np.diff(gram.indptr)
        covariance = gram.data - counts[gram.indices] * np.repeat(counts[block], lengths) / users
        return covariance / (deviation[gram.indices] * np.repeat(deviation[block], lengths))

    return _fit(data, config, data.binary, similarity)


def _fit(data: TrainingData, config: NeighboursConfig, matrix: csr_array, similarity: Similarity) -> ItemToItemScorer:
    by_item = matrix.T.tocsr()
    binary_by_item = data.binary.T.tocsr()
    is_binary = matrix is data.binary or data.is_binary

    def work(block: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        gram = (by_item[block] @ matrix).tocsr()
        gram.sort_indices()
        values = similarity(block, gram)
        if config.shrinkage > 0:
            common = gram.data if is_binary else _aligned(binary_by_item[block] @ data.binary)
            values = values * (common / (common + config.shrinkage))
        return list(_rows(block, gram, values, config.neighbours))

    columns = (row for rows in in_threads(work, blocks(data.n_items, _BLOCK), data.threads, "neighbours") for row in rows)
    return operator_of_columns(columns, data.n_items)


def _aligned(counts: csr_array) -> np.ndarray:
    counts = counts.tocsr()
    counts.sort_indices()
    return counts.data


def _rows(block: np.ndarray, gram: csr_array, values: np.ndarray, k: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for i, song in enumerate(block.tolist()):
        span = slice(gram.indptr[i], gram.indptr[i + 1])
        keep = (gram.indices[span] != song) & (values[span] > 0)
        yield top_k_of_row(gram.indices[span][keep], values[span][keep], k)
