"""Who gets the places: how even the exposure of songs and artists is. One number for all lists together. Pure functions of arrays.

``recommended`` is as in ``metrics``; ``histories`` has the songs of each listener (int32), those that the lists rest on. ``artists`` is a
csr matrix (songs × artists) whose rows sum to 1 (a song of two artists is half of each), or are empty where no artist is known.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

HEAD_SHARE = 0.8


def exposures(recommended: NDArray[np.int32], k: int, n_items: int) -> NDArray[np.float64]:
    """Returns float64 (songs,): in how many lists each song has one of the first k places."""
    songs = recommended[:, :k]
    return np.bincount(songs[songs >= 0], minlength=n_items).astype(np.float64)


def played(histories: Sequence[NDArray[np.int32]], n_items: int) -> NDArray[np.float64]:
    """Returns float64 (songs,): in how many of the histories each song is."""
    songs = np.concatenate(histories) if histories else np.empty(0, dtype=np.int32)
    return np.bincount(songs, minlength=n_items).astype(np.float64)


def gini(amounts: NDArray[np.float64]) -> float:
    """Gini index of how ``amounts`` are shared: 0 all alike, towards 1 all to one; NaN where there is nothing to share.

    ``sum_i (2i - n - 1) x_i / (n sum_i x_i)``, x ascending, i from 1: of the exposure of all songs as in Adomavicius & Kwon 2012 (there
    one minus it), whose lists are what the Gini is taken of.
    """
    total, n = float(amounts.sum()), len(amounts)
    if total <= 0:
        return float("nan")
    places = 2 * np.arange(1, n + 1) - n - 1
    return float(places @ np.sort(amounts) / (n * total))


def popularity_lift(exposure: NDArray[np.float64], history: NDArray[np.float64], item_listeners: NDArray[np.int64]) -> float:
    """By how much more popular the recommended songs are than those of the histories: ``(p(lists) - p(histories)) / p(histories)``.

    p is the mean over places of how many listeners a song has (Abdollahpouri et al., "The connection between popularity bias, calibration,
    and fairness in recommendation", RecSys 2020, with all listeners as one group). 0: no bias; 1: twice as popular. NaN without histories.
    """
    before = _mean(item_listeners, history)
    return (_mean(item_listeners, exposure) - before) / before if before > 0 else float("nan")


def artists_of_the_tail(item_listeners: NDArray[np.int64], artists: csr_array) -> NDArray[np.bool_]:
    """Returns bool (artists,): who is outside the head, the fewest artists that have 80 % of all listening."""
    listening = item_listeners @ artists
    order = np.argsort(-listening, kind="stable")
    before = np.cumsum(listening[order]) - listening[order]
    tail = np.empty(len(order), dtype=bool)
    tail[order] = before >= HEAD_SHARE * listening.sum()
    return tail


def tail_ratio(exposure: NDArray[np.float64], history: NDArray[np.float64], artists: csr_array, tail: NDArray[np.bool_]) -> float:
    """Share of the places that go to artists of the tail, relative to their share in the histories: 1 is in proportion, below 1 they get
    less than listeners give them. Songs without an artist are left out. NaN where the histories have no artist of the tail."""
    given, heard = ((amounts @ artists) for amounts in (exposure, history))
    if not given.sum() > 0 or not heard[tail].sum() > 0:
        return float("nan")
    return float((given[tail].sum() / given.sum()) / (heard[tail].sum() / heard.sum()))


def _mean(values: NDArray[np.int64], amounts: NDArray[np.float64]) -> float:
    total = float(amounts.sum())
    return float(values @ amounts) / total if total > 0 else float("nan")
