"""Which songs go with the words that playlists and listeners are called by."""

from __future__ import annotations

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse import csr_array

from inference.scorers import WordScorer
from inference.sparse import SparseRows
from training.model_config import WordsConfig
from training.trainers.base import TrainingData, blocks, top_k_of_row

_BLOCK = 100  # words whose dense rows over all songs are in memory at a time


def fit(data: TrainingData, config: WordsConfig) -> WordScorer:
    """Ridge regression of the songs on the words: ``B = (W̃ᵀW̃ + l2 I)⁻¹ W̃ᵀX̃``, with W (listeners × words) and X (listeners × songs) of 0
    and 1, so that a common word takes from a rare one beside it nothing that is the rare one's own (a linear autoencoder from side
    information to songs; compare Jeunen et al., "Closed-form models for collaborative filtering with side-information", RecSys 2020).

    Each song's mean over all listeners is taken off first: a word is scored by what it adds to that, so popularity is nobody's word. Scores
    are divided by ``n_j^item_exponent``; each word keeps its best ``songs``. Raises ``ValueError`` where listeners have no words.
    """
    if data.words is None:
        raise ValueError("words need to know what listeners are called")
    counts = np.asarray(data.words.sum(axis=0)).ravel()
    common = np.sort(np.argsort(-counts, kind="stable")[: config.max_words])
    learned = common[counts[common] >= config.min_listeners]
    said = csr_array(data.words[:, learned], dtype=np.float64)
    weights = data.binary.astype(np.float64)
    gram = (said.T @ said).toarray()
    gram[np.diag_indices_from(gram)] += config.l2
    mean = np.asarray(weights.sum(axis=0)).ravel() / max(1, weights.shape[0])
    together = (said.T @ weights).tocsr()
    said_by = np.asarray(said.sum(axis=0)).ravel()
    inverse = cho_solve(cho_factor(gram, lower=True, overwrite_a=True), np.eye(len(gram)), overwrite_b=True) if len(gram) else gram
    gains = np.maximum(data.listeners, 1).astype(np.float64) ** -config.item_exponent
    return WordScorer(_rows(inverse, together, said_by, mean, gains, learned, counts.size, config.songs), config.patience)


def _rows(
    inverse: np.ndarray,
    together: csr_array,
    said_by: np.ndarray,
    mean: np.ndarray,
    gains: np.ndarray,
    learned: np.ndarray,
    n_words: int,
    k: int,
) -> SparseRows:
    """Returns the rows of B, a block of words at a time: over all songs they are dense, and of these only the best are kept."""
    lengths = np.zeros(n_words, dtype=np.int64)
    songs: list[np.ndarray] = [np.empty(0, np.int32)]
    values: list[np.ndarray] = [np.empty(0)]
    everything = np.arange(len(mean), dtype=np.int32)
    for block in blocks(len(learned), _BLOCK):
        dense = (inverse[block] @ together) - np.outer(inverse[block] @ said_by, mean)
        dense *= gains
        for word, row in zip(block.tolist(), dense, strict=True):
            positive = row > 0
            kept, kept_values = top_k_of_row(everything[positive], row[positive], k)
            lengths[learned[word]] = len(kept)
            songs.append(kept)
            values.append(kept_values)
    indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return SparseRows(indptr, np.concatenate(songs).astype(np.int32), np.concatenate(values).astype(np.float32), len(mean))
