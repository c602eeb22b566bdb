"""Session neighbours: the listeners and playlists to be compared with, kept in the model."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from inference.history import ranks_of
from inference.scorers import SessionScorer
from inference.sparse import entries_of
from training.data.dataset import MISSING_TIME
from training.model_config import SessionsConfig
from training.progress import log
from training.trainers.base import TrainingData

_DAY = 86_400


def fit(data: TrainingData, config: SessionsConfig) -> SessionScorer:
    """Stores the listeners' songs by listener and by song, with their order where the data has one, for ``SessionScorer``.

    A session's weight is ``length^-length_exponent``, halved with every ``half_life_days`` that its last event is older than the latest one
    of all, where events have times. Of more than ``max`` sessions the latest are kept; where there are no times, a sample.
    """
    lengths = np.diff(data.user_items.indptr)
    ends = _ends(data)
    kept = np.flatnonzero(lengths > 0)
    if len(kept) > config.max:
        log("sessions_left_out", sessions=len(kept) - config.max, kept="latest" if ends is not None else "sample")
        chance = np.random.default_rng(data.seed).permutation(len(lengths))
        by_age = kept[np.lexsort((chance[kept], np.zeros(len(kept)) if ends is None else -ends[kept].astype(np.float64)))]
        kept = np.sort(by_age[: config.max])
    rows = data.binary[kept]
    times = None if data.times is None else data.times[entries_of(data.user_items.indptr, kept)[0]]
    ranks = np.empty(0, np.int32) if times is None else _ranks(rows, times)
    weights = np.maximum(lengths[kept], 1).astype(np.float64) ** -config.length_exponent
    if config.half_life_days > 0 and ends is not None and len(kept):
        weights *= np.maximum(np.exp2((ends[kept] - ends[kept].max()) / (_DAY * config.half_life_days)), 1e-6)
    counts = np.maximum(np.bincount(rows.indices, minlength=data.n_items), 1).astype(np.float64)
    # The entries of each song, in the order of its sessions: a stable sort of what is sorted by session.
    by_song = np.argsort(rows.indices, kind="stable")
    sessions = np.repeat(np.arange(len(kept), dtype=np.int32), np.diff(rows.indptr))
    song_indptr = np.concatenate([[0], np.cumsum(np.bincount(rows.indices, minlength=data.n_items))])
    arrays = {
        "indptr": rows.indptr.astype(np.int64),
        "songs": rows.indices.astype(np.int32),
        "ranks": ranks,
        "song_indptr": song_indptr.astype(np.int64),
        "song_sessions": sessions[by_song],
        "song_ranks": ranks[by_song] if len(ranks) else ranks,
        "session_weights": weights.astype(np.float32),
        "session_users": (np.full(len(kept), -1) if data.users is None else data.users[kept]).astype(np.int32),
        "rarities": (counts**-config.rarity_exponent).astype(np.float32),
        "gains": (counts**-config.item_exponent).astype(np.float32),
    }
    return SessionScorer(arrays, config.neighbours, config.patience, config.reach)


def _ends(data: TrainingData) -> np.ndarray | None:
    """When each listener's last event was, int64; a listener without times ended before all others. None where the data has no times."""
    if data.times is None or not data.in_seconds:
        return None
    lengths = np.diff(data.user_items.indptr)
    ends = np.full(len(lengths), MISSING_TIME)
    ends[lengths > 0] = np.maximum.reduceat(data.times, data.user_items.indptr[:-1][lengths > 0]) if len(data.times) else MISSING_TIME
    known = ends[ends != MISSING_TIME]
    return np.where(ends == MISSING_TIME, known.min() if len(known) else 0, ends)


def _ranks(rows: csr_array, times: np.ndarray) -> np.ndarray:
    """How many songs of the session came later, int32 per entry."""
    spans = zip(rows.indptr[:-1].tolist(), rows.indptr[1:].tolist(), strict=True)
    return np.concatenate([ranks_of(times[start:end]) for start, end in spans] or [np.empty(0, np.int32)])
