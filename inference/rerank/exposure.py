"""What the listening of everybody says of a song: how little known it is, and whether its artists are small."""

from __future__ import annotations

import numpy as np


def novelties(listeners: np.ndarray, n_listeners: int) -> np.ndarray:
    """Returns float64 (songs,): ``-log2(share of listeners who played the song)`` over the most that can be, ``log2(listeners)``; so 0 for
    a song that everybody played, 1 for one that one listener played, or nobody."""
    everybody = max(n_listeners, int(listeners.max(initial=0)), 2)
    bits: np.ndarray = 1.0 - np.log2(np.maximum(listeners, 1)) / np.log2(everybody)
    return bits


def small_artists(indptr: np.ndarray, artists: np.ndarray, n_artists: int, listeners: np.ndarray, head_share: float) -> np.ndarray:
    """Returns float64 (songs,): the share of a song's artists that are small; 0 for a song without artists.

    An artist's listening is the sum of the listeners of its songs. The head are the most listened to, as few as have ``head_share`` of
    all listening together; the others are small.
    """
    songs = np.repeat(np.arange(len(listeners)), np.diff(indptr))
    listening = np.bincount(artists, weights=listeners[songs], minlength=n_artists)
    order = np.argsort(-listening, kind="stable")
    before = np.concatenate([[0.0], np.cumsum(listening[order])[:-1]]) if n_artists else np.empty(0)
    small = np.zeros(n_artists)
    small[order[before >= head_share * listening.sum()]] = 1.0
    sums = np.bincount(songs, weights=small[artists], minlength=len(listeners))
    return sums / np.maximum(np.diff(indptr), 1)
