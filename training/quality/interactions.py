"""Describes who listened to what: how full the matrix is, how long the histories are, how the listening is spread over songs and time."""

from __future__ import annotations

from typing import Any

import numpy as np

from training.data.dataset import Dataset, Interactions
from training.quality.concentration import concentration
from training.quality.distribution import describe, share, spread
from training.quality.event_times import describe_times
from training.quality.wording import clean

MOST_PLAYED = 10


def describe_interactions(dataset: Dataset, interactions: Interactions | None = None) -> dict[str, Any] | None:
    """Describes the entries (one per listener and song), None if there is none. ``interactions``: others than the dataset's own.

    ``entries``; ``listeners``, ``songs``: with an entry; ``listeners_without_entries``; ``density`` = entries / (listeners x songs),
    ``sparsity`` = 1 - density; ``songs_per_listener``, ``listeners_per_song``: see ``spread``; ``popularity``: see ``concentration``;
    ``most_played``: songs with most listeners; ``weights``: see ``describe``; ``times``: see ``describe_times``, or None;
    ``catalogue``: what only one side knows, None without a catalogue.
    """
    entries = dataset.interactions if interactions is None else interactions
    if not len(entries):
        return None
    songs_of = np.bincount(entries.users, minlength=dataset.n_users)
    listeners_of = np.bincount(entries.items, minlength=dataset.n_items)
    listeners, songs = int(np.count_nonzero(songs_of)), int(np.count_nonzero(listeners_of))
    density = share(len(entries), listeners * songs)
    return {
        "entries": len(entries),
        "listeners": listeners,
        "songs": songs,
        "listeners_without_entries": dataset.n_users - listeners,
        "density": density,
        "sparsity": share(listeners * songs - len(entries), listeners * songs),
        "songs_per_listener": spread(songs_of),
        "listeners_per_song": spread(listeners_of),
        "popularity": concentration(listeners_of[listeners_of > 0]),
        "most_played": _most_played(dataset, listeners_of, listeners),
        "weights": describe(entries.weights),
        "times": describe_times(entries.timestamps),
        "catalogue": _against_catalogue(dataset, entries, listeners_of),
    }


def _most_played(dataset: Dataset, listeners_of: np.ndarray, listeners: int) -> list[dict[str, Any]]:
    n = min(MOST_PLAYED, len(listeners_of))
    most = np.flatnonzero(listeners_of >= max(1, np.partition(listeners_of, -n)[-n]))
    order = most[np.argsort(-listeners_of[most], kind="stable")][:n].tolist()
    catalogue = dataset.catalogue
    return [
        {
            "id": clean(dataset.item_ids[song]),
            "title": clean(catalogue.titles[song]) if catalogue is not None else "",
            "artist": clean(catalogue.artist_texts[song]) if catalogue is not None else "",
            "listeners": int(listeners_of[song]),
            "share_of_listeners": share(int(listeners_of[song]), listeners),
        }
        for song in order
    ]


def _against_catalogue(dataset: Dataset, entries: Interactions, listeners_of: np.ndarray) -> dict[str, Any] | None:
    """``orphan_songs``, ``orphan_entries``: played, but not in the catalogue; ``cold_songs``: in it, but played by nobody."""
    if dataset.catalogue is None:
        return None
    known, played = dataset.catalogue.known, listeners_of > 0
    orphan_songs, orphan_entries = int((played & ~known).sum()), int(listeners_of[~known].sum())
    cold, songs = int((known & ~played).sum()), int(known.sum())
    return {
        "orphan_songs": orphan_songs,
        "orphan_songs_share": share(orphan_songs, int(played.sum())),
        "orphan_entries": orphan_entries,
        "orphan_entries_share": share(orphan_entries, len(entries)),
        "cold_songs": cold,
        "cold_songs_share": share(cold, songs),
    }
