"""What a listener did, as numbers and weights; the same weighting in training and in serving."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from inference.native import sums as compiled
from inference.request import Event

LEAST_DECAY = 1e-6  # what is very old still was played: it is never recommended as new
_TINY, _LARGEST = float(np.finfo(np.float32).tiny), float(np.finfo(np.float32).max)
WEIGHTINGS = ("log", "binary", "count", "value", "log_value")


@dataclass(frozen=True)
class History:
    """Distinct songs, ascending (``numbers`` int32), each with a positive weight (``weights`` float32).

    ``ranks``: int32 per song, how many songs of the history came later (0: the latest; equal where nobody knows which was first), or None
    where no order is known. ``words``: int32, distinct, ascending, what the listener or playlist is called and is (``inference.context``),
    or None. ``user``: the listener's number, for models that hold the listeners they learned from; None for one who is not known.
    """

    numbers: np.ndarray
    weights: np.ndarray
    ranks: np.ndarray | None = None
    words: np.ndarray | None = None
    user: int | None = None

    @classmethod
    def of(cls, numbers: np.ndarray, weights: np.ndarray, times: np.ndarray | None = None) -> History:
        """Adds up the weights of each song; songs whose sum is not positive are left out. ``times``: when each was played, in any unit that
        grows; a song's last one counts."""
        numbers = np.asarray(numbers, dtype=np.int32)
        distinct, sums = added_up(numbers, weights)
        sums = sums.astype(np.float32)
        positive = sums > 0
        if times is None:
            return cls(distinct[positive], sums[positive])
        last = np.full(len(distinct), np.iinfo(np.int64).min)
        np.maximum.at(last, np.searchsorted(distinct, numbers), times)
        return cls(distinct[positive], sums[positive], ranks_of(last[positive]))

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def speaks(self) -> bool:
        """Whether there is anything to score by: a song, or a word."""
        return len(self.numbers) > 0 or (self.words is not None and len(self.words) > 0)


def added_up(numbers: np.ndarray, weights: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Returns the distinct ``numbers`` (int32), ascending, and the sum of the ``weights`` of each (float64); None: each weighs 1. Numbers
    below 0, as those of unknown songs, are left out."""
    found = compiled.added_up(numbers, weights)
    return _added_up(numbers, weights) if found is None else found


def _added_up(numbers: np.ndarray, weights: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    weights = np.ones(len(numbers)) if weights is None else weights
    if not (known := numbers >= 0).all():
        numbers, weights = numbers[known], weights[known]
    if (numbers[1:] > numbers[:-1]).all():  # as stored histories are
        return numbers, weights.astype(np.float64)
    order = numbers.argsort(kind="stable")
    ordered = numbers[order]
    starts = np.concatenate([[True], ordered[1:] != ordered[:-1]])
    distinct = ordered[starts]
    return distinct, np.bincount(np.cumsum(starts) - 1, weights[order], minlength=len(distinct))


def ranks_of(times: np.ndarray) -> np.ndarray:
    """Returns int32 per time how many others are later: 0 for the latest ones; equal times have equal ranks."""
    return (len(times) - np.searchsorted(np.sort(times), times, side="right")).astype(np.int32)


@dataclass(frozen=True)
class EventWeighting:
    """How events become the weight of a song in a history.

    Each event counts ``event_weights[type]`` (types in small letters; 1 for a type that is not named), times its value where
    ``weighting`` is ``value`` or ``log_value``; an event with a value below ``min_event_value`` counts nothing. The sum over a listener's
    events of one song becomes: ``log`` and ``log_value`` log2(1 + sum), ``binary`` 1, ``count`` and ``value`` the sum itself. With
    ``half_life_days`` above 0 that weight halves with every so many days from the song's last event to the listener's last one.
    """

    weighting: str = "log"
    event_weights: Mapping[str, float] = field(default_factory=dict)
    min_event_value: float | None = None
    half_life_days: float = 0.0

    @property
    def by_value(self) -> bool:
        return self.weighting in ("value", "log_value")

    def transform(self, sums: np.ndarray) -> np.ndarray:
        """Returns the float32 weights for the ``sums`` over (listener, song) pairs: 0 where a sum is not positive, positive elsewhere."""
        positive = np.maximum(np.asarray(sums, dtype=np.float64), 0.0)
        if self.weighting == "binary":
            return (positive > 0).astype(np.float32)
        scaled = np.log2(1.0 + positive) if self.weighting in ("log", "log_value") else positive
        return np.where(positive > 0, np.minimum(np.maximum(scaled, _TINY), _LARGEST), 0.0).astype(np.float32)

    @functools.cached_property
    def once(self) -> np.float32:
        """The weight of a song of which one event is known that counts 1."""
        return np.float32(self.transform(np.ones(1))[0])

    def decay(self, seconds: np.ndarray, newest: np.ndarray | float) -> np.ndarray:
        """Returns float32, what to multiply weights with whose last event was at ``seconds`` (int64), when the listener's last event was at
        ``newest``: never 0. The smallest int64 means an unknown time, which counts as one half-life ago."""
        if self.half_life_days <= 0:
            return np.ones(len(seconds), dtype=np.float32)
        days = np.maximum(np.asarray(newest, dtype=np.float64) - np.asarray(seconds, dtype=np.float64), 0.0) / 86_400
        decay = np.where(seconds == np.iinfo(np.int64).min, 0.5, np.exp2(-days / self.half_life_days))
        return np.maximum(decay, LEAST_DECAY).astype(np.float32)

    def event_weights_of(self, events: Sequence[Event]) -> np.ndarray | None:
        """Returns float64 per event what it adds to the sum of its song; None: each adds 1."""
        for event in events:
            if event.event_type is not None or event.event_value is not None:
                break
        else:
            return None
        return np.array([self.event_weight(event.event_type, event.event_value) for event in events])

    def event_weight(self, event_type: str | None, value: float | None) -> float:
        """Returns what one event adds to the sum of its song."""
        if self.min_event_value is not None and value is not None and value < self.min_event_value:
            return 0.0
        weight = self.event_weights.get(event_type.strip().casefold(), 1.0) if event_type is not None else 1.0
        return weight * value if self.by_value and value is not None else weight
