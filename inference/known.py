"""From a request to a history: what is stored of the listener, the events, the seed songs and the words, added up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from inference.context import ContextWords, UnknownFieldError
from inference.errors import RequestError
from inference.histories import Histories, starts_of
from inference.history import EventWeighting, History, added_up
from inference.named import Named
from inference.order import FRESH, SEEDS, STORED, UNKNOWN_TIME, Moments, StoredOrder, moments, no_order, seconds_of, together
from inference.request import Request
from inference.sparse import SparseRows, entries_of
from inference.vocabulary import UNKNOWN, Vocabulary


@dataclass(frozen=True)
class ListenerWords:
    """The words that the model knows, and those of each known listener: ``rows`` (listeners × words, every value 1)."""

    context: ContextWords
    rows: SparseRows

    def settings(self) -> dict[str, list[str]]:
        """Returns, as JSON, what to save beside the arrays."""
        return {"texts": list(self.context.texts), "categories": list(self.context.categories)}


@dataclass(frozen=True)
class Part:
    """Some distinct songs, ascending: ``numbers`` int32, ``weights`` float32, and when they were played; None where nobody asks for it."""

    numbers: np.ndarray
    weights: np.ndarray
    moments: Moments | None


@dataclass(frozen=True)
class Known:
    """All that the model knows of listeners. ``order`` and ``words`` are None where training knew none. ``ranked``: whether anybody reads
    the ranks of a history."""

    items: Vocabulary
    users: Vocabulary
    user_items: SparseRows
    weighting: EventWeighting
    order: StoredOrder | None = None
    words: ListenerWords | None = None
    ranked: bool = True

    def history(self, request: Request, named: Named | None = None) -> History:
        """Raises ``RequestError`` 422 for a context that the model can't read. ``named``: the songs of the request, looked up already.

        Order: stored songs and events by their times where both have them, otherwise stored songs first; events without a time come after
        those, as they are given; seed songs come last, as they are given, unless the request says that they are in no order.
        """
        named = named or Named.of(request, self.items)
        user = UNKNOWN if request.user_id is None else self.users.number(request.user_id)
        found = (self._stored(user), self._events(request, named.events), self._seeds(request, named.items))
        parts = [part for part in found if part is not None and len(part.numbers)]
        words, known = self._words(request, user), None if user == UNKNOWN else user
        if not parts:
            return History(np.empty(0, np.int32), np.empty(0, np.float32), None, words, known)
        times = together([part.moments for part in parts if part.moments is not None]) if self.ranked else None
        if len(parts) == 1 and times is None and user == UNKNOWN and not self.ages:  # nothing to add up
            history = History(parts[0].numbers, parts[0].weights)
        else:
            history = History.of(_joined([part.numbers for part in parts]), _joined(self._decayed(parts)), times)
        return history if words is None and known is None else replace(history, words=words, user=known)

    @property
    def ages(self) -> bool:
        """Whether weights halve with the time since they were played."""
        return self.weighting.half_life_days > 0 and self.order is not None and self.order.in_seconds

    def stored(self, users: np.ndarray) -> Histories:
        """Returns what is stored of some listeners (their numbers), without ranks and words. Not for weights that age."""
        entries, owners = entries_of(self.user_items.indptr, users)
        weights = self.user_items.values[entries]
        heard = weights > 0
        starts = starts_of(np.bincount(owners[heard], minlength=len(users)))
        return Histories(starts, self.user_items.indices[entries[heard]], weights[heard])

    @property
    def _timed(self) -> bool:
        return self.ranked or self.ages

    def _stored(self, user: int) -> Part | None:
        if user == UNKNOWN:
            return None
        numbers, weights = self.user_items.row(user)
        if not self._timed:
            return Part(numbers, weights, None)
        if self.order is None:
            return Part(numbers, weights, no_order(len(numbers), STORED))
        return Part(numbers, weights, moments(self.order.times[self.user_items.indptr[user] : self.user_items.indptr[user + 1]], STORED))

    def _events(self, request: Request, numbers: np.ndarray) -> Part | None:
        if not request.events:
            return None
        counted = self.weighting.event_weights_of(request.events)
        distinct, sums = added_up(numbers, counted)
        if counted is None and len(distinct) == len(numbers):  # as most requests: each song once
            weights = np.full(len(distinct), self.weighting.once)
        else:
            kept = sums > 0
            distinct, weights = distinct[kept], self.weighting.transform(sums[kept])
        when = self._moments_of(request, numbers, counted, distinct) if self._timed else None
        return Part(distinct, weights, when)

    def _moments_of(self, request: Request, numbers: np.ndarray, counted: np.ndarray | None, distinct: np.ndarray) -> Moments:
        """Returns when each of the ``distinct`` songs was last played; ``numbers`` and ``counted`` are of the events."""
        if not len(distinct):
            return no_order(0, FRESH)
        times = seconds_of([event.timestamp for event in request.events])
        timed = times != UNKNOWN_TIME
        # A timed event may lie between stored ones; one without a time is later than all that have one.
        stages = np.where(timed & (self.order is not None and self.order.in_seconds), STORED, FRESH)
        keys = np.where(timed, times, np.iinfo(np.int64).max // 2 + np.arange(len(times)))
        last = np.zeros(len(distinct), dtype=np.int64)
        song = np.minimum(np.searchsorted(distinct, numbers), len(distinct) - 1)
        heard = distinct[song] == numbers
        played = (heard if counted is None else heard & (counted > 0)).nonzero()[0]  # a skip makes no song the latest
        order = played[np.lexsort((keys[played], stages[played]))]
        last[song[order]] = order  # the later one overwrites
        return moments(keys[last], stages[last])

    def _seeds(self, request: Request, given: np.ndarray) -> Part | None:
        if not request.items:
            return None
        given = given[given != UNKNOWN]
        seeds, from_end = np.unique(given[::-1], return_index=True)
        when = no_order(len(seeds), SEEDS) if request.ordered is False or not self._timed else moments(-from_end, SEEDS)
        return Part(seeds, np.ones(len(seeds), dtype=np.float32), when)

    def _decayed(self, parts: Sequence[Part]) -> list[np.ndarray]:
        """Returns the weights of each part; those of what has a time halve by its age when the newest of all was played."""
        weights = [part.weights for part in parts]
        when = [part.moments for part in parts if part.moments is not None]
        if not self.ages:
            return weights
        known = [one.times[(one.stage == STORED) & (one.times != UNKNOWN_TIME)] for one in when]
        newest = max((int(times.max()) for times in known if len(times)), default=0)
        ages = [np.where(one.stage == STORED, one.times, newest) for one in when]  # what has no time is played now
        return [one * self.weighting.decay(times, newest) for one, times in zip(weights, ages, strict=True)]

    def _words(self, request: Request, user: int) -> np.ndarray | None:
        if self.words is None:
            if request.context:
                raise RequestError(422, "no_words", "This model knows no words of listeners or playlists: leave out 'context'.")
            return None
        stored = np.empty(0, np.int32) if user == UNKNOWN else self.words.rows.row(user)[0]
        try:
            said = self.words.context.numbers(request.context)
        except UnknownFieldError as error:
            raise RequestError(422, "unknown_field", str(error)) from None
        return np.union1d(stored, said).astype(np.int32)


def _joined(parts: Sequence[np.ndarray]) -> np.ndarray:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)
