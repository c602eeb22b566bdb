"""Session neighbours: the listeners and playlists most like the history, and what else they hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Self

import numpy as np

from inference.history import History
from inference.scorers.base import Scorer
from inference.scorers.sequential import recency
from inference.top_n import top_n


class Voices(NamedTuple):
    """What makes the neighbours vote, and what they vote for.

    Where a song of the history is in a neighbour: ``causes``, its row in the history, ``met``, the neighbour, and ``shares`` float64, how
    much of the neighbour's vote it causes. The neighbours' stored songs: ``places`` int64 in ``songs``, ``voters``, the neighbour, and
    ``factors`` float64, what its vote is multiplied by.
    """

    n: int
    causes: np.ndarray
    met: np.ndarray
    shares: np.ndarray
    places: np.ndarray
    voters: np.ndarray
    factors: np.ndarray


class SessionScorer(Scorer):
    """The sum of what the ``neighbours`` most similar sessions hold (V-SKNN: Ludewig & Jannach 2018; STAN: Garg et al., SIGIR 2019).

    ``h_i`` is the weight of a history's song by its recency (``patience``), divided by ``n_i^rarity``, n the sessions that hold it. The
    similarity to a session s is ``w_s Σ_{i in s} h_i``, ``w_s`` its weight (length and age). With the similarities of the nearest sessions
    scaled to sum to 1, ``score_j = g_j Σ_s sim_s d(j, s)`` over those that hold j: ``g_j`` makes up for popularity, and
    ``d = exp(−|place of j − place of i*| / reach)``, i* the latest song of the history that is in s too; 1 where ``reach`` is 0, or nobody
    knows the order. Sessions of the listener who asks don't count. Every similarity is a sum over the history, so each song's part of a
    score is exact.

    Sessions by row: ``indptr`` int64, ``songs`` int32 ascending in a row, ``ranks`` int32 (songs that came later; empty without an order).
    By song: ``song_indptr`` int64, ``song_sessions`` int32 ascending, ``song_ranks`` int32. ``session_weights`` float32 (sessions);
    ``session_users`` int32, the listener's number; ``rarities``, ``gains`` float32 (songs).
    """

    KIND = "sessions"
    READS_ORDER = True
    ARRAYS = (
        *("indptr", "songs", "ranks", "song_indptr", "song_sessions", "song_ranks"),
        *("session_weights", "session_users", "rarities", "gains"),
    )

    def __init__(self, arrays: Mapping[str, np.ndarray], neighbours: int, patience: float, reach: float) -> None:
        # Plain views: slicing a numpy.memmap costs ten times what slicing the array under it does.
        self._arrays = {name: np.asarray(arrays[name]) for name in self.ARRAYS}
        self._indptr, self._songs, self._ranks = (self._arrays[name] for name in self.ARRAYS[:3])
        self._song_indptr, self._song_sessions, self._song_ranks = (self._arrays[name] for name in self.ARRAYS[3:6])
        self._session_weights, self._session_users, self._rarities, self._gains = (self._arrays[name] for name in self.ARRAYS[6:])
        self.neighbours, self.patience, self.reach = neighbours, patience, reach
        self._ordered = len(self._ranks) > 0
        if len(self._song_indptr) - 1 != len(self._gains) or len(self._indptr) - 1 != len(self._session_weights):
            raise ValueError("the parts of the sessions do not fit each other")

    @property
    def n_items(self) -> int:
        return len(self._gains)

    def scores(self, history: History) -> np.ndarray:
        voices = self._voices(history)
        if voices is None:
            return np.zeros(self.n_items)
        votes = np.bincount(voices.met, weights=voices.shares, minlength=voices.n)[voices.voters] * voices.factors
        return np.bincount(self._songs[voices.places], weights=votes, minlength=self.n_items) * self._gains

    def contributions(self, history: History, numbers: np.ndarray) -> np.ndarray:
        out = np.zeros((len(history) + 1, len(numbers)))
        voices = self._voices(history)
        if voices is not None:
            column = np.full(self.n_items, -1, dtype=np.int64)
            column[numbers] = np.arange(len(numbers))
            at = column[self._songs[voices.places]]
            wanted = at >= 0
            held = np.zeros((voices.n, len(numbers)))
            held[voices.voters[wanted], at[wanted]] = voices.factors[wanted] * self._gains[numbers][at[wanted]]
            np.add.at(out, voices.causes, voices.shares[:, None] * held[voices.met])
        return out

    def _voices(self, history: History) -> Voices | None:
        rows, entries, lengths = self._meetings(history)
        if not len(entries):
            return None
        sessions = self._song_sessions[entries]
        weights = recency(history, self.patience) * self._rarities[history.numbers]
        similar = np.bincount(sessions, weights=np.repeat(weights[rows], lengths), minlength=len(self._session_weights))
        similar *= self._session_weights
        if history.user is not None:
            similar[self._session_users == history.user] = 0
        nearest = top_n(similar, self.neighbours)
        nearest = nearest[similar[nearest] > 0]
        if not len(nearest):
            return None
        place_of = np.full(len(similar), -1, dtype=np.int64)
        place_of[nearest] = np.arange(len(nearest))
        at = place_of[sessions]
        met = at >= 0
        causes = np.repeat(rows, lengths)[met]
        shares = weights[causes] * self._session_weights[sessions[met]] / similar[nearest].sum()
        sizes = np.diff(self._indptr)[nearest]
        places = _ranges(self._indptr[nearest], sizes)
        voters = np.repeat(np.arange(len(nearest)), sizes)
        factors = np.ones(len(places))
        if self.reach > 0 and self._ordered and history.ranks is not None:
            anchors = np.zeros(len(nearest))
            anchors[at[met]] = self._song_ranks[entries[met]]  # the latest song of the history comes last, and overwrites the others
            factors = np.exp(-np.abs(self._ranks[places] - anchors[voters]) / self.reach)
        return Voices(len(nearest), causes, at[met], shares, places, voters, factors)

    def _meetings(self, history: History) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Returns the rows of the history, the latest song last, the places of each one's sessions in ``song_sessions``, and how many."""
        ranks = history.ranks if history.ranks is not None else np.zeros(len(history), dtype=np.int32)
        rows = np.lexsort((np.arange(len(history)), -ranks))
        starts = self._song_indptr[history.numbers[rows]]
        lengths = self._song_indptr[history.numbers[rows] + 1] - starts
        return rows, _ranges(starts, lengths), lengths

    def arrays(self) -> dict[str, np.ndarray]:
        return dict(self._arrays)

    def settings(self) -> dict[str, Any]:
        return {"neighbours": self.neighbours, "patience": self.patience, "reach": self.reach}

    @classmethod
    def load(cls, settings: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Self:
        return cls(arrays, int(settings["neighbours"]), float(settings["patience"]), float(settings["reach"]))


def _ranges(starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Returns ``start, start + 1, …`` of each range, one after another, int64."""
    before = np.cumsum(lengths) - lengths
    return np.arange(int(lengths.sum()), dtype=np.int64) + np.repeat(np.asarray(starts, dtype=np.int64) - before, lengths)
