"""What every answer must keep to, whatever was asked."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import NoReturn

# The table in README.md, but for faults of the server: those are never the answer to a caller's mistake.
REFUSALS = (400, 404, 405, 406, 408, 413, 415, 417, 422, 429)
_LEAK = re.compile(rb'Traceback|File \\?"|\.py\b|/(?:opt|tmp|usr|home|root|work|proc)/|site-packages|java\.lang|Exception\b|io\.netty')


def broken_promises(status: int, content_type: str, body: bytes, by_line: bool = False, refusals: Sequence[int] = REFUSALS) -> list[str]:
    """Returns what is wrong with an answer: nothing, or some sentences. ``by_line``: it may have a JSON document on each line."""
    wrong = []
    if leak := _LEAK.search(body):
        wrong.append(f"the answer tells of the inside: {leak[0]!r}")
    if status == 200:
        return wrong + _unreadable(content_type, body, by_line)
    if status not in refusals:
        return [*wrong, f"status {status}"]
    try:
        value = json.loads(body)
        error = value["error"]
        if (
            content_type != "application/json"
            or value != {"status": "error", "error": error}
            or set(error) != {"code", "message", "request_id"}
        ):
            wrong.append("the error has another form than all the others")
        elif not (re.fullmatch(r"[a-z_0-9]+", error["code"]) and 0 < len(error["message"]) <= 600 and body.isascii()):
            wrong.append("the error has no code, or no message in ASCII")
    except (ValueError, TypeError, KeyError):
        wrong.append(f"the error is no JSON: {body[:60]!r}")
    return wrong


def _unreadable(content_type: str, body: bytes, by_line: bool) -> list[str]:
    try:
        text = body.decode("utf-8")
        if content_type in ("application/json", "application/jsonlines"):
            for document in text.split("\n") if by_line or content_type == "application/jsonlines" else [text]:
                if document:
                    json.loads(document, parse_constant=_refuse)
        elif content_type != "text/csv":
            return [f"the type of the answer is {content_type[:60]!r}"]
    except ValueError as error:
        return [f"the answer cannot be read as {content_type}: {error}"]
    return []


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
