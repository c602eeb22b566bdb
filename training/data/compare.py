"""Compares channels with each other: what only one side knows, and a test channel that no model can answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

import numpy as np

from training.data.entries import Entries
from training.data.errors import UserDataError


def compare_songs(events: Entries, song_ids: list[str], counts: Counter[str]) -> None:
    """Counts the songs that only one side knows; if no song is on both, the ids of one side are not those of the other."""
    played = events.used_items()
    unknown = set(played).difference(song_ids)
    if song_ids and len(unknown) == len(played):
        raise UserDataError(
            f'none of the {len(played)} songs in the interactions is in the catalogue: the interactions have ids like "{played[0]}", '
            f'the catalogue like "{song_ids[0]}"; name the column that both share with data_item_column'
        )
    counts["interactions.songs_not_in_catalogue"] += len(unknown)
    counts["items.songs_without_events"] += len(song_ids) - (len(played) - len(unknown))


def compare_test(events: Entries, test: Entries, counts: Counter[str]) -> None:
    """Counts what no model can find: songs that a listener has in both channels (what is known is not recommended), and the unknown.

    Raises ``UserDataError`` if nothing is left to be found.
    """
    listeners, songs = _places(test.user_ids, events.user_ids, events.users), _places(test.item_ids, events.item_ids, events.items)
    users, items = listeners[test.users], songs[test.items]
    both = (users >= 0) & (items >= 0)
    width = max(len(events.item_ids), 1)
    known = np.isin(users[both] * width + items[both], events.users.astype(np.int64) * width + events.items)
    counts["test.entries_also_in_interactions"] += int(known.sum())
    counts["test.entries_of_unknown_listeners"] += int((users < 0).sum())
    counts["test.entries_of_songs_without_events"] += int((items < 0).sum())
    for kind, why in (
        ("entries_also_in_interactions", "is in the channel interactions, too, and what a listener has played is not recommended again"),
        ("entries_of_unknown_listeners", "is of a listener of the channel interactions"),
    ):
        if counts[f"test.{kind}"] == len(test):
            word = "every one" if kind.endswith("interactions") else "none"
            raise UserDataError(f"channel test: {word} of its {len(test)} events {why}; give it events that were held out of interactions")


def _places(ids: Collection[str], others: Collection[str], used: np.ndarray) -> np.ndarray:
    """For each id its place among the others that have an entry, -1 if it is not there."""
    used_places = set(np.unique(used).tolist())
    place = {one: number for number, one in enumerate(others) if number in used_places}
    return np.fromiter((place.get(one, -1) for one in ids), dtype=np.int64, count=len(ids))
