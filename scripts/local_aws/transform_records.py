"""From an object to the bodies that a batch transform sends, and from the answers to the object that it writes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scripts.local_aws import json_paths
from scripts.local_aws.errors import JobError, invalid, not_here

JSON_LINES = ("application/jsonlines", "application/x-jsonlines")
MEGABYTE = 1 << 20


@dataclass(frozen=True)
class Splitting:
    """``max_bytes`` None: no limit."""

    by_line: bool
    many: bool
    max_bytes: int | None

    def bodies(self, content: bytes) -> Iterator[list[bytes]]:
        """Yields the records of each body: the whole object, one line, or as many lines as fit. Raises ``JobError`` if one does not fit."""
        records = [line for one in content.split(b"\n") if (line := one.removesuffix(b"\r"))] if self.by_line else [content]
        batch: list[bytes] = []
        size = 0
        for record in records:
            if self.max_bytes is not None and len(record) > self.max_bytes:
                raise JobError(f"ClientError: a record has {len(record)} bytes, more than MaxPayloadInMB allows ({self.max_bytes}).")
            fits = self.max_bytes is None or size + len(record) + 1 <= self.max_bytes
            if batch and not (self.many and fits):
                yield batch
                batch, size = [], 0
            batch.append(record)
            size += len(record) + 1
        if batch:
            yield batch


def body_of(records: Sequence[bytes], by_line: bool) -> bytes:
    return b"\n".join(records) + b"\n" if by_line and len(records) > 1 else records[0]


def assemble(answers: Sequence[bytes], by_line: bool) -> bytes:
    """Returns the output object: with Line every answer ends with a newline, else they just follow each other."""
    return b"".join(answer.rstrip(b"\n") + b"\n" for answer in answers) if by_line else b"".join(answers)


class Processing:
    """DataProcessing of JSON Lines: what of a record is sent, what it is joined with, what of that is written."""

    def __init__(self, settings: Mapping[str, str], content_type: str, by_line: bool, assembled_by_line: bool) -> None:
        """Raises ``ApiError`` for what is not understood."""
        self.active = settings.get("JoinSource", "None") != "None" or any(
            settings.get(name, "$") != "$" for name in ("InputFilter", "OutputFilter")
        )
        self._join = settings.get("JoinSource") == "Input"
        self._input = json_paths.parse(settings.get("InputFilter", "$"))
        self._output = json_paths.parse(settings.get("OutputFilter", "$"))
        if self.active and content_type not in JSON_LINES:
            raise not_here(f"DataProcessing of {content_type or 'an unnamed type'}", "It filters and joins application/jsonlines.")
        if self.active and not (by_line and assembled_by_line):
            raise invalid("DataProcessing needs SplitType Line and AssembleWith Line, to know what belongs to what.")

    def sent(self, records: Sequence[bytes]) -> list[bytes]:
        return [_dump(_select(self._input, _load(record), "InputFilter")) for record in records] if self.active else list(records)

    def received(self, records: Sequence[bytes], answer: bytes) -> bytes:
        """Returns an answer's lines, each joined with its record. Raises ``JobError`` if they are not as many."""
        if not self.active:
            return answer
        lines = [line for line in answer.splitlines() if line]
        if len(lines) != len(records):
            raise JobError(f"ClientError: the container answered {len(records)} records with {len(lines)} lines: they cannot be joined.")
        joined = [_join(_load(record), _load(line)) if self._join else _load(line) for record, line in zip(records, lines, strict=True)]
        return b"\n".join(_dump(_select(self._output, one, "OutputFilter")) for one in joined)


def _join(record: Any, answer: Any) -> dict[str, Any]:
    """The platform adds the answer to an object; of anything else it makes one."""
    if isinstance(record, dict):
        return {**record, "SageMakerOutput": answer}
    return {"SageMakerInput": record, "SageMakerOutput": answer}


def _select(path: Callable[[Any], Any], document: Any, name: str) -> Any:
    try:
        return path(document)
    except LookupError as error:
        raise JobError(f"ClientError: the {name} selects nothing in a record: {error}") from None


def _load(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        raise JobError(f"ClientError: a record is not valid JSON, which DataProcessing needs: {error}") from None


def _dump(document: Any) -> bytes:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
