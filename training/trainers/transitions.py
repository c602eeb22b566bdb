"""Next songs: which songs come soon after which, in the order that listeners play them and playlists hold them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.sparse import coo_array, csr_array, diags_array

from inference.scorers import SequentialScorer
from inference.sparse import SparseRows
from training.data.dataset import MISSING_TIME
from training.model_config import TransitionsConfig
from training.trainers.base import TrainingData, blocks, in_threads, top_k_of_row

_LISTENERS = 2000  # at a time: their pairs, of all steps, are in memory
_BLOCK = 2000


def fit(data: TrainingData, config: TransitionsConfig) -> SequentialScorer:
    """Sequential rules: ``R_ij = Σ 1/d`` over the listeners who played song j d places after song i, for d up to ``steps``.

    Ludewig & Jannach, "Evaluation of session-based recommendation algorithms", 2018 (SR; with one step it is their Markov chain). A pair
    the other way round counts ``backward`` times as much. Each is divided by ``n_i^from_exponent n_j^to_exponent``, with n the listeners of
    a song, and each song keeps the ``neighbours`` that most likely come next. Songs played at the same time, or at an unknown one, are no
    pair: nobody knows which was first. Raises ``ValueError`` where the data has no order.
    """
    if data.times is None:
        raise ValueError("transitions need to know what was played after what")
    pairs = csr_array((data.n_items, data.n_items), dtype=np.float64)
    for some in blocks(data.user_items.shape[0], _LISTENERS):
        pairs = pairs + _pairs(data, some, config.steps)
    if config.backward > 0:
        pairs = pairs + config.backward * pairs.T.tocsr()
    counts = np.maximum(data.listeners, 1).astype(np.float64)
    rows = (diags_array(counts**-config.from_exponent) @ pairs @ diags_array(counts**-config.to_exponent)).tocsr()
    rows.sort_indices()
    return SequentialScorer(_nearest(rows, config.neighbours, data.threads), config.patience)


def _pairs(data: TrainingData, listeners: np.ndarray, steps: int) -> csr_array:
    """Returns R, not yet divided, of some consecutive listeners."""
    assert data.times is not None
    indptr = data.user_items.indptr
    span = slice(int(indptr[listeners[0]]), int(indptr[listeners[-1] + 1]))
    owner = np.repeat(listeners, np.diff(indptr)[listeners])
    known = data.times[span] != MISSING_TIME
    owner, songs, times = owner[known], data.user_items.indices[span][known], data.times[span][known]
    order = np.lexsort((times, owner))
    owner, songs, times = owner[order], songs[order], times[order]
    found = list(_found(owner, songs, times, steps))
    sources, targets, values = (np.concatenate([part[i] for part in found]) for i in range(3))
    return coo_array((values, (sources, targets)), shape=(data.n_items, data.n_items)).tocsr()


def _found(owner: np.ndarray, songs: np.ndarray, times: np.ndarray, steps: int) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    for distance in range(1, steps + 1):
        same = (owner[distance:] == owner[:-distance]) & (times[distance:] > times[:-distance])
        yield songs[:-distance][same], songs[distance:][same], np.full(int(same.sum()), 1.0 / distance)


def _nearest(rows: csr_array, k: int, threads: int) -> SparseRows:
    def work(block: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        spans = [slice(rows.indptr[song], rows.indptr[song + 1]) for song in block.tolist()]
        return [top_k_of_row(rows.indices[span], rows.data[span], k) for span in spans]

    kept = [row for some in in_threads(work, blocks(rows.shape[0], _BLOCK), threads, "transitions") for row in some]
    indptr = np.concatenate([[0], np.cumsum([len(columns) for columns, _ in kept])]).astype(np.int64)
    indices, values = (np.concatenate([row[i] for row in kept]) if kept else np.empty(0) for i in range(2))
    return SparseRows(indptr, indices.astype(np.int32), values.astype(np.float32), rows.shape[1])
