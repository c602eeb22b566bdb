"""What is evaluated is what serves: rankers are asked as callers ask, and all models on the same listeners."""

from __future__ import annotations

import json

import numpy as np
import pytest

from inference.request import Request
from training.evaluation.cases import Case, ask
from training.evaluation.context import Context
from training.evaluation.evaluate import Evaluation, evaluate, judge


class Recorder:
    def __init__(self) -> None:
        self.asked: list[Request] = []

    def rank(self, request: Request) -> np.ndarray:
        self.asked.append(request)
        return np.array([3, 1], dtype=np.int64)


def test_each_case_is_asked_once_for_the_longest_list(cases: list[Case], context: Context) -> None:
    ranker = Recorder()
    evaluate("holdout", "any", {"any": ranker}, cases, [2, 5], context)
    assert [request.items for request in ranker.asked] == [("s0",)] * len(cases)
    assert {request.num_recommendations for request in ranker.asked} == {5}


def test_numbers_are_those_of_the_lists(evaluation: Evaluation) -> None:
    hybrid, popularity = evaluation.models["hybrid"], evaluation.models["popularity"]
    assert hybrid.metrics["recall_at_2"].mean == 1
    assert hybrid.metrics["precision_at_4"].mean == 0.5
    assert popularity.metrics["recall_at_4"].mean == 0.5
    assert popularity.metrics["mrr_at_4"].mean == 0.5
    assert evaluation.models["als"].metrics["hit_rate_at_4"].mean == 0
    assert hybrid.metrics["novelty_at_2"].mean == 2  # each song was played by 2 of 8
    assert hybrid.metrics["diversity_at_2"].mean == 1
    assert hybrid.coverage == {"coverage_at_2": 0.2, "coverage_at_4": 0.4}
    assert evaluation.models["als"].coverage["coverage_at_4"] == 0.1


def test_a_measure_that_is_defined_for_nobody_is_left_out(evaluation: Evaluation) -> None:
    assert "diversity_at_4" not in evaluation.models["als"].metrics  # lists of one song have no pairs


def test_without_features_there_is_no_diversity(cases: list[Case]) -> None:
    report = judge("any", ask("any", Recorder(), cases, 2), cases, [2], Context(np.ones(10, dtype=np.int64), 5, None, 20, 0))
    assert not any(name.startswith("diversity") for name in report.metrics)


def test_the_main_model_is_compared_with_every_other(evaluation: Evaluation) -> None:
    assert set(evaluation.differences) == {"popularity", "als"}
    gain = evaluation.differences["popularity"]["recall_at_4"]
    assert (gain.mean, gain.low, gain.high) == (0.5, 0.5, 0.5)


def test_the_json_has_no_time_and_no_nan_and_repeats(evaluation: Evaluation) -> None:
    text = json.dumps(evaluation.to_json(), allow_nan=False)
    assert "seconds" not in text
    document = json.loads(text)
    assert document["models"]["hybrid"]["recall_at_2"] == {"mean": 1.0, "low": 1.0, "high": 1.0}
    assert document["models"]["hybrid"]["coverage_at_4"] == {"mean": 0.4}
    assert (document["source"], document["main"], document["k"], document["listeners"]) == ("holdout", "hybrid", [2, 4], 6)


def test_nobody_to_evaluate_on_is_said(context: Context) -> None:
    with pytest.raises(ValueError, match="no listener"):
        evaluate("holdout", "a", {"a": Recorder()}, [], [5], context)
