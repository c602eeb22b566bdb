"""Events become weights, in the same way everywhere."""

from __future__ import annotations

import numpy as np
import pytest

from inference.history import EventWeighting, History


def test_weights_of_the_same_song_add_up_and_songs_come_in_order() -> None:
    history = History.of(np.array([5, 2, 5]), np.array([1.0, 2.0, 0.5]))
    assert history.numbers.tolist() == [2, 5]
    assert history.weights.tolist() == [2.0, 1.5]


def test_a_song_whose_weights_cancel_out_is_not_history() -> None:
    assert len(History.of(np.array([1]), np.array([0.0]))) == 0


@pytest.mark.parametrize(
    ("weighting", "expected"),
    [
        ("log", [1.0, 2.0, 0.0]),
        ("log_value", [1.0, 2.0, 0.0]),
        ("binary", [1.0, 1.0, 0.0]),
        ("count", [1.0, 3.0, 0.0]),
        ("value", [1.0, 3.0, 0.0]),
    ],
)
def test_a_weighting_turns_sums_into_weights(weighting: str, expected: list[float]) -> None:
    assert EventWeighting(weighting).transform(np.array([1.0, 3.0, -2.0])).tolist() == expected


def test_an_event_type_has_its_weight_and_others_weigh_one() -> None:
    weighting = EventWeighting(event_weights={"like": 3.0, "skip": 0.0})
    assert [weighting.event_weight(kind, None) for kind in (" Like", "skip", "play", None)] == [3.0, 0.0, 1.0, 1.0]


def test_an_event_below_the_least_value_counts_nothing() -> None:
    weighting = EventWeighting(min_event_value=4.0)
    assert [weighting.event_weight(None, value) for value in (3.9, 4.0, None)] == [0.0, 1.0, 1.0]


def test_values_are_weights_where_the_data_says_so() -> None:
    assert EventWeighting("value", {"like": 2.0}).event_weight("like", 5.0) == 10.0
