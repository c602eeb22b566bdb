"""What a model is asked in an evaluation, and what it should have answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.request import Request


@dataclass(frozen=True)
class Case:
    """One held-out listener: the request with what is shown, and the distinct numbers (int32) of the songs to be found."""

    request: Request
    relevant: NDArray[np.int32]


def new_listener_cases(
    item_ids: NDArray[np.object_], shown: Sequence[NDArray[np.int32]], hidden: Sequence[NDArray[np.int32]]
) -> list[Case]:
    """Returns a case for each listener who is held out whole: the songs shown go in as seed songs, so the model has never seen him.

    Listeners without a shown or without a hidden song are left out: there is nothing to go on, or nothing to find.
    """
    pairs = zip(shown, hidden, strict=True)
    return [
        Case(Request(items=tuple(item_ids[seen].tolist())), np.unique(missing)) for seen, missing in pairs if len(seen) and len(missing)
    ]


def known_listener_cases(user_ids: NDArray[np.object_], users: NDArray[np.int32], items: NDArray[np.int32]) -> list[Case]:
    """Returns a case for each listener of a ``test`` channel, given as its entries (users, items): the model answers by the stored history.

    ``users`` must be sorted, as in a dataset.
    """
    numbers, starts = np.unique(users, return_index=True)
    groups = np.split(items, starts[1:]) if len(numbers) else []
    return [Case(Request(user_id=user_ids[user]), np.unique(songs)) for user, songs in zip(numbers.tolist(), groups, strict=True)]
