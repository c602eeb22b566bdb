"""A handler that does nothing, for the stock toolkit: it answers what a recommender would, always the same."""

from __future__ import annotations

import json
from typing import Any

ANSWER = json.dumps({"recommendations": [{"item_id": f"song-{place}", "score": 1 / (1 + place)} for place in range(10)]})


def model_fn(model_dir: str) -> str:
    return ANSWER


def input_fn(body: Any, content_type: str) -> Any:
    return body


def predict_fn(body: Any, model: str) -> str:
    return model


def output_fn(answer: str, accept: str) -> tuple[str, str]:
    return answer, "application/json"
