"""What a set of lists is worth, beyond accuracy: the measures that `scripts/tradeoffs` puts beside each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.features.columns import CategoriesColumn
from inference.recommender import Recommender
from inference.rerank.exposure import small_artists
from training.evaluation import metrics
from training.evaluation.bootstrap import Estimate, estimate, paired_difference
from training.evaluation.cases import Case
from training.evaluation.context import Context
from training.evaluation.exposure import exposures, gini
from training.evaluation.taste import calibration_error

SAMPLES, SEED = 1000, 42
BETTER_WHEN_LOWER = frozenset({"gini", "calibration_error"})


@dataclass(frozen=True)
class Measured:
    """The measures of one setting: ``means`` by name, ``bounds`` of the 95 % interval of those that are means over listeners, and ``ndcg``
    of each listener."""

    means: Mapping[str, float]
    bounds: Mapping[str, tuple[float, float]]
    ndcg: NDArray[np.float64]

    def change_from(self, other: Measured) -> Estimate:
        """Returns by how much the nDCG is higher than in another setting, on the same listeners."""
        return paired_difference(self.ndcg, other.ndcg, SAMPLES, SEED)


class Judge:
    """Judges lists for the same listeners again and again. Without a catalogue there are no measures of genres, artists and diversity."""

    def __init__(self, model: Recommender, cases: Sequence[Case], k: int, context: Context) -> None:
        self._model, self._k, self._context = model, k, context
        self._relevant = [case.relevant for case in cases]
        self._histories = [case.history for case in cases]
        self._artists = _names(model, "artists")

    def judge(self, recommended: NDArray[np.int32]) -> Measured:
        """``recommended``: (listeners × length), best first, padded with -1."""
        k, model, context = self._k, self._model, self._context
        hits = metrics.find_hits(recommended, self._relevant)
        n_relevant = np.array([len(songs) for songs in self._relevant], dtype=np.int64)
        values: dict[str, NDArray[Any]] = {"recall": metrics.recall(hits, n_relevant, k), "ndcg": metrics.ndcg(hits, n_relevant, k)}
        if context.features is not None:
            values["diversity"] = metrics.diversity(recommended, k, context.features)
        values["novelty"] = metrics.novelty(recommended, k, context.item_listeners, context.n_listeners)
        if context.genres is not None:
            values["calibration_error"] = calibration_error(recommended, self._histories, context.genres, k)
        if self._artists is not None:
            share = small_artists(*_rows(self._artists), model.listeners, model.defaults.head_share)
            values["small_artists"] = _mean_of_places(share, recommended[:, :k])
            values["distinct_artists"] = _distinct_names(self._artists, recommended[:, :k])
        estimates = dict(zip(values, estimate(np.column_stack(list(values.values())), SAMPLES, SEED), strict=True))
        overall = {
            "coverage": metrics.coverage(recommended, k, len(model.items)),
            "gini": gini(exposures(recommended, k, len(model.items))),
        }
        means = {name: one.mean for name, one in estimates.items()} | overall
        return Measured(means, {name: (one.low, one.high) for name, one in estimates.items()}, values["ndcg"])


def _names(model: Recommender, column: str) -> CategoriesColumn | None:
    found = None if model.features is None else model.features.get(column)
    return found if isinstance(found, CategoriesColumn) and len(found.indices) else None


def _rows(column: CategoriesColumn) -> tuple[np.ndarray, np.ndarray, int]:
    return column.indptr, column.indices, len(column.names)


def _mean_of_places(of_song: NDArray[np.float64], recommended: NDArray[np.int32]) -> NDArray[np.float64]:
    real = recommended >= 0
    sums = np.where(real, of_song[np.maximum(recommended, 0)], 0.0).sum(axis=1)
    return np.where(real.any(axis=1), sums / np.maximum(real.sum(axis=1), 1), np.nan)


def _distinct_names(column: CategoriesColumn, recommended: NDArray[np.int32]) -> NDArray[np.float64]:
    """How many artists are in each list."""
    lists = [[column.row(song) for song in row[row >= 0].tolist()] for row in recommended]
    return np.array([len(np.unique(np.concatenate(rows))) if rows else np.nan for rows in lists], dtype=np.float64)
