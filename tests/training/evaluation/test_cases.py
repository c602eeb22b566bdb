"""Held-out listeners become requests as callers make them."""

from __future__ import annotations

import numpy as np

from training.evaluation.cases import known_listener_cases, new_listener_cases

IDS = np.array(["a", "b", "c", "d"], dtype=object)


def numbers(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int32)


def test_a_new_listener_shows_songs_and_hides_others() -> None:
    (case,) = new_listener_cases(IDS, [numbers(0, 2)], [numbers(3, 1)])
    assert case.request.items == ("a", "c")
    assert case.request.user_id is None
    assert case.relevant.tolist() == [1, 3]


def test_listeners_with_nothing_shown_or_nothing_hidden_are_left_out() -> None:
    assert new_listener_cases(IDS, [numbers(), numbers(1)], [numbers(1), numbers()]) == []


def test_a_known_listener_is_asked_by_id() -> None:
    cases = known_listener_cases(np.array(["x", "y", "z"], dtype=object), numbers(0, 0, 2), numbers(1, 0, 3))
    assert [(case.request.user_id, case.relevant.tolist()) for case in cases] == [("x", [0, 1]), ("z", [3])]


def test_an_empty_test_channel_has_no_cases() -> None:
    assert known_listener_cases(IDS, numbers(), numbers()) == []
