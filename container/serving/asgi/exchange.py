"""One request and its answer."""

from __future__ import annotations

import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from container.serving.asgi.caller import ATTRIBUTES, INFERENCE_ID, Caller
from container.serving.asgi.log import RequestLog
from container.serving.asgi.problems import Problem
from container.serving.responder import JSON
from inference.errors import error_json

Send = Callable[[Any], Awaitable[None]]


class Exchange:
    """``route`` is our own name for the path, so that no text of the caller gets into the log. ``model_version``, once set, goes into the
    attributes of the answer, errors included."""

    def __init__(self, caller: Caller, route: str, send: Send, log: RequestLog) -> None:
        self.id = str(uuid.uuid4())
        self.caller = caller
        self.model_version: bytes | None = None
        self._route = route
        self._send = send
        self._log = log
        self._start = time.perf_counter()

    async def refuse(self, problem: Problem) -> None:
        """Answers with one of the front's own errors."""
        await self.answer(problem.status, JSON, error_json(problem.code, problem.sentence, self.id))

    async def answer(self, status: int, content_type: str, body: bytes) -> None:
        """Hands the answer to the connection, and writes its log line."""
        headers = head(self.id, status, content_type, len(body))
        if self.model_version is not None:
            headers.append((ATTRIBUTES, self.caller.answer(self.model_version)))
        if self.caller.inference_id is not None:
            headers.append((INFERENCE_ID, self.caller.inference_id))
        if self._route != "ping":
            self._log.write(self.id, self._route, status, time.perf_counter() - self._start, len(body), self.caller.logged())
        await self._send({"type": "http.response.start", "status": status, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})


def head(request_id: str, status: int, content_type: str, size: int) -> list[tuple[bytes, bytes]]:
    """Returns the headers that every answer has."""
    headers = [(b"content-type", content_type.encode("ascii"))] if size else []
    headers += [(b"x-request-id", request_id.encode("ascii")), (b"content-length", b"%d" % size)]
    if status in (429, 503):
        headers.append((b"retry-after", b"1"))
    return headers
