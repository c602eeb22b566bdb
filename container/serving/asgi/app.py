"""The ASGI application: /ping, /metrics, /invocations and /execution-parameters, as `serving/java/src/serving/Routes.java` has them."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from container.serving.account import WorkerCounts
from container.serving.asgi.aside import Aside, LostError, is_large
from container.serving.asgi.board import Board, Row
from container.serving.asgi.caller import Caller
from container.serving.asgi.exchange import Exchange
from container.serving.asgi.gate import Gate
from container.serving.asgi.journal import Journal
from container.serving.asgi.problems import (
    BAD_EXPECTATION,
    BUSY,
    NOT_FOUND,
    NOT_READY,
    ONE_MODEL,
    TOO_LARGE,
    USE_GET,
    USE_POST,
    WORKER_LOST,
    Problem,
)
from container.serving.metrics import CONTENT_TYPE, alone, render
from container.serving.responder import JSON, Reply, Responder
from container.serving.settings import MEGABYTE, Settings

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
_ROUTES = {b"/ping": "ping", b"/metrics": "metrics", b"/invocations": "invocations", b"/execution-parameters": "execution-parameters"}


class RefusedError(Exception):
    """The request is answered with an error before its body is read to the end, or worked on."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(problem.code)


class GoneError(Exception):
    """The caller has hung up."""


class App:
    """Answers the requests of one worker. ``version``: of the model. ``metrics``: where all processes count."""

    def __init__(
        self, responder: Responder, settings: Settings, board: Board, row: Row, journal: Journal, counts: WorkerCounts, metrics: Path
    ) -> None:
        self._responder, self._settings, self._board, self._row = responder, settings, board, row
        self._journal, self._counts, self._metrics = journal, counts, metrics
        self._gate = Gate(board, row, settings.queue_size)
        self._aside = Aside(responder, settings.timeout)
        # As much as the other engine lets its heap hold.
        self._max_bytes = max(settings.max_payload, settings.heap_mb * MEGABYTE // 4)

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        caller = Caller(scope["headers"])
        exchange = Exchange(caller, _ROUTES.get(scope["raw_path"], "unknown"), self._journal)
        try:
            self._check(exchange)
            if exchange.route == "invocations":
                reply = await self._invocations(exchange, scope["method"], receive)
            else:
                reply = self._told(exchange.route, scope["method"])
        except RefusedError as refused:
            reply = exchange.refusal(refused.problem)
        except GoneError:
            return
        await send({"type": "http.response.start", "status": reply.status, "headers": exchange.headers(reply)})
        await send({"type": "http.response.body", "body": reply.body})
        if exchange.waited is not None:
            self._journal.counts.duration(exchange.seconds())
            self._journal.counts.queue(exchange.waited)

    def _check(self, exchange: Exchange) -> None:
        """Raises ``RefusedError`` for what no path takes."""
        if exchange.caller.expects:
            exchange.route, exchange.bytes_in = "unknown", None
            raise RefusedError(BAD_EXPECTATION)
        if (exchange.caller.content_length or 0) > self._settings.max_payload:
            raise self._too_large(exchange)

    def _told(self, route: str, method: str) -> Reply:
        """Returns what the server says of itself, whatever the body."""
        if route == "unknown":
            raise RefusedError(NOT_FOUND)
        if method != "GET":
            raise RefusedError(USE_GET)
        if route == "metrics":
            return Reply(200, CONTENT_TYPE, self._scrape().encode("utf-8"))
        if route == "execution-parameters":
            return Reply(200, JSON, self._settings.execution_parameters().encode("ascii"))
        if not self._board.is_ready():
            raise RefusedError(NOT_READY)
        return Reply(200, "", b"")

    def _scrape(self) -> str:
        """Returns the counts of all processes. What is so at the moment is on the board; it is lent to this worker's numbers."""
        now = {"requests_in_flight": "working", "queue_length": "waiting", "workers_ready": "ready"}
        with alone(self._metrics):
            for gauge, field in now.items():
                self._counts.counters.set(f"recommender_{gauge}", self._board.total(field))
            try:
                return render(self._metrics)
            finally:
                for gauge in now:
                    self._counts.counters.set(f"recommender_{gauge}", 0)

    def _too_large(self, exchange: Exchange) -> RefusedError:
        exchange.route, exchange.bytes_in = "oversized", None
        return RefusedError(TOO_LARGE)

    async def _invocations(self, exchange: Exchange, method: str, receive: Receive) -> Reply:
        if exchange.caller.target is not None:
            raise RefusedError(ONE_MODEL)
        if method != "POST":
            raise RefusedError(USE_POST)
        body = await self._read(exchange, receive)
        self._row.add("working", 1)
        try:
            if self._board.draining:  # else a caller who keeps asking keeps the server from ending
                raise RefusedError(NOT_READY)
            exchange.model_version = self._responder.version
            large = is_large(body, exchange.caller.content_type, self._settings.batch)
            reply = await (self._work_aside if large else self._work)(exchange, body)
        finally:
            self._row.add("working", -1)
            self._row.add("bytes", -len(body))
        if reply.account is not None:
            exchange.account = reply.account
            self._counts.add(reply.account)
        return reply

    async def _read(self, exchange: Exchange, receive: Receive) -> bytes:
        """Returns the body, counted in ``bytes`` of the row. Raises ``RefusedError``, or ``GoneError``."""
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
                if size > self._settings.max_payload:
                    raise self._too_large(exchange)
                if self._board.total("bytes") > self._max_bytes:
                    raise RefusedError(BUSY)
                parts.append(part)
        except BaseException:
            self._row.add("bytes", -size)
            raise
        exchange.received(size)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    async def _work(self, exchange: Exchange, body: bytes) -> Reply:
        if not await self._gate.enter():
            raise RefusedError(BUSY)
        started = time.perf_counter()
        exchange.begun()
        try:
            return self._responder.reply(body, exchange.caller.content_type, exchange.caller.accept, exchange.id)
        finally:
            self._gate.leave(started)

    async def _work_aside(self, exchange: Exchange, body: bytes) -> Reply:
        """Works on a large body in a process of its own, one after the other."""
        if waits := self._aside.is_busy():
            if self._gate.is_full():
                raise RefusedError(BUSY)
            self._row.add("waiting", 1)
        try:
            came = await self._aside.wait()
        finally:
            self._row.add("waiting", -waits)
        if not came:
            raise RefusedError(BUSY)
        exchange.begun()
        try:
            return await self._aside.reply(body, exchange.caller.content_type, exchange.caller.accept, exchange.id)
        except LostError as lost:
            exchange.lost = str(lost)
            return exchange.refusal(WORKER_LOST)
        finally:
            self._aside.leave()
