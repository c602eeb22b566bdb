"""The songs that a request names, looked up once."""

from __future__ import annotations

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
        songs = [song["item_id"] for song in request.songs if "item_id" in song] if request.songs else []
        candidates = request.candidates or ()
        ids = [*(event.item_id for event in request.events), *request.items, *candidates, *songs, *request.exclude]
        numbers = items.numbers(ids)
        ends = np.cumsum([len(request.events), len(request.items), len(candidates), len(songs)]).tolist()
        events, seeds, ranked, described, exclude = np.split(numbers, ends)
        missing = (numbers[: ends[2]] == UNKNOWN).nonzero()[0].tolist()
        return cls(events, seeds, described, exclude, ranked, tuple(dict.fromkeys(ids[place] for place in missing)))

    @property
    def left_out(self) -> np.ndarray:
        """The known songs that the request says are not to come, int32."""
        return self.exclude[self.exclude != UNKNOWN]

    @property
    def heard(self) -> np.ndarray:
        """The known songs of events, also what was skipped, and the described songs that the catalogue has, int32."""
        both = np.concatenate([self.events, self.songs])
        return both[both != UNKNOWN]
