"""Sampled measures are what the definition says, and flatter."""

from __future__ import annotations

import math

import numpy as np
import pytest

from inference.request import Request
from training.evaluation.cases import Case
from training.evaluation.context import Context
from training.evaluation.evaluate import evaluate
from training.evaluation.sampled import WARNING, sampled_measures, sampled_places
from training.evaluation.text import table

IDS = np.array([str(number) for number in range(40)], dtype=object)


class Ascending:
    """Puts songs in the order of their numbers, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Request] = []

    def rank(self, request: Request) -> np.ndarray:
        self.asked.append(request)
        among = range(len(IDS)) if request.candidates is None else sorted(map(int, request.candidates))
        return np.array(list(among)[: request.limit], dtype=np.int64)


def case(relevant: list[int], history: list[int]) -> Case:
    return Case(Request(items=("0",)), np.array(relevant, dtype=np.int32), np.array(history, dtype=np.int32))


def test_each_song_is_ranked_among_itself_and_the_random_ones_only() -> None:
    ranker = Ascending()
    cases = [case([3, 20, 39], [0, 1, 2]), case([10], [])]
    places = sampled_places(ranker, cases, IDS, 9, seed=1)
    for one, asked, found in zip(cases, ranker.asked, places, strict=True):
        others = set(map(int, asked.candidates or ())) - set(one.relevant.tolist())
        assert len(others) == 9
        assert not others & set(one.history.tolist())
        assert found.tolist() == [1 + sum(other < song for other in others) for song in one.relevant.tolist()]


def test_every_model_meets_the_same_random_songs() -> None:
    first, second = Ascending(), Ascending()
    for ranker in (first, second):
        sampled_places(ranker, [case([5], [0])] * 3, IDS, 5, seed=4)
    assert first.asked == second.asked


def test_a_catalogue_of_few_songs_gives_all_it_has() -> None:
    (places,) = sampled_places(Ascending(), [case([39], [0])], IDS, 1000, seed=0)
    assert places.tolist() == [39]


def test_measures_are_means_over_the_songs_to_be_found() -> None:
    measures = sampled_measures([np.array([1, 3]), np.array([10])], 9, [1, 5])
    assert measures["sampled_recall_at_1"].tolist() == [0.5, 0]
    assert measures["sampled_recall_at_5"].tolist() == [1, 0]
    assert measures["sampled_auc"].tolist() == pytest.approx([(1 + 7 / 9) / 2, 0])
    assert measures["sampled_ndcg_at_5"].tolist() == pytest.approx([(1 + 1 / math.log2(4)) / 2, 0])


def test_they_are_reported_on_demand_only_and_with_a_warning() -> None:
    cases = [case([5], [0])]
    for negatives in (0, 9):
        context = Context(np.ones(40, dtype=np.int64), 5, None, 20, 0, sampled_negatives=negatives, item_ids=IDS)
        evaluation = evaluate("holdout", "any", {"any": Ascending()}, cases, [5], context)
        assert ("sampled_recall_at_5" in evaluation.models["any"].metrics) == bool(negatives)
        assert (evaluation.to_json().get("warning") == WARNING) == bool(negatives)
        assert (WARNING in table(evaluation)) == bool(negatives)
