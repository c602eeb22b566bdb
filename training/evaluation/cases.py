"""What a model is asked in an evaluation, and what it should have answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from inference.request import Event, Request
from training.data.dataset import MISSING_TIME


@dataclass(frozen=True)
class Case:
    """One held-out listener: the request with what is shown, and the distinct numbers (int32) of the songs to be found."""

    request: Request
    relevant: NDArray[np.int32]


def new_listener_cases(
    item_ids: NDArray[np.object_],
    shown: Sequence[NDArray[np.int32]],
    hidden: Sequence[NDArray[np.int32]],
    times: Sequence[NDArray[np.int64] | None] | None = None,
    contexts: Sequence[Mapping[str, str]] | None = None,
    in_seconds: bool = True,
) -> list[Case]:
    """Returns a case for each listener who is held out whole: the songs shown go in as seed songs, so the model has never seen him.

    ``times``: when each shown song was played; then they go in as events, or, where the times are places in a list (not ``in_seconds``), as
    seeds in that order. ``contexts``: what each listener is called. Listeners without a shown or without a hidden song are left out: there
    is nothing to go on, or nothing to find.
    """
    nothing: list[None] = [None] * len(shown)
    rows = zip(shown, hidden, times or nothing, contexts or nothing, strict=True)
    return [
        Case(replace(_shown(item_ids, seen, when, in_seconds), context=context or {}), np.unique(missing))
        for seen, missing, when, context in rows
        if len(seen) and len(missing)
    ]


def _shown(item_ids: NDArray[np.object_], seen: NDArray[np.int32], when: NDArray[np.int64] | None, in_seconds: bool) -> Request:
    if when is None:
        return Request(items=tuple(item_ids[seen].tolist()), ordered=False)
    order = np.argsort(when, kind="stable")
    ids = item_ids[seen[order]].tolist()
    if not in_seconds:
        return Request(items=tuple(ids))
    times = [None if time == MISSING_TIME else float(time) for time in when[order].tolist()]
    return Request(events=tuple(Event(id_, timestamp=time) for id_, time in zip(ids, times, strict=True)))


def known_listener_cases(user_ids: NDArray[np.object_], users: NDArray[np.int32], items: NDArray[np.int32]) -> list[Case]:
    """Returns a case for each listener of a ``test`` channel, given as its entries (users, items): the model answers by the stored history.

    ``users`` must be sorted, as in a dataset.
    """
    numbers, starts = np.unique(users, return_index=True)
    groups = np.split(items, starts[1:]) if len(numbers) else []
    return [Case(Request(user_id=user_ids[user]), np.unique(songs)) for user, songs in zip(numbers.tolist(), groups, strict=True)]
