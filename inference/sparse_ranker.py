"""Ranks one history by the songs that the model's rows lead to, without looking at all the others."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import NamedTuple, Self

import numpy as np

from inference.histories import Histories, Terms
from inference.history import History
from inference.native.ranker import Lists, Ranker
from inference.ranking import Ranking
from inference.scorers.base import RowScorer, Scorer
from inference.scorers.hybrid import HybridScorer
from inference.scorers.item_to_item import ItemToItemScorer
from inference.scorers.popularity import PopularityScorer
from inference.scratch import places, places_in

FIRST_LOOK = 64  # songs in the order of popularity that are looked at first; then four times as many, and so on


class Reached(NamedTuple):
    """The songs that a history leads to: distinct ``numbers`` int64, in no order, and their ``scores``."""

    numbers: np.ndarray
    scores: np.ndarray


class SparseRanker:
    """``addends``: what the scorer adds up, in its order: (weight, a ``RowScorer``), or (weight, None) for popularity.

    Its lists and scores are those of ranking all songs, to the last bit: what is added up is added up in the same order. ``popularity``
    (float32, songs) is what lists are filled up by, and what the scorer's popularity is.
    """

    def __init__(self, addends: Sequence[tuple[float, RowScorer | None]], popularity: np.ndarray) -> None:
        self._addends, self._popularity = addends, popularity
        self._weight = next((weight for weight, scorer in addends if scorer is None), 0.0)
        self._n = len(popularity)

    @classmethod
    def of(cls, scorer: Scorer | HybridScorer, popularity: np.ndarray) -> Self | None:
        """Returns None where the scorer has an opinion on every song by anything but popularity."""
        addends: list[tuple[float, RowScorer | None]] = []
        for weight, part in scorer.addends if isinstance(scorer, HybridScorer) else [(1.0, scorer)]:
            if isinstance(part, RowScorer):
                addends.append((weight, part))
            elif isinstance(part, PopularityScorer) and part.popularity is popularity:
                addends.append((weight, None))
            else:
                return None
        rows = any(part is not None for _, part in addends)
        return cls(addends, popularity) if rows and popularity.min(initial=0.0) >= 0 else None

    def rank(self, history: History, n: int, excluded: np.ndarray, masks: Sequence[np.ndarray] = ()) -> Ranking:
        """Returns the ``n`` best songs that are not ``excluded`` (int32 numbers; ``UNKNOWN`` is none), and that all ``masks`` (bool, songs)
        let through; fewer where there are no more. A history that does not speak is answered by popularity."""
        if not history.speaks:
            return self._most_popular(n, history.user, excluded, masks)
        numbers, scores, reached = self._liked(history, n, excluded, masks)
        scored = len(numbers)
        if scored < n:
            neutral = self._neutral(n - scored, reached, excluded, masks)
            kept = self._allowed(reached.numbers, excluded, masks)
            against = _best(reached, n - scored - len(neutral), kept & (reached.scores < 0))
            numbers = np.concatenate([numbers, neutral, reached.numbers[against]])
            scores = np.concatenate([scores, np.zeros(len(neutral)), reached.scores[against]])
        return Ranking(numbers, scores, scored, len(history), history.user is not None)

    def _liked(self, history: History, n: int, excluded: np.ndarray, masks: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray, Reached]:
        """Returns the at most ``n`` best songs of those with a score above 0, their scores, and all that the history leads to."""
        if self._compiled is not None:
            terms = [None if scorer is None else scorer.weighted_rows(history) for _, scorer in self._addends]
            found = self._compiled.rank(terms, n, excluded, masks)
            return found.numbers, found.scores, Reached(found.reached, found.reached_scores)
        reached = self._reached(history)
        kept = self._allowed(reached.numbers, excluded, masks)
        chosen = _best(reached, n, kept & (reached.scores > 0))
        numbers, scores = reached.numbers[chosen], reached.scores[chosen]
        if self._weight > 0 and (len(numbers) < n or self._weight * self._largest >= scores[-1]):
            numbers, scores = self._beside_popular(numbers, scores, n, reached, excluded, masks)
        return numbers, scores, reached

    @property
    def ranks_many(self) -> bool:
        """Whether there is ``rank_each``: where nothing is compiled, each is asked alone."""
        return self._compiled is not None

    @property
    def reads_songs_alone(self) -> bool:
        """Whether ``ranks`` and ``words`` of a history make no difference."""
        return all(scorer is None or isinstance(scorer, ItemToItemScorer) for _, scorer in self._addends)

    def rank_each(self, histories: Histories, n: int, excluded: Terms) -> Lists:
        """Returns for each history that speaks what ``rank`` returns of songs with a score above 0, to the last bit. ``excluded``: songs of
        each history, in ``rows``; ``UNKNOWN`` is none."""
        assert self._compiled is not None
        terms = [None if scorer is None else scorer.terms(histories) for _, scorer in self._addends]
        return self._compiled.rank_each(terms, n, excluded)

    @functools.cached_property
    def _compiled(self) -> Ranker | None:
        matrices = [(weight, scorer, None if scorer is None else scorer.operator.compiled) for weight, scorer in self._addends]
        if any(scorer is not None and matrix is None for _, scorer, matrix in matrices):
            return None
        return Ranker.of([(weight, matrix) for weight, _, matrix in matrices], self._popularity, self._order)

    def _allowed(self, numbers: np.ndarray, excluded: np.ndarray, masks: Sequence[np.ndarray]) -> np.ndarray:
        """Returns bool per distinct number: which may be recommended."""
        kept = np.ones(len(numbers), dtype=bool)
        shut = places_in(numbers, excluded, self._n)
        kept[shut[shut >= 0]] = False
        for mask in masks:
            kept &= mask[numbers]
        return kept

    def _reached(self, history: History) -> Reached:
        scorers = [scorer for _, scorer in self._addends]
        parts = [None if one is None else one.operator.weighted_entries(*one.weighted_rows(history)) for one in scorers]
        columns = [part[0] for part in parts if part is not None]
        all_ = (columns[0] if len(columns) == 1 else np.concatenate(columns)).astype(np.int64)
        place = places(self._n)
        at = np.arange(len(all_), dtype=np.int32)
        place[all_] = at  # of equal ones the last overwrites the others, and stands for them
        numbers = all_[place[all_] == at]
        place[numbers] = at[: len(numbers)]
        where = place[all_]
        total, begin = None, 0
        for (weight, _), part in zip(self._addends, parts, strict=True):
            if part is None:
                scores = self._popularity[numbers].astype(np.float64)
            else:
                end = begin + len(part[0])
                scores = np.bincount(where[begin:end], part[1], minlength=len(numbers)) if end > begin else np.zeros(len(numbers))
                begin = end
            if weight != 1.0:
                scores *= weight
            total = scores if total is None else np.add(total, scores, out=total)
        assert total is not None
        return Reached(numbers, total)

    # --- by popularity -------------------------------------------------------------------------------------------------------------

    @functools.cached_property
    def _order(self) -> np.ndarray:
        """All songs (int32), the most popular first; of equally popular ones the first."""
        return np.argsort(-self._popularity, kind="stable").astype(np.int32)

    @functools.cached_property
    def _largest(self) -> float:
        return float(self._popularity.max(initial=0.0))

    def _looks(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yields some songs after the other, the most popular first, and their popularity (float64)."""
        begin, size = 0, FIRST_LOOK
        while begin < self._n:
            songs = self._order[begin : begin + size].astype(np.int64)
            yield songs, self._popularity[songs].astype(np.float64)
            begin, size = begin + size, 4 * size

    def _most_popular(self, n: int, user: int | None, excluded: np.ndarray, masks: Sequence[np.ndarray]) -> Ranking:
        numbers = np.empty(0, np.int64)
        for songs, _ in self._looks():
            numbers = np.concatenate([numbers, songs[self._allowed(songs, excluded, masks)]])[:n]
            if len(numbers) == n:
                break
        scores = self._popularity[numbers].astype(np.float64)
        return Ranking(numbers, scores, int((scores > 0).sum()), 0, user is not None)

    def _beside_popular(
        self, numbers: np.ndarray, scores: np.ndarray, n: int, reached: Reached, excluded: np.ndarray, masks: Sequence[np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Puts the songs in that have nothing but their popularity to speak for them."""
        for songs, popularity in self._looks():
            popularity = self._weight * popularity
            if popularity[0] <= 0 or (len(numbers) == n and popularity[0] < scores[-1]):
                break
            others = self._allowed(songs, excluded, masks) & (popularity > 0) & (places_in(reached.numbers, songs, self._n) < 0)
            numbers = np.concatenate([numbers, songs[others]])
            scores = np.concatenate([scores, popularity[others]])
            order = np.lexsort((numbers, -scores))[:n]
            numbers, scores = numbers[order], scores[order]
        return numbers, scores

    def _neutral(self, n: int, reached: Reached, excluded: np.ndarray, masks: Sequence[np.ndarray]) -> np.ndarray:
        """Returns the ``n`` most popular songs whose score is 0."""
        found, missing = [np.empty(0, np.int64)], n
        for songs, popularity in self._looks():
            near = places_in(reached.numbers, songs, self._n)
            scores = self._weight * popularity
            scores[near >= 0] = reached.scores[near[near >= 0]]
            found.append(songs[self._allowed(songs, excluded, masks) & (scores == 0)][:missing])
            missing -= len(found[-1])
            if missing <= 0:
                break
        return np.concatenate(found)


def _best(reached: Reached, n: int, among: np.ndarray) -> np.ndarray:
    """Returns the places of the ``n`` highest scores ``among`` (bool) the songs, best first; equal ones in the order of their numbers."""
    places = among.nonzero()[0]
    if n <= 0:
        return places[:0]
    scores = reached.scores[places]
    if n < len(places):
        enough = scores >= np.partition(scores, len(scores) - n)[len(scores) - n]
        places, scores = places[enough], scores[enough]
    return places[np.lexsort((reached.numbers[places], -scores))][:n]
