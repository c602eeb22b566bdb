"""What came after what: ranks, and orders put together."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.history import EventWeighting, History, ranks_of
from inference.order import FRESH, SEEDS, STORED, UNKNOWN_TIME, moments, no_order, seconds_of, together

times = st.lists(st.integers(-5, 5), max_size=12).map(lambda values: np.array(values, dtype=np.int64))


@given(times)
def test_a_rank_is_the_number_of_songs_that_came_later(values: np.ndarray) -> None:
    assert ranks_of(values).tolist() == [sum(other > one for other in values.tolist()) for one in values.tolist()]


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(-3, 3)), max_size=12))
def test_what_is_put_together_is_ordered_by_stage_then_by_time(pairs: list[tuple[int, int]]) -> None:
    parts = [moments(np.array([time for stage, time in pairs if stage == one], dtype=np.int64), one) for one in (STORED, FRESH, SEEDS)]
    sorted_pairs = sorted(pairs, key=lambda pair: pair[0])
    keys = together(parts)
    if len(set(pairs)) < 2:
        assert keys is None
        return
    assert keys is not None
    for one, key in zip(sorted_pairs, keys.tolist(), strict=True):
        assert [one < other for other in sorted_pairs] == [key < other for other in keys.tolist()]


def test_songs_of_which_nobody_knows_which_was_first_have_no_order() -> None:
    assert together([no_order(3, STORED)]) is None
    assert together([no_order(0, STORED)]) is None


def test_the_last_time_of_a_song_counts_in_a_history() -> None:
    history = History.of(np.array([4, 2, 4, 7]), np.ones(4), np.array([1, 5, 9, 3]))
    assert history.numbers.tolist() == [2, 4, 7]
    assert history.ranks is not None
    assert history.ranks.tolist() == [1, 0, 2]


def test_ranks_leave_out_songs_whose_weights_cancel_out() -> None:
    history = History.of(np.array([1, 2, 3]), np.array([1.0, 0.0, 1.0]), np.array([1, 2, 3]))
    assert history.ranks is not None
    assert history.ranks.tolist() == [1, 0]


@pytest.mark.parametrize("time", [1_700_000_000, 1_700_000_000_000, 1_700_000_000_000_000, 1_700_000_000_000_000_000])
def test_times_are_seconds_whatever_the_unit(time: float) -> None:
    assert seconds_of([time]).tolist() == [1_700_000_000]


def test_what_is_no_time_is_unknown() -> None:
    assert seconds_of([None, 1e300, -1e300]).tolist() == [UNKNOWN_TIME] * 3


def test_a_weight_halves_with_every_half_life_and_never_reaches_zero() -> None:
    day = 86_400
    decay = EventWeighting(half_life_days=2.0).decay(np.array([10 * day, 8 * day, 4 * day, -(10**9) * day, UNKNOWN_TIME]), 10 * day)
    assert decay[:3].tolist() == [1.0, 0.5, 0.125]
    assert 0 < decay[3] < 1e-5
    assert decay[4] == 0.5  # unknown


def test_without_a_half_life_nothing_decays() -> None:
    assert EventWeighting().decay(np.array([0, UNKNOWN_TIME]), 10**9).tolist() == [1.0, 1.0]
