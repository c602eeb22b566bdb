"""From weighted rows of events to one entry per listener and song."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.data.dataset import MISSING_TIME, Interactions
from training.data.ids import numbers


@dataclass(frozen=True)
class Entries:
    """Distinct (user, item) pairs, sorted by user, then item, as codes into lists of ids of their own.

    user_ids, item_ids: sorted by their UTF-8 bytes; some may have no entry. users, items: int32 codes.
    weights: float32, > 0. seconds: int64, the last event, `MISSING_TIME` where unknown. by_position: `seconds` are places in a list.
    """

    user_ids: list[str]
    item_ids: list[str]
    users: NDArray[np.int32]
    items: NDArray[np.int32]
    weights: NDArray[np.float32]
    seconds: NDArray[np.int64]
    by_position: bool = False

    def __len__(self) -> int:
        return len(self.users)

    def select(self, which: NDArray[np.bool_]) -> Entries:
        """The entries where `which` (bool, one per entry) is true."""
        columns = self.users[which], self.items[which], self.weights[which], self.seconds[which]
        return Entries(self.user_ids, self.item_ids, *columns, self.by_position)

    def used_users(self) -> list[str]:
        """The ids of listeners with an entry."""
        return [self.user_ids[code] for code in _distinct(self.users).tolist()]

    def used_items(self) -> list[str]:
        """The ids of songs with an entry."""
        return [self.item_ids[code] for code in _distinct(self.items).tolist()]

    def numbered(self, user_vocabulary: NDArray[np.object_], item_vocabulary: NDArray[np.object_]) -> Interactions:
        """The entries as numbers in vocabularies that hold all used ids. Both sort alike, so the order stays."""
        users = _renumber(self.users, self.user_ids, user_vocabulary)
        items = _renumber(self.items, self.item_ids, item_vocabulary)
        order = self.seconds if bool((self.seconds != MISSING_TIME).any()) else None
        times, positions = (None, order) if self.by_position else (order, None)
        return Interactions(users, items, self.weights, times, positions)


def _distinct(codes: NDArray[np.int32]) -> NDArray[np.int64]:
    return np.flatnonzero(np.bincount(codes))


def _renumber(codes: NDArray[np.int32], ids: list[str], vocabulary: NDArray[np.object_]) -> NDArray[np.int32]:
    if len(ids) == len(vocabulary):  # they hold the same ids
        return codes
    used = _distinct(codes)
    renumbered = np.zeros(len(ids), dtype=np.int32)
    renumbered[used] = numbers([ids[code] for code in used.tolist()], vocabulary)
    return renumbered[codes]


def drop_rare(entries: Entries, min_item_events: int, min_user_events: int, name: str, counts: Counter[str]) -> Entries:
    """Drops the entries of songs with fewer listeners than the first minimum, then those of listeners with fewer songs than the second.

    Each once: a song may end below its minimum when listeners are dropped.
    """
    for codes, minimum, reason in (("items", min_item_events, "rare_song"), ("users", min_user_events, "short_history")):
        if minimum > 1 and len(entries):
            which: NDArray[np.int64] = getattr(entries, codes)
            enough = np.bincount(which)[which] >= minimum
            counts[f"{name}.dropped_{reason}"] += int((~enough).sum())
            entries = entries.select(enough)
    return entries
