"""What travels from `input_fn` to `output_fn`: the requests of one body in order, each with its answer or its error."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from inference.answer import Answer
from inference.errors import RequestError
from inference.personalize import speaks_personalize, translate
from inference.request import Request, parse_request


class Entry(NamedTuple):
    """One request as it came (``value``), and what it means: a ``Request``, or the caller's mistake."""

    value: Any
    request: Request | RequestError

    @property
    def in_personalize(self) -> bool:
        return speaks_personalize(self.value)

    @classmethod
    def of(cls, value: Any) -> Entry:
        try:
            return cls(value, parse_request(translate(value) if speaks_personalize(value) else value))
        except RequestError as error:
            return cls(value, error)


@dataclass(frozen=True)
class Batch:
    """The requests of one body. ``single``: the body was one JSON object, to be answered with one; ``media_type`` is the body's.
    ``by_line``: each line of the body is an entry, and is answered with one line."""

    entries: tuple[Entry, ...]
    single: bool
    media_type: str
    by_line: bool = False


@dataclass(frozen=True)
class Answers:
    """``answers`` has one element for each entry of ``batch``, in order."""

    batch: Batch
    answers: tuple[Answer | RequestError, ...] = field(default=())
