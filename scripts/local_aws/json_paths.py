"""The part of JSONPath that InputFilter and OutputFilter take: ``$.name``, ``$['name','other']``, ``$[0]``, ``$[0,2]``, ``$[1:-1]``."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from scripts.local_aws.errors import not_here

_STEP = re.compile(r"\.(?P<name>[A-Za-z_][A-Za-z0-9_-]*)|\[(?P<inside>[^\]]*)\]")
_QUOTED = re.compile(r"'([^']*)'|\"([^\"]*)\"")
_SLICE = re.compile(r"\s*(-?\d*)\s*:\s*(-?\d*)\s*")
Step = Callable[[Any], Any]


def parse(path: str) -> Callable[[Any], Any]:
    """Returns a function that takes a document to what the path selects in it; that raises ``LookupError`` if it is not there.

    Several names select an object of these, several indexes or a slice a list. Raises ``ApiError`` for a path that is not understood.
    """
    rest, steps = path[1:], []
    if not path.startswith("$"):
        raise not_here(f"the JSONPath {path}", "It begins with $.")
    while rest:
        match = _STEP.match(rest)
        step = match and (_names([match["name"]]) if match["name"] else _inside(match["inside"]))
        if not match or step is None:
            raise not_here(f"the JSONPath {path}", "It takes names, indexes and slices.")
        steps.append(step)
        rest = rest[match.end() :]

    def select(document: Any) -> Any:
        for step in steps:
            document = step(document)
        return document

    return select


def _inside(text: str) -> Step | None:
    if match := _SLICE.fullmatch(text):
        begin, end = (int(part) if part.lstrip("-") else None for part in match.groups())
        return lambda document: _list(document)[begin:end]
    parts = [part.strip() for part in text.split(",")]
    quoted = [_QUOTED.fullmatch(part) for part in parts]
    if names := [match[1] if match[1] is not None else match[2] for match in quoted if match]:
        return _names(names) if len(names) == len(parts) else None
    if all(re.fullmatch(r"-?\d+", part) for part in parts):
        indexes = [int(part) for part in parts]
        return lambda document: _list(document)[indexes[0]] if len(indexes) == 1 else [_list(document)[one] for one in indexes]
    return None


def _names(names: list[str]) -> Step:
    def select(document: Any) -> Any:
        if not isinstance(document, dict):
            raise LookupError(f"{names[0]} is asked of what is no object")
        return document[names[0]] if len(names) == 1 else {name: document[name] for name in names}

    return select


def _list(document: Any) -> list[Any]:
    if not isinstance(document, list):
        raise LookupError("an index is asked of what is no list")
    return document
