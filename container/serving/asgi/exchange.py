"""One request and its answer."""

from __future__ import annotations

import os
import time
from http import HTTPStatus

from container.serving.account import Account
from container.serving.asgi.caller import ATTRIBUTES, INFERENCE_ID, Caller
from container.serving.asgi.journal import Journal
from container.serving.asgi.problems import Problem
from container.serving.responder import JSON, Reply
from inference.errors import error_json

_STATUS = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus}
_VARIANTS = {digit: "89ab"[int(digit, 16) % 4] for digit in "0123456789abcdef"}


class Exchange:
    """``route`` is our own name for the path, so that no text of the caller gets into the log.

    ``bytes_in``: of the body, None where it was not received. ``model_version``: once set, it goes into the attributes of the answer,
    errors included. ``waited``: seconds until it was worked on; None where it was not. ``account``: what was done for it. ``error``: the
    code of an error that the front makes. ``lost``: why an answer never came.
    """

    def __init__(self, caller: Caller, route: str, journal: Journal) -> None:
        self.id = _new_id()
        self.caller = caller
        self.route = route
        self.bytes_in: int | None = caller.content_length or 0
        self.model_version: str | None = None
        self.waited: float | None = None
        self.account: Account | None = None
        self.error: str | None = None
        self.lost: str | None = None
        self._journal = journal
        self._start = time.perf_counter()

    def received(self, size: int) -> None:
        """The whole body is there: from now on it is our time."""
        self.bytes_in = size
        self._start = time.perf_counter()

    def begun(self) -> None:
        """Its turn has come."""
        self.waited = self.seconds()

    def seconds(self) -> float:
        """Returns how long this has taken so far."""
        return time.perf_counter() - self._start

    def refusal(self, problem: Problem) -> Reply:
        """Returns one of the front's own errors."""
        self.error = problem.code
        return Reply(problem.status, JSON, error_json(problem.code, problem.sentence, self.id))

    def head(self, reply: Reply, keep_alive: bool) -> bytes:
        """Returns all of the one answer but its body. It is counted and logged by this."""
        size = len(reply.body)
        kind = f"content-type: {reply.content_type}\r\n" if size else ""
        head = f"{_STATUS[reply.status]}{kind}x-request-id: {self.id}\r\ncontent-length: {size}\r\n".encode("ascii")
        if self.model_version is not None:
            head += b"%b: %b\r\n" % (ATTRIBUTES, self.caller.answer(self.model_version.encode("ascii", "replace")))
        if self.caller.inference_id is not None:
            head += b"%b: %b\r\n" % (INFERENCE_ID, self.caller.inference_id)
        if reply.status in (429, 503):
            head += b"retry-after: 1\r\n"
        if not keep_alive:
            head += b"connection: close\r\n"
        self._journal.answered(self, reply.status, size)
        return head + b"\r\n"

    def answered(self) -> None:
        """The answer has been given: how long it took is counted, where it was worked on."""
        if self.waited is not None:
            self._journal.counts.duration(self.seconds())
            self._journal.counts.queue(self.waited)


def _new_id() -> str:
    """Returns a random UUID (version 4 of RFC 9562), in a third of the time that ``uuid`` takes."""
    text = os.urandom(16).hex()
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{_VARIANTS[text[16]]}{text[17:20]}-{text[20:]}"
