"""What a model is asked in an evaluation, and what it should have answered."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from inference.request import Request
from training import split

HOLDOUT, TEST = "holdout", "test"
SONG_AMONG_THEMSELVES, SONG_AMONG_ALL = "song_among_themselves", "song_among_all"


@dataclass(frozen=True)
class Case:
    """One held-out listener: the request with what is shown, and the distinct numbers (int32) of the songs to be found."""

    request: Request
    relevant: NDArray[np.int32]


def known_listener_cases(user_ids: NDArray[np.object_], users: NDArray[np.int32], items: NDArray[np.int32]) -> list[Case]:
    """Returns a case for each listener of a ``test`` channel, given as its entries (users, items): the model answers by the stored history.

    ``users`` must be sorted, as in a dataset.
    """
    numbers, starts = np.unique(users, return_index=True)
    groups = np.split(items, starts[1:]) if len(numbers) else []
    return [Case(Request(user_id=user_ids[user]), np.unique(songs)) for user, songs in zip(numbers.tolist(), groups, strict=True)]


def split_cases(parts: split.Split, item_ids: NDArray[np.object_], user_ids: NDArray[np.object_]) -> dict[str, list[Case]]:
    """Returns the cases of a split's test by source; sources without a case are left out.

    ``holdout``: listeners who were held out whole are asked as new ones, all others by id. Of the kind ``song`` there are two: the songs
    held out ranked among themselves (``song_among_themselves``: is the right one of the new songs found?), and among all songs
    (``song_among_all``: does a new song get past those that everybody knows?).
    """
    cases = [
        Case(Request(user_id=user_ids[case.user]) if case.known else Request(items=tuple(item_ids[case.shown].tolist())), case.hidden)
        for case in parts.test
    ]
    if not cases:
        return {}
    if parts.kind != split.SONG:
        return {HOLDOUT: cases}
    songs = tuple(item_ids[parts.songs].tolist())
    among = [replace(case, request=replace(case.request, candidates=songs, exclude_seen=True)) for case in cases]
    return {SONG_AMONG_THEMSELVES: among, SONG_AMONG_ALL: cases}
