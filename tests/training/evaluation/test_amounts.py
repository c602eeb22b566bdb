"""Quality by how much is known of the listener and of the song."""

from __future__ import annotations

import numpy as np

from inference.request import Request
from training.evaluation.amounts import MAX_CASES, by_listener_events, by_song_events
from training.evaluation.cases import Case, ask

IDS = np.array([str(number) for number in range(60)], dtype=object)


class NeighbourRanker:
    """Recommends the neighbour (number + 30) of each song that is sent, then what nobody wants."""

    def __init__(self) -> None:
        self.asked: list[Request] = []

    def rank(self, request: Request) -> np.ndarray:
        self.asked.append(request)
        found = [int(song) + 30 for song in request.items]
        return np.array((found + [29] * 40)[: request.limit], dtype=np.int64)


def case(n_history: int) -> Case:
    history = np.arange(n_history, dtype=np.int32)
    return Case(Request(items=tuple(map(str, range(n_history)))), history + 30, history)


def measured(cases: list[Case], k: int = 20) -> tuple[dict, NeighbourRanker]:  # type: ignore[type-arg]
    ranker = NeighbourRanker()
    lists = {"any": ask("any", ranker, cases, k)}
    ranker.asked.clear()
    return by_listener_events({"any": ranker}, cases, lists, IDS, k, seed=0), ranker


def test_recall_grows_with_what_is_sent_of_the_same_listeners() -> None:
    found, ranker = measured([case(20)] * 25 + [case(3)] * 10)
    assert found["listeners"] == 25
    recall = {n: values["recall_at_20"] for n, values in found["models"]["any"].items()}
    assert recall == {"0": 0.0, "1": 0.05, "2": 0.1, "5": 0.25, "10": 0.5, "all": 1.0}
    for request in ranker.asked:
        assert {*request.items, *request.exclude} == set(map(str, range(20)))
        assert not {*request.items} & {*request.exclude}


def test_levels_that_too_few_listeners_have_are_left_out() -> None:
    found, _ = measured([case(4)] * 25 + [case(20)] * 10)
    assert list(found["models"]["any"]) == ["0", "1", "2", "all"]
    assert measured([case(20)] * 5)[0] == {}


def test_it_stays_cheap_however_many_listeners_there_are() -> None:
    found, ranker = measured([case(12)] * (2 * MAX_CASES))
    assert found["listeners"] == MAX_CASES
    assert len(ranker.asked) == 5 * MAX_CASES


def test_songs_to_be_found_are_grouped_by_their_listeners_in_training() -> None:
    listeners = np.array([0, 0, 1, 2, 4, 5, 6, 50])
    cases = [Case(Request(), np.array([0, 2, 5], dtype=np.int32)), Case(Request(), np.array([1, 4, 7], dtype=np.int32))]
    lists = np.array([[0, 5, -1], [7, 0, 4]], dtype=np.int32)
    groups = by_song_events(lists, cases, 2, listeners)
    assert groups == {
        "0": {"pairs": 2, "recall_at_2": 0.5},
        "1": {"pairs": 1, "recall_at_2": 0.0},
        "3-5": {"pairs": 2, "recall_at_2": 0.5},
        "more": {"pairs": 1, "recall_at_2": 1.0},
    }
