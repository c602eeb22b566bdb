"""Who, and what, is held out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array, random_array

from training.config import SplitConfig
from training.data.dataset import MISSING_TIME
from training.data.errors import UserDataError
from training.split import Case, Split, split_interactions

KINDS = ("listener", "random", "time", "last", "song", "block")


def matrix(users: int, seed: int = 0) -> csr_array:
    return csr_array(random_array((users, 40), density=0.2, rng=np.random.default_rng(seed), format="csr"))


def times_of(played: csr_array, seed: int = 0) -> np.ndarray:
    """Times that repeat, some of them missing."""
    times = np.random.default_rng(seed).integers(0, 50, played.nnz)
    return np.where(times == 7, MISSING_TIME, times)


def split(played: csr_array, seed: int = 0, hold_out_test: bool = True, **settings: object) -> Split:
    return split_interactions(played, times_of(played), SplitConfig(**settings), seed, hold_out_test=hold_out_test)  # type: ignore[arg-type]


def row(played: csr_array, user: int) -> list[int]:
    return sorted(played.indices[played.indptr[user] : played.indptr[user + 1]].tolist())


def pairs(played: csr_array) -> set[tuple[int, int]]:
    rows, columns = played.nonzero()
    return set(zip(rows.tolist(), columns.tolist(), strict=True))


def hidden(cases: tuple[Case, ...]) -> set[tuple[int, int]]:
    return {(case.user, song) for case in cases for song in case.hidden.tolist()}


@given(
    kind=st.sampled_from(KINDS),
    users=st.integers(1, 120),
    seed=st.integers(0, 5),
    fraction=st.sampled_from([0.0, 0.1, 0.4]),
    n=st.integers(0, 2),
)
@settings(deadline=None)
def test_nothing_that_is_to_be_found_was_learned_and_what_is_shown_was_there(
    kind: str, users: int, seed: int, fraction: float, n: int
) -> None:
    played = matrix(users, seed)
    parts = split(played, seed, kind=kind, test_fraction=fraction, validation_fraction=fraction, song_events=n)
    assert parts.learn.shape == parts.relearn.shape == played.shape
    assert pairs(parts.learn) <= pairs(parts.relearn) <= pairs(played)
    assert not pairs(parts.relearn) & hidden(parts.test)
    assert not pairs(parts.learn) & hidden(parts.validation)
    for cases, learned in ((parts.validation, parts.learn), (parts.test, parts.relearn)):
        assert len({case.user for case in cases}) == len(cases)
        for case in cases:
            assert len(row(played, case.user)) >= 5
            assert len(case.shown)
            assert len(case.hidden)
            assert {*case.shown.tolist(), *case.hidden.tolist()} <= set(row(played, case.user))
            assert not set(case.shown.tolist()) & set(case.hidden.tolist())
            assert row(learned, case.user) == (case.shown.tolist() if case.known else [])
    if fraction == 0:
        assert not parts.test
        assert pairs(parts.learn) == pairs(played)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_gives_the_same_split_and_another_another(kind: str) -> None:
    first, second, third = (split(matrix(100), seed, kind=kind, max_test_listeners=8) for seed in (1, 1, 2))
    assert hidden(first.test) == hidden(second.test)
    assert pairs(first.learn) == pairs(second.learn)
    assert hidden(first.test) != hidden(third.test)


@pytest.mark.parametrize("kind", KINDS)
def test_no_more_listeners_are_asked_than_allowed_and_none_for_the_report_where_a_test_channel_is_given(kind: str) -> None:
    limits = {"max_test_listeners": 3, "max_validation_listeners": 2}
    parts = split(matrix(100), kind=kind, **limits)
    assert (len(parts.test), len(parts.validation)) == (3, 2)
    given_test = split(matrix(100), kind=kind, hold_out_test=False, **limits)
    assert given_test.test == ()
    assert pairs(given_test.relearn) == pairs(matrix(100))
    assert len(given_test.validation) == 2


def test_held_out_listeners_are_in_one_part_only_and_nothing_of_them_is_learned_but_everything_is_stored() -> None:
    played = matrix(100)
    parts = split(played)
    users = [case.user for case in (*parts.validation, *parts.test)]
    assert len(users) == len(set(users))
    assert all(not row(parts.learn, user) for user in users)
    assert all(sorted([*case.shown, *case.hidden]) == row(played, case.user) for case in (*parts.validation, *parts.test))
    assert parts.stored(played) is played


def test_what_known_listeners_are_to_have_found_is_not_stored() -> None:
    played = matrix(100)
    parts = split(played, kind="random")
    assert not pairs(parts.stored(played)) & hidden(parts.test)


def test_four_fifths_of_a_listeners_songs_are_shown() -> None:
    parts = split(matrix(100))
    shown = sum(len(case.shown) for case in parts.test)
    assert 0.75 < shown / (shown + len(hidden(parts.test))) < 0.85


def test_a_random_part_of_each_listeners_songs_is_hidden() -> None:
    parts = split(matrix(100), kind="random", test_fraction=0.3)
    shares = [len(case.hidden) / (len(case.hidden) + len(case.shown)) for case in parts.test]
    assert len(shares) > 80
    assert 0.25 < np.mean(shares) < 0.35


def test_after_the_cut_nothing_of_anybody_is_learned() -> None:
    played = matrix(100)
    times = dict(zip(sorted(pairs(played)), times_of(played).tolist(), strict=True))
    parts = split(played, kind="time", test_fraction=0.2)
    cut = max(times[pair] for pair in pairs(parts.relearn))
    assert min(times[pair] for pair in hidden(parts.test)) > cut
    gone = [time for pair, time in times.items() if pair not in pairs(parts.relearn)]
    assert all(time > cut for time in gone)
    assert 0.1 < len(gone) / len(times) <= 0.2
    assert min(times[pair] for pair in hidden(parts.validation)) > max(times[pair] for pair in pairs(parts.learn))


def test_the_last_song_of_each_listener_is_hidden_and_the_one_before_it_for_validation() -> None:
    played = matrix(100)
    times = dict(zip(sorted(pairs(played)), times_of(played).tolist(), strict=True))
    parts = split(played, kind="last")
    for case in parts.test:
        rest = [times[case.user, song] for song in row(played, case.user) if song not in case.hidden]
        assert [times[case.user, song] >= max(rest) for song in case.hidden.tolist()] == [True]
    latest = {user: max((times[user, song], song) for song in row(parts.relearn, user)) for user in (c.user for c in parts.validation)}
    assert all(case.hidden.tolist() == [latest[case.user][1]] for case in parts.validation)


@pytest.mark.parametrize("kept", [0, 1, 3])
def test_of_held_out_songs_only_the_events_that_were_asked_for_are_left(kept: int) -> None:
    played = matrix(200)
    parts = split(played, kind="song", test_fraction=0.2, song_events=kept)
    left, before = (np.bincount(m.indices, minlength=40) for m in (parts.relearn, played))
    assert len(parts.songs) == 8
    assert (left[parts.songs] == np.minimum(before[parts.songs], kept)).all()
    others = np.setdiff1d(np.arange(40), parts.songs)
    assert (left[others] == before[others]).all()
    assert {song for _, song in hidden(parts.test)} <= set(parts.songs.tolist())
    assert not {song for _, song in hidden(parts.validation)} & set(parts.songs.tolist())


def test_more_events_of_the_same_songs_contain_fewer() -> None:
    one, three = (split(matrix(200), kind="song", song_events=n, min_song_listeners=20) for n in (1, 3))
    assert one.songs.tolist() == three.songs.tolist()
    assert pairs(one.relearn) < pairs(three.relearn)


@pytest.mark.parametrize("kind", ["listener", "random", "song"])
def test_folds_are_disjoint_and_together_everything(kind: str) -> None:
    played = matrix(100)
    folds = [split(played, kind=kind, folds=4, fold=fold) for fold in range(4)]
    if kind == "random":
        found = [hidden(parts.test) for parts in folds]
        everything = {pair for pair in pairs(played) if len(row(played, pair[0])) >= 5}
    elif kind == "song":
        found = [{(0, song) for song in parts.songs.tolist()} for parts in folds]
        everything = {(0, song) for song in range(40)}
    else:
        found = [{(case.user, 0) for case in parts.test} for parts in folds]
        everything = {(user, 0) for user in range(100) if len(row(played, user)) >= 5}
    assert sum(map(len, found)) == len(set.union(*found))
    assert set.union(*found) == everything


@pytest.mark.parametrize("kind", ["time", "last"])
@pytest.mark.parametrize("times", [None, "missing"])
def test_a_split_by_time_without_times_says_which_setting_to_change(kind: str, times: str | None) -> None:
    played = matrix(20)
    given_times = None if times is None else np.full(played.nnz, MISSING_TIME)
    with pytest.raises(UserDataError, match="split_kind"):
        split_interactions(played, given_times, SplitConfig(kind=kind), 0, hold_out_test=True)


def test_events_of_one_second_leave_nothing_to_hold_out_by_time() -> None:
    played = matrix(20)
    parts = split_interactions(played, np.full(played.nnz, 5), SplitConfig(kind="time"), 0, hold_out_test=True)
    assert parts.test == ()
    assert pairs(parts.learn) == pairs(played)


@pytest.mark.parametrize("settings", [{"kind": "auto"}, {}])
def test_without_a_test_channel_listeners_are_held_out_whole_unless_asked_otherwise(settings: dict[str, object]) -> None:
    asked, expected = split(matrix(100), **settings), split(matrix(100), kind="listener")
    assert asked.kind == "listener"
    assert hidden(asked.test) == hidden(expected.test)
    assert hidden(asked.validation) == hidden(expected.validation)


@pytest.mark.parametrize("times", [None, "missing", "some"])
def test_for_a_test_channel_validation_is_the_latest_part_where_there_are_times_and_blocks_where_there_are_none(times: str | None) -> None:
    played = matrix(100)
    given_times = {None: None, "missing": np.full(played.nnz, MISSING_TIME), "some": times_of(played)}[times]
    kind = "time" if times == "some" else "block"
    found, expected = (split_interactions(played, given_times, SplitConfig(kind=k), 3, hold_out_test=False) for k in ("auto", kind))
    assert found.kind == kind
    assert found.test == ()
    assert found.validation
    assert hidden(found.validation) == hidden(expected.validation)


@pytest.mark.parametrize("hold_out_test", [True, False])
def test_a_kind_that_is_asked_for_is_taken_with_and_without_a_test_channel(hold_out_test: bool) -> None:
    assert [split(matrix(100), kind=kind, hold_out_test=hold_out_test).kind for kind in KINDS] == list(KINDS)
