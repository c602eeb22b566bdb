"""Which entries of known listeners are hidden: a random part, the last one, all after a moment, or all of some songs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from training.config import SplitConfig
from training.data.dataset import MISSING_TIME

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Entries:
    """The entries of a matrix (listeners × songs), sorted by listener: ``users``, ``songs`` int64, ``times`` int64 or None, each
    (entries,); ``lengths`` (listeners,) how many songs a listener has in all."""

    users: NDArray[np.int64]
    songs: NDArray[np.int64]
    times: NDArray[np.int64] | None
    lengths: NDArray[np.int64]
    n_songs: int

    @classmethod
    def of(cls, user_items: csr_array, timestamps: NDArray[np.int64] | None) -> Self:
        lengths = np.diff(user_items.indptr).astype(np.int64)
        users = np.repeat(np.arange(len(lengths), dtype=np.int64), lengths)
        return cls(users, user_items.indices.astype(np.int64), timestamps, lengths, user_items.shape[1])

    def __len__(self) -> int:
        return len(self.users)


@dataclass(frozen=True)
class HeldOut:
    """``hidden`` (entries,): what nothing may learn from. ``users`` (int64, ascending): the listeners to be asked, some of those who have
    hidden entries. ``songs`` (int32, ascending): the songs that are held out, where it is songs."""

    hidden: Mask
    users: NDArray[np.int64]
    songs: NDArray[np.int32]


NO_SONGS = np.empty(0, dtype=np.int32)
# (entries, which of them are still there, songs that are held out already, fraction, most listeners to ask, settings, rng)
Draw = Callable[[Entries, Mask, NDArray[np.int32], float, int, SplitConfig, np.random.Generator], HeldOut]


def hide_random(
    entries: Entries,
    left: Mask,
    taken: NDArray[np.int32],
    fraction: float,
    limit: int,
    config: SplitConfig,
    rng: np.random.Generator,
) -> HeldOut:
    """Hides ``fraction`` of the songs of each listener who is asked, at least one and never all; fold f of n: each n-th of them."""
    keys = rng.random(len(entries))
    users = _some(_eligible(entries, left, config), limit, rng)
    place, counts = _places(entries, left, keys)
    if config.folds > 1:
        chosen = (place % config.folds == config.fold) & (counts[entries.users] >= config.folds)
    else:
        n_hidden = np.clip(np.rint(fraction * counts), 1, np.maximum(counts - 1, 1))
        chosen = place < n_hidden[entries.users]
    return HeldOut(left & chosen & _of(entries, users), users, NO_SONGS)


def hide_last(
    entries: Entries,
    left: Mask,
    taken: NDArray[np.int32],
    fraction: float,
    limit: int,
    config: SplitConfig,
    rng: np.random.Generator,
) -> HeldOut:
    """Hides the last song of each listener who is asked (leave-last-out); of two at the same second, that of the larger number.

    Who has no times is not asked. What others played later stays to be learned from: only ``time`` keeps the future out.
    """
    assert entries.times is not None
    place, counts = _places(entries, left, entries.times)
    last = left & (place == counts[entries.users] - 1) & (entries.times != MISSING_TIME)
    timed = np.zeros(len(entries.lengths), dtype=bool)
    timed[entries.users[last]] = True
    users = _some(_eligible(entries, left, config) & timed, limit, rng)
    return HeldOut(last & _of(entries, users), users, NO_SONGS)


def hide_after(
    entries: Entries,
    left: Mask,
    taken: NDArray[np.int32],
    fraction: float,
    limit: int,
    config: SplitConfig,
    rng: np.random.Generator,
) -> HeldOut:
    """Hides everything after one moment: the last ``fraction`` of the entries that have a time, or less where many fall on one second.

    Who has nothing before that moment is not asked: there would be nothing to show. Entries without a time are before it.
    """
    assert entries.times is not None
    times = np.sort(entries.times[left & (entries.times != MISSING_TIME)])
    n_hidden = min(int(fraction * len(times)), len(times) - 1)
    if n_hidden < 1:
        return HeldOut(np.zeros(len(entries), dtype=bool), np.empty(0, np.int64), NO_SONGS)
    hidden = left & (entries.times > times[len(times) - n_hidden - 1])
    return HeldOut(hidden, _some(_askable(entries, left, hidden, config), limit, rng), NO_SONGS)


def hide_songs(
    entries: Entries,
    left: Mask,
    taken: NDArray[np.int32],
    fraction: float,
    limit: int,
    config: SplitConfig,
    rng: np.random.Generator,
) -> HeldOut:
    """Hides ``fraction`` of the songs that enough listeners have played, with all their entries but ``song_events`` of each.

    With one seed the songs are the same for every ``song_events``, and what fewer keep is part of what more keep.
    """
    keys = rng.random(len(entries))
    played = np.bincount(entries.songs[left], minlength=entries.n_songs) >= config.min_song_listeners
    played[taken] = False
    order = rng.permutation(np.flatnonzero(played))
    n = max(1, int(fraction * len(order))) if len(order) else 0
    songs = order[config.fold :: config.folds] if config.folds > 1 else order[:n]
    of_songs = np.zeros(entries.n_songs, dtype=bool)
    of_songs[songs] = True
    hidden = left & of_songs[entries.songs]
    if config.song_events:
        hidden &= _places_of(entries.songs, left, keys)[0] >= config.song_events
    users = _some(_askable(entries, left, hidden, config), limit, rng)
    return HeldOut(hidden, users, np.sort(songs).astype(np.int32))


def hide_blocks(
    entries: Entries,
    left: Mask,
    taken: NDArray[np.int32],
    fraction: float,
    limit: int,
    config: SplitConfig,
    rng: np.random.Generator,
) -> HeldOut:
    """Hides, of half of the listeners who are asked, songs that belong together, and of the other half a random part.

    What somebody plays next year is less like what he played than a random part of it is. Where no times tell the two apart, a block of
    songs that were played by the same others (by cosine, around a random one) stands in for the future: blocked cross-validation, Roberts
    et al., "Cross-validation strategies for data with temporal, spatial, hierarchical, or phylogenetic structure", Ecography 2017.
    """
    hidden = hide_random(entries, left, taken, fraction, limit, replace(config, folds=1), rng)
    mask, users = hidden.hidden.copy(), hidden.users
    shape = (len(entries.lengths), entries.n_songs)
    played = csr_array((np.ones(int(left.sum()), dtype=np.float32), (entries.users[left], entries.songs[left])), shape=shape).tocsc()
    root = np.sqrt(np.maximum(np.diff(played.indptr), 1))
    starts = np.concatenate([[0], np.cumsum(entries.lengths)])
    for user in rng.permutation(users)[: len(users) // 2].tolist():
        places = np.flatnonzero(left[starts[user] : starts[user + 1]]) + starts[user]
        songs, n_hidden = entries.songs[places], int(mask[places].sum())
        seed = int(rng.integers(len(songs)))
        common = (played[:, songs].T @ played[:, [int(songs[seed])]]).toarray().ravel() / root[songs]
        common[seed] = np.inf
        mask[places] = False
        mask[places[np.argsort(-common, kind="stable")[:n_hidden]]] = True
    return HeldOut(mask, users, NO_SONGS)


HOLD_OUT: dict[str, Draw] = {
    **{"random": hide_random, "last": hide_last, "time": hide_after, "song": hide_songs},
    "block": hide_blocks,
}


def _eligible(entries: Entries, left: Mask, config: SplitConfig) -> Mask:
    """Returns (listeners,): who has enough songs, and at least two left, so that one can be shown and one hidden."""
    remaining = np.bincount(entries.users[left], minlength=len(entries.lengths))
    return (entries.lengths >= config.min_listener_items) & (remaining >= 2)


def _askable(entries: Entries, left: Mask, hidden: Mask, config: SplitConfig) -> Mask:
    """Returns (listeners,): who has enough songs in all, something hidden, and something to be shown."""
    n_hidden, n_shown = (np.bincount(entries.users[mask], minlength=len(entries.lengths)) for mask in (hidden, left & ~hidden))
    return (entries.lengths >= config.min_listener_items) & (n_hidden > 0) & (n_shown > 0)


def _some(eligible: Mask, limit: int, rng: np.random.Generator) -> NDArray[np.int64]:
    return np.sort(rng.permutation(np.flatnonzero(eligible))[:limit])


def _of(entries: Entries, users: NDArray[np.int64]) -> Mask:
    chosen = np.zeros(len(entries.lengths), dtype=bool)
    chosen[users] = True
    return np.asarray(chosen[entries.users])


def _places(entries: Entries, left: Mask, keys: NDArray[np.generic]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    return _places_of(entries.users, left, keys, len(entries.lengths))


def _places_of(
    groups: NDArray[np.int64], left: Mask, keys: NDArray[np.generic], n_groups: int = 0
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Returns the place (entries,) of each entry that is left in its group by ascending key, the earlier entry first at equal keys, and
    the size (groups,) of each group. The place of an entry that is not left is -1."""
    chosen = np.flatnonzero(left)
    order = chosen[np.lexsort((keys[chosen], groups[chosen]))]
    counts = np.bincount(groups[chosen], minlength=n_groups)
    starts = np.concatenate([[0], np.cumsum(counts)])
    places = np.full(len(groups), -1, dtype=np.int64)
    places[order] = np.arange(len(order)) - starts[groups[order]]
    return places, counts
