"""The report is in the job's output, for programs and for people, and in its log, for SageMaker."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from inference.request import Request
from training.config import MODELS, TrainingConfig
from training.evaluation.cases import Case
from training.evaluation.context import Context
from training.evaluation.evaluate import Evaluation, evaluate
from training.model_card import WHAT_MODELS_ARE, model_card
from training.progress import set_up_logging
from training.report import publish


class Fixed:
    def rank(self, request: Request) -> np.ndarray:
        return np.array([1, 2], dtype=np.int64)


@pytest.fixture
def evaluation() -> Evaluation:
    cases = [Case(Request(items=("a",)), np.array([2], dtype=np.int32)) for _ in range(4)]
    context = Context(np.ones(5, dtype=np.int64), 4, None, 20, 0)
    return evaluate("holdout", "hybrid", {"hybrid": Fixed(), "popularity": Fixed()}, cases, [1, 2], context)


def test_the_evaluation_is_written_and_logged(evaluation: Evaluation, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging()
    publish([evaluation], tmp_path / "data")
    document = json.loads((tmp_path / "data" / "evaluation.json").read_text())
    assert document["holdout"]["models"]["hybrid"]["recall_at_2"]["mean"] == 1.0
    assert (
        "hybrid - popularity: recall_at_2 +0.0000 [+0.0000 +0.0000] too close to call" in (tmp_path / "data" / "evaluation.txt").read_text()
    )
    assert "\nholdout:hybrid:mrr_at_2=0.500000\n" in capsys.readouterr().out


def test_a_model_without_evaluation_says_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging()
    publish([], tmp_path, reason="there are no interactions")
    assert json.loads((tmp_path / "evaluation.json").read_text()) == {"reason": "there are no interactions"}
    assert 'event=no_evaluation reason="there are no interactions"' in capsys.readouterr().out


def test_the_card_says_what_the_model_is_made_of_and_how_good_it_is(evaluation: Evaluation) -> None:
    config = TrainingConfig.from_hyperparameters({"ease_l2": "9"})
    card = model_card(config, {"listeners": 1200, "songs": 34}, {"ease": 0.75, "popularity": 0.01}, [evaluation])
    for part in ("| ease | 0.75 |", "| listeners | 1,200 |", "| hybrid | 1.000 [1.000, 1.000]", "| `ease_l2` | `9.0` |", "## Limits"):
        assert part in card
    assert "als_factors" not in card  # a default


def test_the_card_repeats_and_says_when_there_is_no_quality_to_tell(evaluation: Evaluation) -> None:
    def card() -> str:
        return model_card(TrainingConfig(), {"songs": 3}, {"content": 1.0}, [], reason="no interactions were given.")

    assert card() == card()
    assert "Not measured: no interactions were given." in card()
    assert "All hyperparameters have their defaults." in card()


def test_every_model_has_a_line_for_people() -> None:
    assert set(WHAT_MODELS_ARE) == set(MODELS)
