"""What a model is asked in an evaluation, and what it should have answered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from inference.request import Event, Request
from training import split
from training.data.dataset import MISSING_TIME
from training.progress import track

HOLDOUT, TEST = "holdout", "test"
SONG_AMONG_THEMSELVES, SONG_AMONG_ALL = "song_among_themselves", "song_among_all"


@dataclass(frozen=True)
class Case:
    """One held-out listener: the request with what is shown, the distinct numbers (int32) of the songs to be found, and of the songs that
    the answer rests on, shown or stored. ``user`` is the number of a listener whom the model knows, else -1."""

    request: Request
    relevant: NDArray[np.int32]
    history: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, dtype=np.int32))
    user: int = -1


class Ranker(Protocol):
    """What evaluation asks: the inference room's ``Recommender``."""

    def rank(self, request: Request) -> NDArray[Any]:
        """Returns song numbers, best first, at most ``request.num_recommendations``."""


@runtime_checkable
class RankerOfMany(Protocol):
    """A ranker that is faster for many requests than for one after the other."""

    def rank_each(self, requests: Sequence[Request]) -> Iterator[NDArray[Any]]:
        """Yields what ``rank`` returns for each request, in order."""


def ask(name: str, ranker: Ranker, cases: Sequence[Case], length: int, *, quiet: bool = False) -> NDArray[np.int32]:
    """Asks for ``length`` songs in each case. Returns int32 (cases, length), best first, padded with -1."""
    recommended = np.full((len(cases), length), -1, dtype=np.int32)
    requests = [replace(case.request, num_recommendations=length) for case in cases]
    lists = ranker.rank_each(requests) if isinstance(ranker, RankerOfMany) else map(ranker.rank, requests)
    for row, numbers in enumerate(lists if quiet else track(lists, len(cases), f"evaluate {name}")):
        recommended[row, : len(numbers)] = numbers
    return recommended


def known_listener_cases(
    user_ids: NDArray[np.object_], users: NDArray[np.int32], items: NDArray[np.int32], stored: csr_array
) -> list[Case]:
    """Returns a case for each listener of a ``test`` channel, given as its entries (users, items): the model answers by the stored history.

    ``users`` must be sorted, as in a dataset. ``stored`` (listeners × songs): the histories that are stored.
    """
    numbers, starts = np.unique(users, return_index=True)
    groups = np.split(items, starts[1:]) if len(numbers) else []
    histories = [stored.indices[stored.indptr[user] : stored.indptr[user + 1]].astype(np.int32) for user in numbers.tolist()]
    return [
        Case(Request(user_id=user_ids[user]), np.unique(songs), history, user)
        for user, songs, history in zip(numbers.tolist(), groups, histories, strict=True)
    ]


def split_cases(
    parts: split.Split, item_ids: NDArray[np.object_], user_ids: NDArray[np.object_], *, in_seconds: bool = True
) -> dict[str, list[Case]]:
    """Returns the cases of a split's test by source; sources without a case are left out.

    ``holdout``: listeners who were held out whole are asked as new ones, all others by id. Of the kind ``song`` there are two: the songs
    held out ranked among themselves (``song_among_themselves``: is the right one of the new songs found?), and among all songs
    (``song_among_all``: does a new song get past those that everybody knows?). ``in_seconds``: what is shown has times, not places in a
    list.
    """
    cases = [
        Case(_request(case, item_ids, user_ids, in_seconds), case.hidden, case.shown, user=case.user if case.known else -1)
        for case in parts.test
    ]
    if not cases:
        return {}
    if parts.kind != split.SONG:
        return {HOLDOUT: cases}
    songs = tuple(item_ids[parts.songs].tolist())
    among = [replace(case, request=replace(case.request, candidates=songs, exclude_seen=True)) for case in cases]
    return {SONG_AMONG_THEMSELVES: among, SONG_AMONG_ALL: cases}


def _request(case: split.Case, item_ids: NDArray[np.object_], user_ids: NDArray[np.object_], in_seconds: bool) -> Request:
    if case.known:
        return Request(user_id=user_ids[case.user])
    return replace(_shown(item_ids, case.shown, case.shown_times, in_seconds), context=case.context)


def _shown(item_ids: NDArray[np.object_], seen: NDArray[np.int32], when: NDArray[np.int64] | None, in_seconds: bool) -> Request:
    """Events where there are times, seeds in their order where there are places in a list, seeds without one elsewhere."""
    if when is None:
        return Request(items=tuple(item_ids[seen].tolist()), ordered=False)
    order = np.argsort(when, kind="stable")
    ids = item_ids[seen[order]].tolist()
    if not in_seconds:
        return Request(items=tuple(ids))
    times = [None if time == MISSING_TIME else float(time) for time in when[order].tolist()]
    return Request(events=tuple(Event(id_, timestamp=time) for id_, time in zip(ids, times, strict=True)))
