"""The songs that are in question for the held-out listeners, with every model's score of each: what weights and settings are judged on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from inference.scorers import Scorer
from inference.top_n import top_n
from training.progress import track
from training.split import Case

_SCALE_DEPTH = 20


@dataclass(frozen=True)
class Pool:
    """``scores``: by model, float32 (cases, width), 0 where a row is padded. ``songs``: int32, their numbers, ascending in a row, padded
    with -1; ``relevant``: bool, which of them are to be found; ``n_hidden``: (cases,), how many are to be found in all."""

    cases: Sequence[Case]
    scores: Mapping[str, np.ndarray]
    songs: np.ndarray
    relevant: np.ndarray
    n_hidden: np.ndarray

    @classmethod
    def of(cls, scorers: Mapping[str, Scorer], cases: Sequence[Case], depth: int) -> Pool:
        """Takes each model's ``depth`` best songs for each case, less those that are shown, and scores all of them by every model."""
        rows, chosen = [], []
        for case in track(cases, total=len(cases), description="candidates"):
            history = case.history()
            scores = np.stack([scorer.scores(history) for scorer in scorers.values()])
            scores[:, case.shown] = -np.inf
            songs = np.unique(np.concatenate([top_n(row, depth) for row in scores]))
            songs = songs[~np.isin(songs, case.shown)]
            rows.append(scores[:, songs].astype(np.float32))
            chosen.append(songs)
        width = max([_SCALE_DEPTH + 1, *(len(songs) for songs in chosen)])
        numbers = np.full((len(cases), width), -1, dtype=np.int32)
        filled = np.zeros((len(scorers), len(cases), width), dtype=np.float32)
        relevant = np.zeros((len(cases), width), dtype=bool)
        for i, (case, songs, row) in enumerate(zip(cases, chosen, rows, strict=True)):
            numbers[i, : len(songs)] = songs
            filled[:, i, : len(songs)] = row
            relevant[i, : len(songs)] = np.isin(songs, case.hidden)
        n_hidden = np.array([len(case.hidden) for case in cases])
        return cls(cases, dict(zip(scorers, filled, strict=True)), numbers, relevant, n_hidden)

    def with_model(self, name: str, scorer: Scorer) -> Pool:
        """Returns the same songs with one model's scores new, or one model more."""
        scores = np.zeros(self.songs.shape, dtype=np.float32)
        for i, case in enumerate(self.cases):
            songs = self.songs[i][self.songs[i] >= 0]
            scores[i, : len(songs)] = scorer.scores(case.history())[songs]
        return replace(self, scores={**self.scores, name: scores})

    def scales(self) -> dict[str, float]:
        """Returns the usual size of each model's scores: the mean of its best 20 over the cases, 1 for a model that has none."""
        means = {name: float(-np.partition(-rows, _SCALE_DEPTH, axis=1)[:, :_SCALE_DEPTH].mean()) for name, rows in self.scores.items()}
        return {name: mean if mean > 1e-9 else 1.0 for name, mean in means.items()}

    def quality(self, weights: Mapping[str, float], k: int, metric: str) -> float:
        """Returns recall@k, nDCG@k or the mean of both (``metric``: recall, ndcg, both) of the weighted sum of the models."""
        total = np.zeros(self.songs.shape, dtype=np.float32)
        for name, weight in weights.items():
            total += np.float32(weight) * self.scores[name]
        return self.quality_of(total, k, metric)

    def quality_of(self, total: np.ndarray, k: int, metric: str) -> float:
        """Returns the same of a score of each song: float32 (cases, width)."""
        return float(self.qualities_of(total, k, metric).mean())

    def qualities_of(self, total: np.ndarray, k: int, metric: str) -> np.ndarray:
        """Returns float64 (cases,): the same of each listener."""
        scores = np.where(self.songs >= 0, total, np.float32(-np.inf))
        depth = min(k, scores.shape[1])
        best = np.argpartition(-scores, depth - 1, axis=1)[:, :depth]
        best = np.take_along_axis(best, np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1, kind="stable"), axis=1)
        hits = np.take_along_axis(self.relevant, best, axis=1)
        recall = hits.sum(axis=1) / self.n_hidden
        discounts = 1.0 / np.log2(np.arange(2, k + 2))
        ndcg = (hits * discounts[:depth]).sum(axis=1) / np.cumsum(discounts)[np.minimum(self.n_hidden, k) - 1]
        if metric == "both":
            return np.asarray((recall + ndcg) / 2)
        return np.asarray(recall if metric == "recall" else ndcg)
