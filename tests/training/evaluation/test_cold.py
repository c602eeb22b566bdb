"""What songs without listeners bring a list, and cost it."""

from __future__ import annotations

import numpy as np
import pytest

from inference.request import Request
from training.evaluation.cases import Case, ask
from training.evaluation.cold import MAX_CASES, cold_songs

LISTENERS = np.array([0] * 5 + [3] * 95)  # songs 0 to 4 are cold


class Fixed:
    """Always the same order of songs."""

    def __init__(self, order: list[int]) -> None:
        self.order, self.asked = order, 0

    def rank(self, request: Request) -> np.ndarray:
        self.asked += 1
        return np.array(self.order[: request.limit], dtype=np.int64)


def measured(order: list[int], relevant: list[int], k: int = 4, cases: int = 3) -> dict[str, float]:
    ranker = Fixed(order)
    asked = [Case(Request(user_id="u"), np.array(relevant, dtype=np.int32))] * cases
    return cold_songs("any", ranker, asked, ask("any", ranker, asked, k), k, LISTENERS)


def test_a_cold_song_in_the_list_takes_the_place_of_a_warm_one() -> None:
    found = measured([0, 10, 1, 11, 12, 13], relevant=[0, 2, 10, 11, 12, 13])
    assert found == {
        "cold_share_of_hits": pytest.approx(1 / 3, abs=1e-6),
        "cold_recall": 0.5,
        "warm_recall": 0.5,
        "warm_recall_without_cold": 1.0,
        "warm_loss": 0.5,
    }


def test_lists_without_cold_songs_lose_nothing() -> None:
    found = measured([10, 11, 12, 13, 0], relevant=[0, 10])
    assert (found["warm_loss"], found["cold_share_of_hits"], found["warm_recall"]) == (0.0, 0.0, 1.0)


@pytest.mark.parametrize("relevant", [[10, 11], [0, 1]])
def test_where_nothing_cold_or_nothing_else_is_to_be_found_there_is_nothing_to_tell(relevant: list[int]) -> None:
    assert measured([10, 0, 11, 1], relevant) == {}


def test_it_stays_cheap_however_many_listeners_there_are() -> None:
    ranker = Fixed([0, 10, 11, 12])
    asked = [Case(Request(user_id="u"), np.array([0, 10], dtype=np.int32))] * (MAX_CASES + 50)
    lists = ask("any", ranker, asked, 2)
    ranker.asked = 0
    assert cold_songs("any", ranker, asked, lists, 2, LISTENERS)["cold_recall"] == 1.0
    assert ranker.asked == MAX_CASES
