"""The songs that a request names, looked up once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from inference.request import Request
from inference.vocabulary import UNKNOWN, Vocabulary


@dataclass(frozen=True)
class Named:
    """Numbers (int32), in the order of the request, ``UNKNOWN`` where the model does not know the id; ``songs``: of the described ones that
    have one. ``unknown``: the ids of events, seeds and candidates that it does not know, each once."""

    events: np.ndarray
    items: np.ndarray
    songs: np.ndarray
    exclude: np.ndarray
    candidates: np.ndarray
    unknown: tuple[str, ...]

    @classmethod
    def of(cls, request: Request, items: Vocabulary) -> Self:
        return cls.of_each([request], items)[0]

    @classmethod
    def of_each(cls, requests: Sequence[Request], items: Vocabulary) -> list[Self]:
        """Returns those of each request; all ids are looked up together."""
        parts = [_ids(request) for request in requests]
        ids = [id_ for lists in parts for some in lists for id_ in some]
        numbers = items.numbers(ids)
        numbers.flags.writeable = False
        named, start = [], 0
        nothing = numbers[:0]
        empty = cls(nothing, nothing, nothing, nothing, nothing, ())
        for lists in parts:
            if not lists:
                named.append(empty)
                continue
            events, seeds, candidates, songs, exclude = lists
            a = start + len(events)
            b = a + len(seeds)
            c = b + len(candidates)
            d = c + len(songs)
            end = d + len(exclude)
            missing = (numbers[start:c] == UNKNOWN).nonzero()[0].tolist()
            unknown = tuple(dict.fromkeys(ids[start + place] for place in missing)) if missing else ()
            named.append(cls(numbers[start:a], numbers[a:b], numbers[c:d], numbers[d:end], numbers[b:c], unknown))
            start = end
        return named

    @property
    def left_out(self) -> np.ndarray:
        """The known songs that the request says are not to come, int32."""
        return self.exclude[self.exclude != UNKNOWN]

    @property
    def heard(self) -> np.ndarray:
        """The known songs of events, also what was skipped, and the described songs that the catalogue has, int32."""
        both = np.concatenate([self.events, self.songs])
        return both[both != UNKNOWN]


def _ids(request: Request) -> tuple[Sequence[str], ...]:
    """Returns the ids of events, seeds, candidates, described songs and of what is excluded; nothing where the request names no song."""
    if not (request.items or request.events or request.exclude or request.candidates or request.songs):
        return ()
    songs = [song["item_id"] for song in request.songs if "item_id" in song] if request.songs else ()
    return [event.item_id for event in request.events], request.items, request.candidates or (), songs, request.exclude
