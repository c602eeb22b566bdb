"""Who is held out: whole listeners, a part of whose songs is shown and the rest to be found."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from inference.history import History, ranks_of
from training.config import SplitConfig


@dataclass(frozen=True)
class Case:
    """A held-out listener: ``shown`` and ``hidden`` song numbers (int32, ascending).

    ``shown_times``: int64, when each shown song was played, or its place in the list; ``words``: int32, what the listener is called; both
    None where the data does not say.
    """

    user: int
    shown: np.ndarray
    hidden: np.ndarray
    shown_times: np.ndarray | None = None
    words: np.ndarray | None = None

    def history(self) -> History:
        """Returns what is shown, as a request by a new listener would bring it: each song weighs 1."""
        ones = np.ones(len(self.shown), dtype=np.float32)
        return History(self.shown, ones, None if self.shown_times is None else ranks_of(self.shown_times), self.words)


@dataclass(frozen=True)
class Split:
    """``train``: bool (listeners,), whom the models learn from; the listeners of ``validation`` and ``test`` are in neither other part."""

    train: np.ndarray
    validation: tuple[Case, ...]
    test: tuple[Case, ...]


def split_listeners(user_items: csr_array, config: SplitConfig, seed: int, *, hold_out_test: bool) -> Split:
    """Draws the held-out listeners among those with enough songs. ``hold_out_test`` is false where the user gives a test channel."""
    rng = np.random.default_rng(seed)
    lengths = np.diff(user_items.indptr)
    eligible = rng.permutation(np.flatnonzero(lengths >= config.min_listener_items))
    n_test = min(int(config.test_fraction * len(eligible)), config.max_test_listeners) if hold_out_test else 0
    n_validation = min(int(config.validation_fraction * len(eligible)), config.max_validation_listeners)
    test, validation = eligible[:n_test], eligible[n_test : n_test + n_validation]
    train = lengths > 0
    train[test] = False
    train[validation] = False
    cases = [tuple(_case(user_items, user, config.shown_fraction, rng) for user in np.sort(users).tolist()) for users in (validation, test)]
    return Split(train, cases[0], cases[1])


def _case(user_items: csr_array, user: int, shown_fraction: float, rng: np.random.Generator) -> Case:
    songs = user_items.indices[user_items.indptr[user] : user_items.indptr[user + 1]].astype(np.int32)
    n_shown = min(max(1, round(shown_fraction * len(songs))), len(songs) - 1)
    order = rng.permutation(len(songs))
    return Case(user, np.sort(songs[order[:n_shown]]), np.sort(songs[order[n_shown:]]))
