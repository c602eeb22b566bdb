"""From a request to a history: what is stored of the listener, the events, the seed songs and the words, added up."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from inference.context import ContextWords, UnknownFieldError
from inference.errors import RequestError
from inference.histories import Histories, starts_of
from inference.history import EventWeighting, History
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
    """Some distinct songs: ``numbers`` int32, ``weights`` float32, and when they were played."""

    numbers: np.ndarray
    weights: np.ndarray
    moments: Moments

    @classmethod
    def nothing(cls, stage: int) -> Part:
        return cls(np.empty(0, np.int32), np.empty(0, np.float32), no_order(0, stage))


@dataclass(frozen=True)
class Known:
    """All that the model knows of listeners. ``order`` and ``words`` are None where training knew none."""

    items: Vocabulary
    users: Vocabulary
    user_items: SparseRows
    weighting: EventWeighting
    order: StoredOrder | None = None
    words: ListenerWords | None = None

    def history(self, request: Request) -> History:
        """Raises ``RequestError`` 422 for a context that the model can't read.

        Order: stored songs and events by their times where both have them, otherwise stored songs first; events without a time come after
        those, as they are given; seed songs come last, as they are given, unless the request says that they are in no order.
        """
        user = UNKNOWN if request.user_id is None else self.users.number(request.user_id)
        parts = (self._stored(user), self._events(request), self._seeds(request))
        weights = np.concatenate(self._decayed(parts))
        history = History.of(np.concatenate([part.numbers for part in parts]), weights, together([part.moments for part in parts]))
        return replace(history, words=self._words(request, user), user=None if user == UNKNOWN else user)

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

    def _stored(self, user: int) -> Part:
        if user == UNKNOWN:
            return Part.nothing(STORED)
        numbers, weights = self.user_items.row(user)
        if self.order is None:
            return Part(numbers, weights, no_order(len(numbers), STORED))
        return Part(numbers, weights, moments(self.order.times[self.user_items.indptr[user] : self.user_items.indptr[user + 1]], STORED))

    def _events(self, request: Request) -> Part:
        if not request.events:
            return Part.nothing(FRESH)
        numbers = self.items.numbers([event.item_id for event in request.events])
        known = np.flatnonzero(numbers != UNKNOWN)
        counted = np.array([self.weighting.event_weight(event.event_type, event.event_value) for event in request.events])
        distinct, inverse = np.unique(numbers[known], return_inverse=True)
        sums = np.bincount(inverse, weights=counted[known], minlength=len(distinct))
        times = seconds_of([event.timestamp for event in request.events])
        timed = times != UNKNOWN_TIME
        # A timed event may lie between stored ones; one without a time is later than all that have one.
        stages = np.where(timed & (self.order is not None and self.order.in_seconds), STORED, FRESH)
        keys = np.where(timed, times, np.iinfo(np.int64).max // 2 + np.arange(len(times)))
        last = np.zeros(len(distinct), dtype=np.int64)
        played = known[counted[known] > 0]  # a skip makes no song the latest
        order = played[np.lexsort((keys[played], stages[played]))]
        last[np.searchsorted(distinct, numbers[order])] = order  # the later one overwrites
        kept = sums > 0
        return Part(distinct[kept], self.weighting.transform(sums[kept]), moments(keys[last[kept]], stages[last[kept]]))

    def _seeds(self, request: Request) -> Part:
        if not request.items:
            return Part.nothing(SEEDS)
        given = self.items.numbers(request.items)
        given = given[given != UNKNOWN]
        seeds, from_end = np.unique(given[::-1], return_index=True)
        weights = np.ones(len(seeds), dtype=np.float32)
        return Part(seeds, weights, no_order(len(seeds), SEEDS) if request.ordered is False else moments(-from_end, SEEDS))

    def _decayed(self, parts: tuple[Part, ...]) -> list[np.ndarray]:
        """Returns the weights of each part; those of what has a time halve by its age when the newest of all was played."""
        weights = [part.weights for part in parts]
        if not self.ages:
            return weights
        known = [part.moments.times[(part.moments.stage == STORED) & (part.moments.times != UNKNOWN_TIME)] for part in parts]
        newest = max((int(times.max()) for times in known if len(times)), default=0)
        ages = [np.where(part.moments.stage == STORED, part.moments.times, newest) for part in parts]  # what has no time is played now
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
