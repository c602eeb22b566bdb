"""Puts filters, boosts, caps and the objective together, over what one model knows of its songs."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from inference.errors import RequestError
from inference.features.columns import CategoriesColumn, CategoryColumn
from inference.features.described import DescribedSongs
from inference.features.similarity import name_rows
from inference.features.store import FeatureStore
from inference.features.transform import FeatureTransform
from inference.history import History
from inference.rerank.alike import alike
from inference.rerank.boosts import factors_of
from inference.rerank.caps import Capped, Caps, top_capped
from inference.rerank.columns import SongColumns
from inference.rerank.defaults import Defaults
from inference.rerank.exposure import novelties, small_artists
from inference.rerank.filters import Filters
from inference.rerank.genre_mix import GenreMix, mix_of
from inference.rerank.greedy import select
from inference.rerank.objective import Objective
from inference.rerank.options import Options
from inference.rerank.weights import Weights
from inference.scorers import Scorer
from inference.texts import Texts
from inference.top_n import top_n
from inference.vocabulary import Vocabulary

Rows = tuple[np.ndarray, np.ndarray, int]  # compressed rows of names (indptr, codes), and how many names there are


@dataclass(frozen=True)
class Rules:
    """What the options of one request mean. ``mask`` bool (songs,), ``factors`` float64 (songs,); None where nothing is asked. ``caps``
    count for one list only."""

    weights: Weights
    mask: np.ndarray | None
    factors: np.ndarray | None
    caps: Caps | None

    def allow(self, allowed: np.ndarray) -> np.ndarray:
        """Returns bool (songs,): those of ``allowed`` that the filter lets through, and no boost takes out."""
        for mask in (self.mask, None if self.factors is None else self.factors > 0):
            allowed = allowed if mask is None else allowed & mask
        return allowed

    def boost(self, scores: np.ndarray) -> np.ndarray:
        """Returns the scores, those above 0 multiplied by their factors."""
        return scores if self.factors is None else np.where(scores > 0, scores * self.factors, scores)

    def best(self, scores: np.ndarray, n: int, among: np.ndarray) -> np.ndarray:
        """Returns what ``top_n`` does, within the caps."""
        return top_n(scores, n, among) if self.caps is None else top_capped(scores, n, among, self.caps)


class Reranker:
    """The re-ranker of one model. What it computes once per model is kept; it may be used by several threads."""

    def __init__(
        self,
        defaults: Defaults,
        items: Vocabulary,
        listeners: np.ndarray,
        n_listeners: int,
        metadata: Mapping[str, Texts],
        store: FeatureStore | None,
        transform: FeatureTransform | None,
        content: DescribedSongs | None,
        scorers: Mapping[str, Scorer],
        weights: Mapping[str, float],
    ) -> None:
        """``weights``: of the scorers in the hybrid; the other arguments are the recommender's."""
        self.defaults = defaults
        self.filters = Filters(SongColumns(store, transform, metadata), store)
        self._items, self._listeners, self._n_listeners = items, listeners, n_listeners
        self._store, self._content, self._scorers, self._weights = store, content, scorers, weights
        self._rows: dict[str, Rows] = {}

    def rules(self, options: Options) -> Rules:
        """Raises ``RequestError`` 422 where the options name a column that there is not, or of the wrong kind, or need a catalogue."""
        weights = options.weights
        if weights.fairness:
            self._names_of("artist", "fairness")
        if weights.calibration:
            self._names_of("genre", "calibration")
        return Rules(
            weights,
            self.filters.mask(options.filter) if options.filter else None,
            factors_of(options.boosts, self.filters, self._items) if options.boosts else None,
            Caps([Capped(*self._names_of(column, f"max_per.{column[:40]}"), cap) for column, cap in options.caps])
            if options.caps
            else None,
        )

    def choose(
        self, rules: Rules, scores: np.ndarray, allowed: np.ndarray, n: int, history: History, described: Sequence[FeatureStore]
    ) -> np.ndarray:
        """Returns the numbers (int64) of at most ``n`` songs that are allowed and have a score above 0, best first by the objective.

        The best ``candidates`` are re-ranked; where caps leave too few of them, further ones follow by their scores. ``described``:
        songs of the history that are in no catalogue, each a store of one.
        """
        liked = np.flatnonzero(allowed & (scores > 0))
        if rules.weights.of_score_alone or not len(liked):
            return rules.best(scores, n, liked)
        pool = top_n(scores, max(self.defaults.candidates, n), liked)
        chosen = pool[select(self._objective(rules.weights, scores, pool, history, described), pool, n, rules.caps)]
        if len(chosen) < n and len(pool) < len(liked):
            left = np.setdiff1d(liked, pool, assume_unique=True)
            chosen = np.concatenate([chosen, rules.best(scores, n - len(chosen), left)])
        return chosen

    def _objective(
        self, weights: Weights, scores: np.ndarray, pool: np.ndarray, history: History, described: Sequence[FeatureStore]
    ) -> Objective:
        return Objective(
            weights,
            scores[pool],
            self._novelties[pool] if weights.novelty else None,
            self._small_artists[pool] if weights.fairness else None,
            alike(pool, self._content, self._scorers, self._weights) if weights.diversity else None,
            self._mix(pool, history, described) if weights.calibration else None,
        )

    def _mix(self, pool: np.ndarray, history: History, described: Sequence[FeatureStore]) -> GenreMix | None:
        """The history's genres as the mix that is wanted; None where none of its songs has a genre."""
        indptr, codes, n_names = self._names_of("genre", "calibration")
        wanted = mix_of(indptr, codes, n_names, history.numbers, history.weights.astype(np.float64))
        if described:
            known = np.diff(indptr)[history.numbers] > 0
            wanted = wanted * float(history.weights[known].sum())
            for one in described:
                wanted += self._genres_of(one)
            wanted /= max(wanted.sum(), 1e-12)
        return GenreMix(wanted, indptr, codes, pool) if wanted.any() else None

    def _genres_of(self, one: FeatureStore) -> np.ndarray:
        """Returns float64 (names,): the genres of a described song that the catalogue has, with equal shares that sum to 1."""
        column, theirs = self.filters.columns["genre"].column, one["genres"]
        assert isinstance(column, CategoriesColumn)
        out = np.zeros(len(column.names))
        codes = [code for name in theirs.value(0) if (code := column.code(name)) >= 0]
        out[codes] = 1.0 / max(len(codes), 1)
        return out

    def _names_of(self, column: str, where: str) -> Rows:
        """Returns the names that all songs have in a column. Raises ``RequestError`` 422."""
        if column in self._rows:
            return self._rows[column]
        if self._store is None:
            raise RequestError(
                422, "no_features", f"'{where}' needs a catalogue: this model knows no names of its songs' artists and genres."
            )
        found = self.filters.columns[column].column
        if not isinstance(found, CategoriesColumn | CategoryColumn):
            raise RequestError(422, "invalid_field", f"'{where}': only a column of names, such as artist or album, can be counted by.")
        self._rows[column] = (*name_rows(found), len(found.names))
        return self._rows[column]

    @functools.cached_property
    def _novelties(self) -> np.ndarray:
        return novelties(self._listeners, self._n_listeners)

    @functools.cached_property
    def _small_artists(self) -> np.ndarray:
        return small_artists(*self._names_of("artist", "fairness"), self._listeners, self.defaults.head_share)
