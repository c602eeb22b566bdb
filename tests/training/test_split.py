"""Who is held out."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array, random_array

from training.config import SplitConfig
from training.split import split_listeners


def matrix(users: int, seed: int = 0) -> csr_array:
    return csr_array(random_array((users, 40), density=0.2, rng=np.random.default_rng(seed), format="csr"))


@given(users=st.integers(1, 120), seed=st.integers(0, 5), fraction=st.sampled_from([0.0, 0.1, 0.4]))
@settings(deadline=None)
def test_nobody_is_in_two_parts_and_each_held_out_song_is_shown_or_hidden(users: int, seed: int, fraction: float) -> None:
    played = matrix(users, seed)
    split = split_listeners(played, SplitConfig(test_fraction=fraction, validation_fraction=fraction), seed, hold_out_test=True)
    held_out = [case.user for case in (*split.validation, *split.test)]
    assert len(held_out) == len(set(held_out))
    assert not split.train[held_out].any()
    for case in (*split.validation, *split.test):
        songs = played.indices[played.indptr[case.user] : played.indptr[case.user + 1]]
        assert len(songs) >= 5
        assert len(case.shown)
        assert len(case.hidden)
        assert sorted([*case.shown, *case.hidden]) == sorted(songs)


def test_the_same_seed_gives_the_same_split_and_another_another() -> None:
    first, second, third = (split_listeners(matrix(100), SplitConfig(), seed, hold_out_test=True) for seed in (1, 1, 2))
    assert [c.user for c in first.test] == [c.user for c in second.test]
    assert all((a.shown == b.shown).all() for a, b in zip(first.test, second.test, strict=True))
    assert [c.user for c in first.test] != [c.user for c in third.test]


def test_no_more_listeners_are_held_out_than_allowed_and_none_for_the_report_where_a_test_channel_is_given() -> None:
    config = SplitConfig(max_test_listeners=3, max_validation_listeners=2)
    split = split_listeners(matrix(100), config, 0, hold_out_test=True)
    assert (len(split.test), len(split.validation)) == (3, 2)
    assert split_listeners(matrix(100), config, 0, hold_out_test=False).test == ()


def test_four_fifths_of_a_listeners_songs_are_shown() -> None:
    split = split_listeners(matrix(100), SplitConfig(), 0, hold_out_test=True)
    shown = sum(len(case.shown) for case in split.test)
    hidden = sum(len(case.hidden) for case in split.test)
    assert 0.75 < shown / (shown + hidden) < 0.85
