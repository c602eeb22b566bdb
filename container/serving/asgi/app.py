"""The ASGI application: /ping, /invocations and /execution-parameters, as `serving/java/src/serving/Routes.java` has them."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any

from container.serving.asgi.aside import Aside, is_large
from container.serving.asgi.board import Board, Row
from container.serving.asgi.caller import Caller
from container.serving.asgi.exchange import Exchange, Send
from container.serving.asgi.gate import Gate
from container.serving.asgi.log import RequestLog
from container.serving.asgi.problems import BUSY, NOT_FOUND, NOT_READY, ONE_MODEL, TOO_LARGE, USE_GET, USE_POST, WORKER_LOST, Problem
from container.serving.responder import JSON, Responder
from container.serving.settings import MEGABYTE, Settings

Receive = Callable[[], Awaitable[Any]]
_ROUTES = {b"/ping": "ping", b"/invocations": "invocations", b"/execution-parameters": "execution-parameters"}


class RefusedError(Exception):
    """The request is answered with an error before its body is read to the end, or worked on."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(problem.code)


class GoneError(Exception):
    """The caller has hung up."""


class App:
    """Answers the requests of one worker. ``version``: of the model, for the attributes of the answers."""

    def __init__(self, responder: Responder, settings: Settings, board: Board, row: Row, version: str, log: RequestLog) -> None:
        self._responder, self._settings, self._board, self._row, self._log = responder, settings, board, row, log
        self._version = version.encode("ascii", "replace")
        self._gate = Gate(board, row, settings.queue_size)
        self._aside = Aside(responder, settings.timeout)
        # As much as the other engine lets its heap hold.
        self._max_bytes = max(settings.max_payload, settings.heap_mb * MEGABYTE // 4)

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        route = _ROUTES.get(scope["raw_path"], "unknown")
        exchange = Exchange(Caller(scope["headers"]), route, send, self._log)
        method = scope["method"]
        if route == "invocations":
            await self._invocations(exchange, method, receive)
        elif route == "unknown":
            await exchange.refuse(NOT_FOUND)
        elif method != "GET":
            await exchange.refuse(USE_GET)
        elif route == "execution-parameters":
            await exchange.answer(200, JSON, self._settings.execution_parameters().encode("ascii"))
        elif self._board.is_ready():
            await exchange.answer(200, "", b"")
        else:
            await exchange.refuse(NOT_READY)

    async def _invocations(self, exchange: Exchange, method: str, receive: Receive) -> None:
        held = self._row.get("bytes")
        try:
            if exchange.caller.target is not None:
                raise RefusedError(ONE_MODEL)
            if method != "POST":
                raise RefusedError(USE_POST)
            body = await self._read(exchange.caller.content_length, receive)
        except RefusedError as refused:
            await exchange.refuse(refused.problem)
        except GoneError:
            pass
        else:
            self._row.add("working", 1)
            try:
                await self._answer(exchange, body)
            finally:
                self._row.add("working", -1)
                self._row.add("bytes", -len(body))
        assert held >= 0

    async def _read(self, declared: int | None, receive: Receive) -> bytes:
        """Returns the body, counted in ``bytes`` of the row. Raises ``RefusedError``, or ``GoneError``."""
        limit = self._settings.max_payload
        if declared is not None and declared > limit:
            raise RefusedError(TOO_LARGE)
        parts: list[bytes] = []
        size, more = 0, True
        try:
            while more:
                message = await receive()
                if message["type"] != "http.request":
                    raise GoneError
                part, more = message["body"], message["more_body"]
                size += len(part)
                self._row.add("bytes", len(part))
                if size > limit:
                    raise RefusedError(TOO_LARGE)
                if self._board.total("bytes") > self._max_bytes:
                    raise RefusedError(BUSY)
                parts.append(part)
        except BaseException:
            self._row.add("bytes", -size)
            raise
        return parts[0] if len(parts) == 1 else b"".join(parts)

    async def _answer(self, exchange: Exchange, body: bytes) -> None:
        if self._board.draining:  # else a caller who keeps asking keeps the server from ending
            await exchange.refuse(NOT_READY)
            return
        exchange.model_version = self._version
        caller = exchange.caller
        if is_large(body, caller.content_type, self._settings.batch):
            await self._answer_aside(exchange, body)
        elif await self._gate.enter():
            started = time.perf_counter()
            try:
                reply = self._responder.reply(body, caller.content_type, caller.accept, exchange.id)
            finally:
                self._gate.leave(started)
            await exchange.answer(reply.status, reply.content_type, reply.body)
        else:
            await exchange.refuse(BUSY)

    async def _answer_aside(self, exchange: Exchange, body: bytes) -> None:
        """Answers a large body in a process of its own, one after the other."""
        if waits := self._aside.is_busy():
            if self._gate.is_full():
                await exchange.refuse(BUSY)
                return
            self._row.add("waiting", 1)
        try:
            came = await self._aside.wait()
        finally:
            self._row.add("waiting", -waits)
        if not came:
            await exchange.refuse(BUSY)
            return
        try:
            reply = await self._aside.reply(body, exchange.caller.content_type, exchange.caller.accept, exchange.id)
        finally:
            self._aside.leave()
        if reply is None:
            await exchange.refuse(WORKER_LOST)
        else:
            await exchange.answer(reply.status, reply.content_type, reply.body)
