"""Models of every format so far load, and answer as they did."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from inference.artifact import FORMAT_VERSION, load
from inference.request import parse_request

GOLDEN = Path(__file__).resolve().parent.parent / "golden"
MODELS = sorted(path for path in GOLDEN.iterdir() if path.is_dir() and path.name.startswith("format-"))


def test_there_is_a_golden_model_of_each_format() -> None:
    assert [model.name for model in MODELS] == [f"format-{version}" for version in range(1, FORMAT_VERSION + 1)]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_it_answers_as_it_did(model: Path) -> None:
    requests, answers = json.loads((GOLDEN / f"{model.name}.answers.json").read_text(encoding="ascii"))
    recommender = load(model, verify=True)
    for request, expected in zip(requests, answers, strict=True):
        assert close(recommender.recommend(parse_request(request)).to_json(), expected)


def close(found: Any, expected: Any) -> bool:
    """Equal, but for the last digits of numbers, which differ between processors."""
    if isinstance(expected, float):
        return bool(found == pytest.approx(expected, rel=1e-5, abs=1e-5))
    if isinstance(expected, dict):
        return isinstance(found, dict) and found.keys() == expected.keys() and all(close(found[k], expected[k]) for k in expected)
    if isinstance(expected, list):
        return isinstance(found, list) and len(found) == len(expected) and all(map(close, found, expected))
    return bool(found == expected)
