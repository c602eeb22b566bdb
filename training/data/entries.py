"""From weighted rows of events to one entry per listener and song."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.history import EventWeighting
from training.data.channel import Columns
from training.data.dataset import MISSING_TIME, Interactions
from training.data.ids import numbers
from training.data.times import to_seconds
from training.data.values import encode


@dataclass(frozen=True)
class Entries:
    """Distinct (user, item) pairs, sorted by user, then item, as codes into lists of ids of their own.

    user_ids, item_ids: sorted by their UTF-8 bytes; some may have no entry. users, items: int64 codes.
    weights: float64, > 0. seconds: int64, the last event, `MISSING_TIME` where unknown.
    """

    user_ids: list[str]
    item_ids: list[str]
    users: NDArray[np.int64]
    items: NDArray[np.int64]
    weights: NDArray[np.float64]
    seconds: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.users)

    def select(self, which: NDArray[np.bool_]) -> "Entries":
        """The entries where `which` (bool, one per entry) is true."""
        return Entries(self.user_ids, self.item_ids, self.users[which], self.items[which], self.weights[which], self.seconds[which])

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
        has_times = bool((self.seconds != MISSING_TIME).any())
        return Interactions(users, items, self.weights.astype(np.float32), self.seconds if has_times else None)


def _distinct(codes: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.flatnonzero(np.bincount(codes))


def _renumber(codes: NDArray[np.int64], ids: list[str], vocabulary: NDArray[np.object_]) -> NDArray[np.int32]:
    used = _distinct(codes)
    renumbered = np.zeros(len(ids), dtype=np.int32)
    renumbered[used] = numbers([ids[code] for code in used.tolist()], vocabulary)
    return renumbered[codes]


def combine(columns: Columns, weights: NDArray[np.float64], weighting: str, name: str, counts: Counter[str]) -> Entries:
    """Sums the rows (those with a weight other than 0 and both ids) of each pair and scales the sum as `weighting` says.

    Pairs whose weights do not sum to more than 0 are dropped. `name` is the channel, under which everything is counted.
    """
    user_ids, users = encode(columns["user"])
    item_ids, items = encode(columns["item"])
    seconds = _times(columns, name, counts)
    counted = weights != 0
    has_ids = (users >= 0) & (items >= 0)
    counts[f"{name}.dropped_missing_id"] += int((counted & ~has_ids).sum())
    rows = np.flatnonzero(counted & has_ids)
    if not len(rows):
        return Entries(user_ids, item_ids, rows, rows, np.empty(0), rows)
    users, items, weights, seconds = users[rows], items[rows], weights[rows], seconds[rows]

    pairs = users * len(item_ids) + items
    # The rows of a pair are summed in the order of their weights, so that the order of rows cannot change the last bit.
    order = np.lexsort((weights, pairs)) if np.ptp(weights) else np.argsort(pairs, kind="stable")
    starts = np.flatnonzero(np.diff(pairs[order], prepend=-1))
    sums = np.add.reduceat(weights[order], starts)
    last = np.maximum.reduceat(seconds[order], starts)
    counts[f"{name}.rows_merged"] += len(rows) - len(starts)

    firsts = order[starts]
    merged = Entries(user_ids, item_ids, users[firsts], items[firsts], sums, last)
    counts[f"{name}.dropped_weight_not_positive"] += int((sums <= 0).sum())
    positive = merged.select(sums > 0)
    return Entries(
        user_ids,
        item_ids,
        positive.users,
        positive.items,
        EventWeighting(weighting).transform(positive.weights).astype(np.float64),
        positive.seconds,
    )


def _times(columns: Columns, name: str, counts: Counter[str]) -> NDArray[np.int64]:
    if "timestamp" not in columns:
        return np.full(len(columns["user"]), MISSING_TIME)
    seconds, unparsed = to_seconds(columns["timestamp"])
    counts[f"{name}.timestamps_unparsed"] += unparsed
    return seconds


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
