"""What an answer has to be like, whatever it says."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Any, NoReturn

from tests.conformance.http_client import Answer
from tests.conformance.subject_folder import Subject

# What a server lets out when it has failed on a request without noticing: stack traces of the languages that servers are written in.
TRACE = re.compile(rb'Traceback \(most recent|File \\?"[^"]+\\?", line \d+|\n\s+at [\w.$]+\([\w.]+:\d+\)|<html', re.IGNORECASE)
JSON, JSON_LINES, CSV = "application/json", ("application/jsonlines", "application/x-jsonlines", "application/jsonl"), "text/csv"


def _no_number(text: str) -> NoReturn:
    raise AssertionError(f"{text} is no JSON")


def read_json(text: str | bytes) -> Any:
    """Reads JSON as others than Python do: NaN and Infinity are none."""
    return json.loads(text, parse_constant=_no_number)


def parsed(content: bytes, content_type: str) -> Any:
    """Returns what a body says, which has to be valid: for JSON Lines and CSV a list of lines."""
    text = content.decode("utf-8")
    assert text.strip(), "an empty body"
    if content_type == JSON:
        return read_json(text)
    if content_type in JSON_LINES:
        return [read_json(line) for line in text.removesuffix("\n").split("\n")]
    if content_type == CSV:
        return list(csv.reader(io.StringIO(text, newline=""), strict=True))
    return text


def settled(answer: Answer, subject: Subject) -> tuple[int, str, Any]:
    """Returns what two answers to the same request have to have in common: without the JSON keys that ``subject.json`` says may vary."""
    said = parsed(answer.body, answer.content_type) if answer.status == 200 else None
    return answer.status, answer.content_type, without(said, set(subject.serving.get("varies", [])))


def without(value: Any, keys: set[str]) -> Any:
    if isinstance(value, dict):
        return {key: without(one, keys) for key, one in value.items() if key not in keys}
    return [without(one, keys) for one in value] if isinstance(value, list) else value


def error_message(said: Any, subject: Subject) -> str:
    """Returns the text that tells the caller what is wrong, from where ``subject.json`` says it stands in an error's JSON."""
    for key in subject.serving["error_message"]:
        assert isinstance(said, dict), f"no {key!r} in {said!r}"
        assert key in said, f"no {key!r} in {said!r}"
        said = said[key]
    assert isinstance(said, str), f"{said!r} is no text"
    assert said.strip(), "an empty message"
    return said


def check_error(answer: Answer, statuses: set[int], subject: Subject, what: object) -> None:
    """A refusal has one of these statuses and, as the platform hands it to the caller, a body that helps and gives nothing away."""
    assert answer.status in statuses, (str(what), answer.status, answer.body[:500])
    assert not TRACE.search(answer.body), (str(what), answer.body[:500])
    assert answer.content_type == JSON, (str(what), answer.content_type, answer.body[:500])
    error_message(read_json(answer.body), subject)
