"""Batch transform: cuts a file into lines and those into bodies, sends these, and puts the answers together, as the platform does."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.conformance.answers import CSV, read_json
from tests.conformance.load import at_once
from tests.conformance.server import Server
from tests.conformance.subject_folder import Body


class TransformError(AssertionError):
    """The job fails, as it does on the platform: a body was refused, or the answers do not have one line for each record."""


@dataclass(frozen=True)
class Job:
    """``strategy`` SINGLE_RECORD (one line a body) or MULTI_RECORD (as many lines as fit into ``max_payload`` bytes).

    ``join``: JoinSource=Input. ``newline``: whether a body's last line has one.
    """

    strategy: str = "MULTI_RECORD"
    max_payload: int = 6 * 1024 * 1024
    concurrent: int = 1
    join: bool = False
    newline: bool = False

    def run(self, server: Server, body: Body) -> list[str]:
        """SplitType=Line, AssembleWith=Line. Returns the lines of the ``.out`` file. Raises ``TransformError``."""
        records = body.content.decode("utf-8").removesuffix("\n").split("\n")
        batches = list(self._batches(records))
        headers = {"Content-Type": body.content_type, "Accept": body.content_type}

        def send(batch: Sequence[str]) -> list[str]:
            content = "\n".join(batch) + ("\n" if self.newline else "")
            answer = server.ask("POST", "/invocations", content.encode(), headers)
            if answer.status != 200:
                raise TransformError(f"{answer.status}: {answer.body[:500]!r} for {content[:500]!r}")
            return answer.body.decode("utf-8").removesuffix("\n").split("\n")

        answers = at_once(send, batches, self.concurrent)
        output = [line for part in answers for line in part]
        if not self.join:
            return output
        if len(output) != len(records):
            raise TransformError(f"{len(records)} records cannot be joined with {len(output)} lines")
        return [join(record, line, body.content_type) for record, line in zip(records, output, strict=True)]

    def _batches(self, records: Sequence[str]) -> Iterator[list[str]]:
        batch: list[str] = []
        size = 0
        for record in records:
            more = len(record.encode()) + 1
            if batch and (self.strategy == "SINGLE_RECORD" or size + more > self.max_payload):
                yield batch
                batch, size = [], 0
            batch.append(record)
            size += more
        yield batch


def join(record: str, answer: str, content_type: str) -> str:
    """JoinSource=Input: in CSV the answer's columns behind the record's; in JSON under a key of its own, beside those of the record."""
    if content_type == CSV:
        return f"{record},{answer}"
    try:
        said = read_json(record)
    except ValueError:
        said = record
    beside = said if isinstance(said, dict) else {"SageMakerInput": said}
    return json.dumps({**beside, "SageMakerOutput": read_json(answer)})
