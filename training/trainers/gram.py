"""The Gram matrix of the songs, ``XᵀX``, of which each song keeps its strongest partners: what item-to-item models are made of."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from training.progress import log
from training.trainers.base import blocks, in_threads, top_k_of_row
from training.trainers.rows import RowsWriter, as_csr

BLOCK = 500  # songs whose rows are made at once
LONGEST_HISTORY = 2000  # a listener of n songs makes n² pairs
_ENTRY_BYTES = 8


def diagonal_of_gram(rows: csr_array) -> np.ndarray:
    """Returns float64 (songs,): the squared length of each song's column."""
    return np.bincount(rows.indices, weights=rows.data.astype(np.float64) ** 2, minlength=rows.shape[1])


def trimmed_gram(rows: csr_array, keep: int, strength: np.ndarray, threads: int) -> csr_array:
    """Returns ``rowsᵀ rows`` (csr float32, songs × songs) without its diagonal, columns ascending, of ``rows`` (listeners × songs).

    Row i keeps the ``keep`` songs j with the largest ``G_ij / strength_j`` (float, songs), so the matrix is not symmetric, and takes at
    most 8 · songs · keep bytes: it is made block by block, and what is not kept never exists all at once.
    """
    n = rows.shape[1]
    weaker = (1.0 / strength).astype(np.float32)
    by_song = rows.T.tocsr()

    def work(block: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        product = (by_song[block] @ rows).tocsr()
        stays = _strongest(block, product, weaker, keep)
        kept = csr_array((product.data[stays], product.indices[stays], _indptr(product.indptr, stays)), shape=product.shape)
        kept.sort_indices()  # here, where they are still in the cache
        return np.diff(kept.indptr), kept.indices, kept.data

    out = RowsWriter()
    for part in in_threads(work, blocks(n, BLOCK), threads, "pairs of songs"):
        out.append(*part)
    return as_csr(out.finished(n))


def most_kept(n_songs: int, wanted: int, memory_limit_gb: float, share: float = 0.25) -> int:
    """Returns how many partners a song may keep, so that a matrix of these takes at most a share of the memory limit."""
    return max(1, min(wanted, int(memory_limit_gb * 1e9 * share / _ENTRY_BYTES / max(n_songs, 1))))


def shortened(rows: csr_array, longest: int | None = None) -> csr_array:
    """Keeps the largest values of rows that are too long. A robot or a list of everything says little, and would take all memory."""
    longest = LONGEST_HISTORY if longest is None else longest
    lengths = np.diff(rows.indptr)
    long = np.flatnonzero(lengths > longest)
    if not len(long):
        return rows
    log("histories_shortened", listeners=len(long), longest=int(lengths.max()), to=longest)
    keep = np.ones(rows.nnz, dtype=bool)
    for row in long.tolist():
        span = slice(rows.indptr[row], rows.indptr[row + 1])
        kept, _ = top_k_of_row(np.arange(lengths[row]), rows.data[span], longest)
        keep[span] = False
        keep[rows.indptr[row] + kept] = True
    indptr = np.concatenate([[0], np.cumsum(np.minimum(lengths, longest))])
    return csr_array((rows.data[keep], rows.indices[keep], indptr), shape=rows.shape)


def _strongest(block: np.ndarray, product: csr_array, weaker: np.ndarray, keep: int) -> np.ndarray:
    """Returns bool (entries,): of each row the ``keep`` entries with the largest ``G_ij · weaker_j``, never the song itself."""
    indptr, columns = product.indptr, product.indices
    stays = columns != np.repeat(block, np.diff(indptr))
    ranks = product.data * weaker[columns]
    ranks[~stays] = -np.inf
    for row in np.flatnonzero(np.diff(indptr) > keep).tolist():
        start, stop = indptr[row], indptr[row + 1]
        surplus = stop - start - keep
        stays[start + np.argpartition(ranks[start:stop], surplus)[:surplus]] = False
    return stays


def _indptr(indptr: np.ndarray, stays: np.ndarray) -> np.ndarray:
    before = np.concatenate([[0], np.cumsum(stays, dtype=np.int32)])
    return np.asarray(before[indptr], dtype=np.int32)
