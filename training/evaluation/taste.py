"""Measures of a list against the listener's own taste and against what everybody gets. Pure functions of arrays, as in ``metrics``."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from training.evaluation.metrics import Hits, PerListener, find_hits

SMOOTHING = 0.01  # Steck's alpha: how much of the history is mixed into the list, so that a genre it lacks does not cost infinitely much
_ROWS_AT_A_TIME = 512


def serendipity(recommended: NDArray[np.int32], hits: Hits, primitive: NDArray[np.int32], k: int) -> PerListener:
    """Share of the first k places that are hits and not among the first k of ``primitive``, the list of a primitive recommender
    (popularity) for the same listener: relevant and unexpected (Murakami 2007; Ge, Delgado-Battenfeld, Jannach, RecSys 2010)."""
    expected = _among(recommended[:, :k], primitive[:, :k])
    return np.asarray((hits[:, :k] & ~expected).sum(axis=1) / k, dtype=np.float64)


def calibration_error(recommended: NDArray[np.int32], histories: Sequence[NDArray[np.int32]], genres: csr_array, k: int) -> PerListener:
    """Kullback-Leibler divergence (nats) of the genres in the first k places from those of the history (Steck, RecSys 2018).

    ``sum_g p(g) ln(p(g) / q~(g))`` with ``q~ = (1 - a) q + a p``, a = 0.01; every song counts the same, and its genres share it equally.
    ``genres``: csr (songs × genres), rows sum to 1 or are empty. 0: the list has the listener's genres in their proportion; 4.6 (−ln a):
    none of them. NaN where the history, or the list, has no song with a genre.
    """
    values = np.empty(len(recommended), dtype=np.float64)
    for start in range(0, len(recommended), _ROWS_AT_A_TIME):
        stop = min(start + _ROWS_AT_A_TIME, len(recommended))
        lists = [songs[songs >= 0] for songs in recommended[start:stop, :k]]
        p, q = (_distribution(songs, genres) for songs in (histories[start:stop], lists))
        mixed = (1 - SMOOTHING) * q + SMOOTHING * p
        ratio = np.divide(p, mixed, out=np.ones_like(p), where=p > 0)
        defined = (p.sum(axis=1) > 0) & (q.sum(axis=1) > 0)
        values[start:stop] = np.where(defined, (p * np.log(ratio)).sum(axis=1), np.nan)
    return values


def _distribution(songs: Sequence[NDArray[np.int32]], genres: csr_array) -> NDArray[np.float64]:
    """Returns float64 (listeners, genres), rows that sum to 1, or to 0 where no song has a genre."""
    indptr = np.concatenate([[0], np.cumsum([len(one) for one in songs])])
    numbers = np.concatenate(songs) if len(songs) else np.empty(0, dtype=np.int32)
    chosen = csr_array((np.ones(len(numbers)), numbers, indptr), shape=(len(songs), genres.shape[0]))
    counts = (chosen @ genres).toarray()
    sums = counts.sum(axis=1, keepdims=True)
    return np.asarray(counts / np.where(sums > 0, sums, 1.0), dtype=np.float64)


def _among(recommended: NDArray[np.int32], other: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Returns which songs of a list are in the other list of the same listener."""
    if other.size == 0:
        return np.zeros(recommended.shape, dtype=bool)
    padded = [np.unique(songs[songs >= 0]) for songs in other]
    found = np.zeros(recommended.shape, dtype=bool)
    some = np.array([len(songs) > 0 for songs in padded], dtype=bool)
    found[some] = find_hits(recommended[some], [songs for songs in padded if len(songs)])
    return found
