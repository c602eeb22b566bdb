"""Blocks: songs that belong together, of half of the listeners, are hidden."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_array

from training.config import SplitConfig
from training.hold_out import Entries, HeldOut, hide_blocks, hide_random

HALF, EACH = 20, 8  # songs of one cluster, and how many a listener has of a cluster
BOTH, USERS = 40, 240  # the listeners with songs of both clusters come first
CONFIG = SplitConfig()


def two_tastes(seed: int = 0) -> csr_array:
    """Most listeners know one cluster only, which makes its songs belong together; ``BOTH`` have songs of both."""
    rng = np.random.default_rng(seed)
    played = np.zeros((USERS, 2 * HALF), dtype=np.float32)
    for user in range(USERS):
        clusters = (0, 1) if user < BOTH else (user % 2,)
        for cluster in clusters:
            played[user, cluster * HALF + rng.choice(HALF, EACH, replace=False)] = 1
    return csr_array(played)


def drawn(played: csr_array, fraction: float = 0.5, seed: int = 4, limit: int = 10**6, config: SplitConfig = CONFIG) -> HeldOut:
    entries = Entries.of(played, None)
    everything = np.ones(len(entries), dtype=bool)
    return hide_blocks(entries, everything, np.empty(0, np.int32), fraction, limit, config, np.random.default_rng(seed))


def hidden_of(played: csr_array, held_out: HeldOut, user: int) -> np.ndarray:
    span = slice(played.indptr[user], played.indptr[user + 1])
    return played.indices[span][held_out.hidden[span]]


def purity(songs: np.ndarray) -> float:
    """The share of the songs that are of the more frequent cluster: 1, where all are of one."""
    share = float((songs < HALF).mean())
    return max(share, 1 - share)


def test_what_is_hidden_of_half_of_the_listeners_belongs_together_and_of_the_others_is_a_random_part() -> None:
    played = two_tastes()
    held_out = drawn(played)
    both = [user for user in held_out.users.tolist() if user < BOTH]
    pure = [user for user in both if purity(hidden_of(played, held_out, user)) == 1]
    # Eight of sixteen songs drawn at random are of one cluster once in 6435 times.
    assert 0.3 < len(pure) / len(both) < 0.7
    others = [purity(hidden_of(played, held_out, user)) for user in both if user not in pure]
    assert np.mean(others) < 0.8


@pytest.mark.parametrize("fraction", [0.0, 0.1, 0.5, 0.95])
@pytest.mark.parametrize("limit", [7, 10**6])
def test_as_many_songs_of_the_same_listeners_are_hidden_as_of_a_random_part(fraction: float, limit: int) -> None:
    played = two_tastes()
    entries = Entries.of(played, None)
    everything = np.ones(len(entries), dtype=bool)
    rng = np.random.default_rng(4)
    random = hide_random(entries, everything, np.empty(0, np.int32), fraction, limit, CONFIG, rng)
    blocks = drawn(played, fraction, limit=limit)
    assert blocks.users.tolist() == random.users.tolist()
    sizes = [np.bincount(entries.users[one.hidden], minlength=USERS) for one in (blocks, random)]
    assert sizes[0].tolist() == sizes[1].tolist()
    assert sizes[0][blocks.users].min() >= 1


def test_the_same_seed_draws_the_same_blocks_and_another_others() -> None:
    first, again, other = (drawn(two_tastes(), seed=seed).hidden for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()


def test_what_is_hidden_already_is_neither_hidden_again_nor_shown() -> None:
    played = two_tastes()
    entries = Entries.of(played, None)
    left = np.random.default_rng(9).random(len(entries)) < 0.7
    held_out = hide_blocks(entries, left, np.empty(0, np.int32), 0.5, 10**6, CONFIG, np.random.default_rng(0))
    assert held_out.hidden.any()
    assert not (held_out.hidden & ~left).any()
    remaining = np.bincount(entries.users[left & ~held_out.hidden], minlength=USERS)
    assert remaining[held_out.users].min() >= 1


def test_who_has_too_few_songs_is_not_asked() -> None:
    assert drawn(two_tastes(), config=replace(CONFIG, min_listener_items=EACH + 1)).users.max() < BOTH
