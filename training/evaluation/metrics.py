"""The measures of a ranked list, each for all listeners at once. Pure functions of arrays.

``recommended`` is an int32 array (listeners × length), best song first, padded with -1; ``hits`` says which of its places hold a song
that was to be found (bool, same shape); ``n_relevant`` is how many songs were to be found (listeners,), at least one each. Every
accuracy measure returns float64 (listeners,), between 0 and 1. Definitions as in Manning, Raghavan, Schütze, *Introduction to
Information Retrieval*, chapter 8, with the choices that differ between libraries stated at each function.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Hits = NDArray[np.bool_]
PerListener = NDArray[np.float64]

_ROWS_AT_A_TIME = 512


def find_hits(recommended: NDArray[np.int32], relevant: Sequence[NDArray[np.int32]]) -> Hits:
    """Returns which recommended songs were to be found. ``relevant`` has the distinct song numbers for each listener.

    Raises ``ValueError`` if the lengths differ or a listener has nothing to be found: no measure is defined for that.
    """
    if len(recommended) != len(relevant):
        raise ValueError(f"{len(recommended)} lists cannot be judged by the songs of {len(relevant)} listeners")
    lengths = np.array([len(songs) for songs in relevant], dtype=np.int64)
    if (lengths == 0).any():
        raise ValueError(f"listener {int(np.argmin(lengths))} has no songs to be found")
    if recommended.size == 0:
        return np.zeros(recommended.shape, dtype=bool)
    songs = np.concatenate([np.asarray(one, dtype=np.int64) for one in relevant])
    width = int(max(songs.max(), recommended.max())) + 2  # one key per (listener, song); -1 becomes 0, which no song has
    keys = np.repeat(np.arange(len(relevant)), lengths) * width + songs + 1
    asked = np.arange(len(recommended))[:, None] * width + recommended.astype(np.int64) + 1
    return np.isin(asked, keys)


def precision(hits: Hits, n_relevant: NDArray[np.int64], k: int) -> PerListener:
    """Share of the first k places that are hits; an answer shorter than k is not excused."""
    return np.asarray(hits[:, :k].sum(axis=1) / k, dtype=np.float64)


def recall(hits: Hits, n_relevant: NDArray[np.int64], k: int) -> PerListener:
    """Share of the songs to be found that are in the first k places (divided by all of them, not by min(k, all): as in LightGCN)."""
    return np.asarray(hits[:, :k].sum(axis=1) / n_relevant, dtype=np.float64)


def ndcg(hits: Hits, n_relevant: NDArray[np.int64], k: int) -> PerListener:
    """Discounted gain 1/log2(place + 1) of the hits over that of a list that starts with min(k, to be found) hits (Järvelin 2002)."""
    discounts = 1.0 / np.log2(np.arange(2, k + 2))
    ideal = np.cumsum(discounts)[np.minimum(n_relevant, k) - 1]
    found = hits[:, :k]
    return np.asarray(found @ discounts[: found.shape[1]] / ideal, dtype=np.float64)


def average_precision(hits: Hits, n_relevant: NDArray[np.int64], k: int) -> PerListener:
    """Mean of the precision at each hit in the first k places, divided by min(k, to be found), so that a perfect list has 1."""
    found = hits[:, :k]
    precisions = np.cumsum(found, axis=1) / np.arange(1, found.shape[1] + 1)
    return np.asarray((precisions * found).sum(axis=1) / np.minimum(n_relevant, k), dtype=np.float64)


def reciprocal_rank(hits: Hits, n_relevant: NDArray[np.int64], k: int) -> PerListener:
    """One over the place of the first hit; 0 if there is none in the first k places."""
    found = hits[:, :k]
    first = found.argmax(axis=1) if found.shape[1] else np.zeros(len(found), dtype=np.int64)
    return np.asarray(found.any(axis=1) / (first + 1), dtype=np.float64)


def hit_rate(hits: Hits, n_relevant: NDArray[np.int64], k: int) -> PerListener:
    """1 if there is a hit in the first k places, else 0."""
    return np.asarray(hits[:, :k].any(axis=1), dtype=np.float64)


def f1(hits: Hits, n_relevant: NDArray[np.int64], k: int) -> PerListener:
    """Harmonic mean of precision and recall, ``2 hits / (k + to be found)`` (van Rijsbergen 1979)."""
    return np.asarray(2 * hits[:, :k].sum(axis=1) / (k + n_relevant), dtype=np.float64)


ACCURACY: dict[str, Callable[[Hits, NDArray[np.int64], int], PerListener]] = {
    "recall": recall,
    "ndcg": ndcg,
    "precision": precision,
    "map": average_precision,
    "mrr": reciprocal_rank,
    "hit_rate": hit_rate,
    "f1": f1,
}


def coverage(recommended: NDArray[np.int32], k: int, n_items: int) -> float:
    """Share of the catalogue that is in the first k places of anyone's list."""
    songs = recommended[:, :k]
    return len(np.unique(songs[songs >= 0])) / n_items


def diversity(recommended: NDArray[np.int32], k: int, features: NDArray[np.float32]) -> PerListener:
    """One minus the mean cosine between any two songs in the first k places (intra-list diversity, Ziegler 2005).

    ``features`` (songs × features). Songs without features (all zero) are left out; a list with fewer than two others gets NaN.
    """
    values = np.empty(len(recommended), dtype=np.float64)
    for start in range(0, len(recommended), _ROWS_AT_A_TIME):
        songs = recommended[start : start + _ROWS_AT_A_TIME, :k]
        vectors = features[np.maximum(songs, 0)].astype(np.float64)
        lengths = np.linalg.norm(vectors, axis=2)
        counted = (songs >= 0) & (lengths > 0)
        unit = np.where(counted[..., None], vectors / np.where(counted, lengths, 1.0)[..., None], 0.0)
        n = counted.sum(axis=1)
        pairs = np.where(n > 1, n * (n - 1), 1)
        cosines = ((unit.sum(axis=1) ** 2).sum(axis=1) - n) / pairs  # |sum of unit vectors|² = n + the cosines of all ordered pairs
        values[start : start + len(songs)] = np.where(n > 1, 1.0 - cosines, np.nan)
    return values


def novelty(recommended: NDArray[np.int32], k: int, item_listeners: NDArray[np.int64], n_listeners: int) -> PerListener:
    """Mean of -log2(share of listeners who played the song) in bits over the first k places (Zhou 2010; NaN for an empty list).

    ``item_listeners`` (songs,) counts a song's listeners; one that nobody played counts as if one listener had.
    """
    bits = -np.log2(np.maximum(item_listeners, 1) / max(n_listeners, 1))
    songs = recommended[:, :k]
    real = songs >= 0
    n = real.sum(axis=1)
    sums = np.where(real, bits[np.maximum(songs, 0)], 0.0).sum(axis=1)
    return np.where(n > 0, sums / np.maximum(n, 1), np.nan)
