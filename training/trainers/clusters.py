"""Clusters of bounded size: where the near neighbours of many songs are looked for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from threadpoolctl import threadpool_limits

_LARGEST = 400  # songs of a cluster
_USUAL = 200  # what is aimed at
_BRANCHES = 512  # parts that one step cuts into
_SAMPLE = 50  # songs for each part that its mean is found on
_ITERATIONS = 8
_NEARLY_ALL = 0.9
_BLOCK = 50_000


@dataclass(frozen=True)
class Points:
    """What songs are near by: ``dense`` float32 (songs, dimensions) beside ``names`` csr float32 (songs × names)."""

    dense: np.ndarray
    names: csr_array

    def __len__(self) -> int:
        return len(self.dense)

    def products(self, songs: np.ndarray, centres: np.ndarray) -> np.ndarray:
        """Returns float32 (songs, centres); ``centres`` float32 (centres, dimensions + names)."""
        wide = self.dense.shape[1]
        out = self.dense[songs] @ centres[:, :wide].T
        out += self.names[songs] @ np.ascontiguousarray(centres[:, wide:].T)
        return np.asarray(out)

    def means(self, songs: np.ndarray, labels: np.ndarray, k: int) -> np.ndarray:
        """Returns float32 (k, dimensions + names): the mean of the songs of each label, zeros where there is none."""
        counts = np.bincount(labels, minlength=k)
        one = csr_array((np.ones(len(songs), dtype=np.float32), (labels, np.arange(len(songs)))), shape=(k, len(songs)))
        sums = np.hstack([one @ self.dense[songs], (one @ self.names[songs]).toarray()])
        return np.asarray(sums / np.maximum(counts, 1)[:, None], dtype=np.float32)


@dataclass(frozen=True)
class Clusters:
    """``order``: int32, the songs, cluster by cluster; ``starts``: int64 (clusters + 1), where each begins in it; ``near``: for each
    cluster the numbers of those that its songs' neighbours are looked for in, itself first."""

    order: np.ndarray
    starts: np.ndarray
    near: list[np.ndarray]


def clusters_of(points: Points, seed: int, candidates: int) -> Clusters:
    """Cuts songs into clusters of at most 400 (hierarchical k-means), each with the nearest others that hold ``candidates`` songs at least.

    Every step cuts a part into up to 512, by means that are found on a sample of it, so the cost grows with n log n. A part of which nine
    tenths stay together is of songs that are alike: it is cut evenly. To find the near clusters takes all pairs of clusters, 40,000 times
    fewer than pairs of songs. One thread, so the same clusters whatever the machine has.
    """
    with threadpool_limits(1, user_api="blas"):
        members = _leaves(points, np.random.default_rng(seed))
        starts = np.concatenate([[0], np.cumsum([len(songs) for songs in members])]).astype(np.int64)
        order = np.concatenate([np.empty(0, dtype=np.int32), *members])
        centres = [_means(points, order, starts[first : last + 1]) for first, last in _spans(len(members), 1000)]
        return Clusters(order, starts, _near(np.concatenate(centres), np.diff(starts), candidates) if centres else [])


def _means(points: Points, order: np.ndarray, starts: np.ndarray) -> np.ndarray:
    sizes = np.diff(starts)
    return points.means(order[starts[0] : starts[-1]], np.repeat(np.arange(len(sizes)), sizes), len(sizes))


def _leaves(points: Points, rng: np.random.Generator) -> list[np.ndarray]:
    waiting, done = [np.arange(len(points), dtype=np.int32)], []
    while waiting:
        songs = waiting.pop()
        if len(songs) > _LARGEST:
            waiting.extend(reversed(_cut(points, songs, rng)))
        elif len(songs):
            done.append(songs)
    return done


def _cut(points: Points, songs: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
    k = min(_BRANCHES, max(2, -(-len(songs) // _USUAL)))
    sample = songs if len(songs) <= _SAMPLE * k else np.sort(rng.choice(songs, _SAMPLE * k, replace=False))
    centres = points.means(np.sort(rng.choice(sample, k, replace=False)), np.arange(k), k)
    for _ in range(_ITERATIONS):
        labels = _nearest(points, sample, centres)
        means = points.means(sample, labels, k)
        centres = np.where((np.bincount(labels, minlength=k) > 0)[:, None], means, centres)
    labels = _nearest(points, songs, centres)
    parts = np.split(songs[np.argsort(labels, kind="stable")], np.cumsum(np.bincount(labels, minlength=k))[:-1])
    if max(len(part) for part in parts) > _NEARLY_ALL * len(songs):
        return np.array_split(songs, -(-len(songs) // _USUAL))
    return parts


def _nearest(points: Points, songs: np.ndarray, centres: np.ndarray) -> np.ndarray:
    half = (centres**2).sum(axis=1) / 2
    labels = [np.argmax(points.products(songs[a:b], centres) - half, axis=1) for a, b in _spans(len(songs), _BLOCK)]
    return np.concatenate(labels)


def _near(centres: np.ndarray, sizes: np.ndarray, candidates: int) -> list[np.ndarray]:
    squares = (centres**2).sum(axis=1)
    most = min(len(centres), int(4 * candidates / max(sizes.mean(), 1)) + 1)
    out = []
    for first, last in _spans(len(centres), 500):
        # Half-way between the nearest means (|c|² − 2 q·c) and those most alike (−2 q·c), better than either on two real catalogues: a song
        # that lacks a feature is far from those that have it, yet as much like them as like any other.
        distances = squares / 2 - 2 * (centres[first:last] @ centres.T)
        distances[np.arange(last - first), np.arange(first, last)] = -np.inf
        nearest = np.sort(np.argpartition(distances, most - 1, axis=1)[:, :most], axis=1)
        nearest = np.take_along_axis(nearest, np.argsort(np.take_along_axis(distances, nearest, axis=1), axis=1, kind="stable"), axis=1)
        enough = (np.cumsum(sizes[nearest], axis=1) < candidates).sum(axis=1) + 1
        out += [row[:stop] for row, stop in zip(nearest, enough.tolist(), strict=True)]
    return out


def _spans(n: int, size: int) -> list[tuple[int, int]]:
    return [(start, min(start + size, n)) for start in range(0, n, size)]
