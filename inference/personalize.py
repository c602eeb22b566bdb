"""Amazon Personalize's request and answer shapes, understood as a dialect, so that callers need not change when a team moves over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from inference.answer import Answer
from inference.errors import RequestError

# Personalize's name -> (our name, the value is one id that becomes a list)
_FIELDS = {
    "userId": ("user_id", False),
    "itemId": ("items", True),
    "numResults": ("num_recommendations", False),
    "inputList": ("candidates", False),
    "itemList": ("candidates", False),
}
_NAMES = frozenset(_FIELDS)
DEFAULT_RESULTS = 25  # Personalize's own


def speaks_personalize(value: object) -> bool:
    return isinstance(value, dict) and not _NAMES.isdisjoint(value)


def translate(value: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the request with our names. Raises ``RequestError`` 422 for a field that is not Personalize's, or twice the same."""
    out: dict[str, Any] = {}
    for name, content in value.items():
        if name not in _FIELDS:
            raise RequestError(422, "unknown_field", f"Unknown field '{str(name)[:50]}' beside Personalize's: {', '.join(_FIELDS)}.")
        ours, is_one = _FIELDS[name]
        if ours in out:
            raise RequestError(422, "invalid_field", "Give 'inputList' or 'itemList', not both.")
        out[ours] = [content] if is_one and content is not None else content
    if "candidates" not in out:
        out.setdefault("num_recommendations", DEFAULT_RESULTS)
    return out


def render(value: Mapping[str, Any], answer: Answer) -> dict[str, Any]:
    """Returns the answer of GetRecommendations, or of GetPersonalizedRanking where the request brought a list to rank."""
    ranking = "inputList" in value or "itemList" in value
    items = [{"itemId": id_, "score": score} for id_, score in zip(answer.item_ids, answer.scores, strict=True)]
    return {"personalizedRanking" if ranking else "itemList": items, "recommendationId": f"RID-{answer.model_version}"}


def render_line(value: object, answer: Answer | RequestError) -> dict[str, Any]:
    """Returns one line of a batch inference job: the input, the output, and the error, one of the last two null."""
    if isinstance(answer, RequestError):
        return {"input": value, "output": None, "error": answer.message}
    return {"input": value, "output": {"recommendedItems": list(answer.item_ids), "scores": list(answer.scores)}, "error": None}
