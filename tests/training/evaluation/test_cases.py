"""Held-out listeners become requests as callers make them."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from inference.request import Request
from training.evaluation.cases import known_listener_cases, split_cases
from training.split import Case, Split

IDS = np.array(["a", "b", "c", "d"], dtype=object)
USERS = np.array(["x", "y", "z"], dtype=object)


def numbers(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int32)


def parts(kind: str, *test: Case, songs: np.ndarray | None = None) -> Split:
    nothing = csr_array((3, 4), dtype=np.float32)
    return Split(kind, nothing, nothing, (), test, numbers() if songs is None else songs)


def test_a_new_listener_shows_songs_in_no_order_and_hides_others() -> None:
    (case,) = split_cases(parts("listener", Case(2, numbers(0, 2), numbers(1, 3))), IDS, USERS)["holdout"]
    assert case.request == Request(items=("a", "c"), ordered=False)
    assert case.relevant.tolist() == [1, 3]


def test_a_listener_of_whom_a_part_is_hidden_is_asked_by_id() -> None:
    (case,) = split_cases(parts("random", Case(2, numbers(0, 2), numbers(1), known=True)), IDS, USERS)["holdout"]
    assert case.request == Request(user_id="z")


def test_held_out_songs_are_ranked_among_themselves_and_among_all() -> None:
    sources = split_cases(parts("song", Case(0, numbers(0), numbers(1), known=True), songs=numbers(1, 3)), IDS, USERS)
    assert [case.request for case in sources["song_among_all"]] == [Request(user_id="x")]
    assert [case.request for case in sources["song_among_themselves"]] == [Request(user_id="x", candidates=("b", "d"), exclude_seen=True)]
    assert all(cases[0].relevant.tolist() == [1] for cases in sources.values())


def test_a_split_without_cases_has_no_sources() -> None:
    assert split_cases(parts("song"), IDS, USERS) == {}


def test_a_known_listener_is_asked_by_id() -> None:
    stored = csr_array(np.array([[0, 0, 1, 1], [1, 0, 0, 0], [1, 0, 0, 0]], dtype=np.float32))
    cases = known_listener_cases(USERS, numbers(0, 0, 2), numbers(1, 0, 3), stored)
    found = [(case.request.user_id, case.relevant.tolist(), case.history.tolist()) for case in cases]
    assert found == [("x", [0, 1], [2, 3]), ("z", [3], [0])]


def test_an_empty_test_channel_has_no_cases() -> None:
    assert known_listener_cases(USERS, numbers(), numbers(), csr_array((3, 4))) == []
