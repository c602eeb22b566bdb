"""Ranks many plain requests together; those that are not plain it leaves to be ranked alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from inference.errors import RequestError
from inference.histories import Histories, Terms, end_to_end, side_by_side, starts_of
from inference.history import History
from inference.known import Known
from inference.named import Named
from inference.ranking import Ranking
from inference.request import Request
from inference.rerank.defaults import Defaults
from inference.rerank.options import NOTHING
from inference.sparse_ranker import SparseRanker
from inference.vocabulary import UNKNOWN

LEAST = 4  # requests that are worth it


class _Some(NamedTuple):
    """Some requests by their places, with their histories and whether the model knows the listeners."""

    places: list[int]
    histories: Histories
    known: list[bool]


@dataclass(frozen=True)
class BatchRanker:
    """``ranker``: None where the scorer is not of its kind. ``listeners`` (int32, songs): how many have played a song."""

    ranker: SparseRanker | None
    known: Known
    listeners: np.ndarray
    defaults: Defaults

    def rank(self, requests: Sequence[Request], named: Sequence[Named]) -> list[Ranking | None]:
        """Returns for each request the ranking that it gets alone, or None where it must be asked alone.
        ``named``: the songs of each request.

        Who gets a ranking has a history that others have played something of, and a list that popularity did not have to fill.
        """
        found: list[Ranking | None] = [None] * len(requests)
        if len(requests) < LEAST:
            return found
        plain = [place for place, request in enumerate(requests) if self._is_plain(request)]
        if len(plain) < LEAST or self.ranker is None or not self.ranker.ranks_many:
            return found
        by_limit: dict[int, list[int]] = {}
        for place in plain:
            by_limit.setdefault(requests[place].limit, []).append(place)
        for limit, places in by_limit.items():
            if len(places) >= LEAST:
                self._rank(self.ranker, requests, named, places, limit, found)
        return found

    def _is_plain(self, request: Request) -> bool:
        if request.candidates is not None or request.songs:
            return False
        if self.defaults.options is NOTHING or self.defaults.options == NOTHING:
            return request.options is NOTHING or request.options == NOTHING
        return self.defaults.options_for(request.options, False) == NOTHING

    def _rank(
        self,
        ranker: SparseRanker,
        requests: Sequence[Request],
        named: Sequence[Named],
        places: list[int],
        limit: int,
        found: list[Ranking | None],
    ) -> None:
        """Ranks the requests at ``places``, of one limit, and writes the lists that are full into ``found``."""
        groups, rest = [], places
        if ranker.reads_songs_alone and not self.known.ages:
            by_id = [place for place in places if _only_id(requests[place])]
            seeds = [place for place in places if _only_seeds(requests[place])]
            groups = [self._stored(requests, by_id), self._seeds(named, seeds)]
            rest = [place for place in places if not (_only_id(requests[place]) or _only_seeds(requests[place]))]
        for some, histories, known in (*groups, self._others(requests, named, rest)):
            if not some:
                continue
            excluded = self._excluded([requests[place] for place in some], [named[place] for place in some], histories)
            lists = ranker.rank_each(histories, limit, excluded)
            met = np.bincount(histories.owners, self.listeners[histories.numbers] > 0, minlength=len(histories)) > 0
            lengths = histories.lengths.tolist()
            for row in np.flatnonzero((lists.found == limit) & met).tolist():
                found[some[row]] = Ranking(lists.numbers[row], lists.scores[row], limit, lengths[row], known[row])

    def _stored(self, requests: Sequence[Request], places: list[int]) -> _Some:
        """Returns those whose listener is known, of some that name nothing else: their histories need not be made one by one."""
        users = self.known.users.numbers([requests[place].user_id or "" for place in places])
        met = users != UNKNOWN
        stored = self.known.stored(users[met])
        return _Some([place for place, one in zip(places, met.tolist(), strict=True) if one], stored, [True] * len(stored))

    def _seeds(self, named: Sequence[Named], places: list[int]) -> _Some:
        """Returns those that name seed songs and nothing else, nor need theirs."""
        histories = Histories.of_seeds([named[place].items for place in places], len(self.known.items))
        return _Some(places, histories, [False] * len(places))

    def _others(self, requests: Sequence[Request], named: Sequence[Named], places: list[int]) -> _Some:
        histories: dict[int, History] = {}
        for place in places:
            try:
                histories[place] = self.known.history(requests[place], named[place])
            except RequestError:
                continue  # asked alone, it is raised again
        known = [history.user is not None for history in histories.values()]
        return _Some(list(histories), Histories.of(list(histories.values())), known)

    def _excluded(self, requests: Sequence[Request], named: Sequence[Named], histories: Histories) -> Terms:
        """Returns the songs that each request leaves out: the history, what was skipped, and what it excludes itself."""
        seen = Terms(histories.starts, histories.numbers, np.empty(len(histories.numbers)))
        leaves_out = np.array([request.leaves_out_seen for request in requests])
        if not leaves_out.all():
            kept = leaves_out[histories.owners]
            seen = Terms(starts_of(histories.lengths * leaves_out), histories.numbers[kept], np.empty(int(kept.sum())))
        if not any(request.exclude or request.events for request in requests):
            return seen
        asked = zip(requests, named, strict=True)
        others = [np.concatenate([songs.left_out, songs.heard]) if one.leaves_out_seen else songs.left_out for one, songs in asked]
        numbers = end_to_end(others, np.int32)
        return side_by_side([seen, Terms(starts_of([len(one) for one in others]), numbers, np.empty(len(numbers)))])


def _only_id(request: Request) -> bool:
    return not (request.user_id is None or request.events or request.items or request.context)


def _only_seeds(request: Request) -> bool:
    return request.user_id is None and not (request.events or request.context)
