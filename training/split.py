"""What is held out, in six manners and one form.

``listener``: whole listeners; a part of their songs is shown, the rest is to be found (strong generalisation). ``random``: a random part
of a listener's songs. ``last``: a listener's last song. ``time``: everything after one moment. ``song``: songs with all their listening
(cold start). ``block``: songs that belong together, of half of the listeners. In all but the first the listeners who are asked are known
ones: the models learn from what is left of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from inference.history import History, ranks_of
from training.config import SplitConfig
from training.data.dataset import MISSING_TIME
from training.data.errors import UserDataError
from training.hold_out import HOLD_OUT, Entries, HeldOut

AUTO, LISTENER, RANDOM, TIME, LAST, SONG, BLOCK = "auto", "listener", "random", "time", "last", "song", "block"
NEEDS_TIMES = (TIME, LAST)


@dataclass(frozen=True)
class Case:
    """A listener who is asked: ``shown`` and ``hidden`` song numbers (int32, ascending). ``known``: whether the listener is asked by id,
    so that the stored history (= ``shown``) answers; if not, the request brings the songs that are shown.

    ``shown_weights``: float32, as stored; None: each weighs 1, as in a request of a new listener. ``shown_times``: int64, when each shown
    song was played, or its place in the list; ``words``: int32, what the listener is called, as numbers, and ``context`` as a request says
    it; None or empty where the data does not say.
    """

    user: int
    shown: NDArray[np.int32]
    hidden: NDArray[np.int32]
    known: bool = False
    shown_weights: NDArray[np.float32] | None = None
    shown_times: NDArray[np.int64] | None = None
    words: NDArray[np.int32] | None = None
    context: Mapping[str, str] = field(default_factory=dict)

    def history(self) -> History:
        """Returns what is shown, as the request of the case brings it."""
        weights = np.ones(len(self.shown), dtype=np.float32) if self.shown_weights is None else self.shown_weights
        return History(self.shown, weights, None if self.shown_times is None else ranks_of(self.shown_times), self.words)


@dataclass(frozen=True)
class Split:
    """``learn`` and ``relearn`` are float32 matrices (listeners × songs) of the shape of all interactions.

    ``learn``: the weights that the models are first fitted on, without what validation and test hide. ``relearn``: with validation's part
    back, what the final models are fitted on. Of listeners held out whole the rows are empty. ``songs``: the numbers (int32, ascending) of
    the songs that are held out for the test; empty but for the kind ``song``.
    """

    kind: str
    learn: csr_array
    relearn: csr_array
    validation: tuple[Case, ...]
    test: tuple[Case, ...]
    songs: NDArray[np.int32]

    def stored(self, user_items: csr_array) -> csr_array:
        """Returns the histories to store with the model: all that is known, less what known listeners are asked to have found."""
        return user_items if self.kind == LISTENER else self.relearn


def split_interactions(
    user_items: csr_array, timestamps: NDArray[np.int64] | None, config: SplitConfig, seed: int, *, hold_out_test: bool
) -> Split:
    """Holds out a part for the report and, of what is left, a part for validation, both in the manner of ``config.kind``.

    ``timestamps`` (entries of ``user_items``, in its order) are seconds or ``MISSING_TIME``; None where no event has one.
    ``hold_out_test`` is false where the user gives a test channel. The same seed and interactions give the same split. Raises
    ``UserDataError`` where the kind needs times and there are none.
    """
    has_times = timestamps is not None and bool((timestamps != MISSING_TIME).any())
    kind = (LISTENER if config.kind == AUTO else config.kind) if hold_out_test else validation_kind(config, has_times)
    if kind in NEEDS_TIMES and not has_times:
        raise UserDataError(
            f"Change split_kind ({kind} needs the times of events, and there are none): listener, random and song do without; or name the "
            "column of times (data_timestamp_column)."
        )
    rng = np.random.default_rng(seed)
    if kind == LISTENER:
        return _split_listeners(user_items, config, rng, hold_out_test=hold_out_test)
    entries = Entries.of(user_items, timestamps)
    everything = np.ones(len(entries), dtype=bool)
    nothing = HeldOut(~everything, np.empty(0, np.int64), np.empty(0, np.int32))
    test = nothing
    if hold_out_test and config.test_fraction > 0:
        test = HOLD_OUT[kind](entries, everything, nothing.songs, config.test_fraction, config.max_test_listeners, config, rng)
    left, whole = everything & ~test.hidden, replace(config, folds=1)
    validation = nothing
    if config.validation_fraction > 0:
        limit = config.max_validation_listeners
        validation = HOLD_OUT[kind](entries, left, test.songs, config.validation_fraction, limit, whole, rng)
    relearn, learn = without(user_items, test.hidden), without(user_items, test.hidden | validation.hidden)
    return Split(
        kind,
        learn,
        relearn,
        _known_cases(user_items, learn, validation),
        _known_cases(user_items, relearn, test),
        test.songs,
    )


def validation_kind(config: SplitConfig, has_times: bool) -> str:
    """Returns how validation is drawn where the user gives a test channel. Nothing tells how that was drawn; most often it is later
    listening of the same listeners, so the latest part stands for it where there are times, and blocks of songs where there are none."""
    if config.kind != AUTO:
        return config.kind
    return TIME if has_times else BLOCK


def without(user_items: csr_array, hidden: NDArray[np.bool_]) -> csr_array:
    """Returns the matrix without the entries that are ``hidden`` (in the order in which it stores them), in the same shape."""
    kept = ~hidden
    indptr = np.concatenate([[0], np.cumsum(kept)])[user_items.indptr].astype(user_items.indptr.dtype)
    rest = csr_array((user_items.data[kept], user_items.indices[kept], indptr), shape=user_items.shape)
    rest.has_canonical_format = user_items.has_canonical_format
    return rest


def _known_cases(user_items: csr_array, left: csr_array, held_out: HeldOut) -> tuple[Case, ...]:
    cases = []
    for user in held_out.users.tolist():
        span = slice(user_items.indptr[user], user_items.indptr[user + 1])
        hidden = np.sort(user_items.indices[span][held_out.hidden[span]]).astype(np.int32)
        rest = slice(left.indptr[user], left.indptr[user + 1])
        if rest.stop > rest.start and len(hidden):
            cases.append(Case(user, left.indices[rest].astype(np.int32), hidden, known=True, shown_weights=left.data[rest]))
    return tuple(cases)


def _split_listeners(user_items: csr_array, config: SplitConfig, rng: np.random.Generator, *, hold_out_test: bool) -> Split:
    """Draws the held-out listeners among those with enough songs."""
    lengths = np.diff(user_items.indptr)
    eligible = rng.permutation(np.flatnonzero(lengths >= config.min_listener_items))
    n_test = min(int(config.test_fraction * len(eligible)), config.max_test_listeners) if hold_out_test else 0
    test, rest = eligible[:n_test], eligible[n_test:]
    if config.folds > 1 and hold_out_test:
        chosen = np.arange(len(eligible)) % config.folds == config.fold
        test, rest = eligible[chosen][: config.max_test_listeners], eligible[~chosen]
    validation = rest[: min(int(config.validation_fraction * len(eligible)), config.max_validation_listeners)]
    cases = [tuple(_case(user_items, user, config.shown_fraction, rng) for user in np.sort(users).tolist()) for users in (validation, test)]
    relearn, learn = (without(user_items, _rows(user_items, users)) for users in (test, np.concatenate([test, validation])))
    return Split(LISTENER, learn, relearn, cases[0], cases[1], np.empty(0, np.int32))


def _rows(user_items: csr_array, users: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Returns which entries are in the rows of these listeners."""
    chosen = np.zeros(user_items.shape[0], dtype=bool)
    chosen[users] = True
    return np.repeat(chosen, np.diff(user_items.indptr))


def _case(user_items: csr_array, user: int, shown_fraction: float, rng: np.random.Generator) -> Case:
    songs = user_items.indices[user_items.indptr[user] : user_items.indptr[user + 1]].astype(np.int32)
    n_shown = min(max(1, round(shown_fraction * len(songs))), len(songs) - 1)
    order = rng.permutation(len(songs))
    return Case(user, np.sort(songs[order[:n_shown]]), np.sort(songs[order[n_shown:]]))
