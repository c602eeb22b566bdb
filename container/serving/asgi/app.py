"""The application: /ping, /metrics, /invocations and /execution-parameters, as `serving/java/src/serving/Routes.java` has them."""

from __future__ import annotations

import time
from collections.abc import Coroutine
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
)
from container.serving.metrics import CONTENT_TYPE, alone, render
from container.serving.responder import JSON, Reply, Responder
from container.serving.settings import MEGABYTE, Settings

_ROUTES = {b"/ping": "ping", b"/metrics": "metrics", b"/invocations": "invocations", b"/execution-parameters": "execution-parameters"}


class App:
    """Answers the requests of one worker. ``metrics``: where all processes count.

    Of each request it is asked in this order: ``exchange``, ``refusal``, ``hold`` for each piece of the body, ``answer``, ``release``.
    """

    def __init__(
        self, responder: Responder, settings: Settings, board: Board, row: Row, journal: Journal, counts: WorkerCounts, metrics: Path
    ) -> None:
        self._responder, self._settings, self._board, self._row = responder, settings, board, row
        self._journal, self._counts, self._metrics = journal, counts, metrics
        self._gate = Gate(board, row, settings.queue_size)
        self._aside = Aside(responder, settings.timeout)
        # As much as the other engine lets its heap hold.
        self._max_bytes = max(settings.max_payload, settings.heap_mb * MEGABYTE // 4)

    def close(self) -> None:
        """Ends what it has started. To be called when nothing is answered any more."""
        self._aside.close()

    def exchange(self, caller: Caller, path: bytes | None) -> Exchange:
        """Returns a new one. ``path``: None where it is not known."""
        return Exchange(caller, "unknown" if path is None else _ROUTES.get(path, "unknown"), self._journal)

    def refusal(self, exchange: Exchange, method: bytes) -> Reply | None:
        """Returns the answer that needs no body, or None where the body has to be read."""
        caller, route = exchange.caller, exchange.route
        if caller.expects:
            exchange.route, exchange.bytes_in = "unknown", None
            return exchange.refusal(BAD_EXPECTATION)
        if (caller.content_length or 0) > self._settings.max_payload:
            return self._too_large(exchange)
        if route != "invocations":
            return self._told(exchange, route, method)
        if caller.target is not None:
            return exchange.refusal(ONE_MODEL)
        return None if method == b"POST" else exchange.refusal(USE_POST)

    def _told(self, exchange: Exchange, route: str, method: bytes) -> Reply:
        """Returns what the server says of itself, whatever the body."""
        if route == "unknown":
            return exchange.refusal(NOT_FOUND)
        if method != b"GET":
            return exchange.refusal(USE_GET)
        if route == "metrics":
            return Reply(200, CONTENT_TYPE, self._scrape().encode("utf-8"))
        if route == "execution-parameters":
            return Reply(200, JSON, self._settings.execution_parameters().encode("ascii"))
        return Reply(200, "", b"") if self._board.is_ready() else exchange.refusal(NOT_READY)

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

    def _too_large(self, exchange: Exchange) -> Reply:
        exchange.route, exchange.bytes_in = "oversized", None
        return exchange.refusal(TOO_LARGE)

    def hold(self, exchange: Exchange, more: int, size: int) -> Reply | None:
        """Counts ``more`` bytes of a body, of which ``size`` are there now. Returns an answer where that is too much."""
        self._row.add("bytes", more)
        if size > self._settings.max_payload:
            return self._too_large(exchange)
        return exchange.refusal(BUSY) if self._board.total("bytes") > self._max_bytes else None

    def release(self, size: int) -> None:
        """Counts so many bytes of bodies no longer."""
        self._row.add("bytes", -size)

    def answer(self, exchange: Exchange, body: bytes) -> Reply | Coroutine[Any, Any, Reply]:
        """Returns the answer to a whole body, or what will have it where that takes a while, or others are before it. Never raises."""
        exchange.received(len(body))
        if self._board.draining:  # else a caller who keeps asking keeps the server from ending
            return exchange.refusal(NOT_READY)
        exchange.model_version = self._responder.version
        if is_large(body, exchange.caller.content_type, self._settings.batch):
            return self._work_aside(exchange, body)
        if self._gate.is_closed():
            return self._work_later(exchange, body)
        self._row.add("working", 1)
        try:
            return self._work(exchange, body)
        finally:
            self._row.add("working", -1)

    def _work(self, exchange: Exchange, body: bytes) -> Reply:
        started = time.perf_counter()
        exchange.begun()
        try:
            return self._counted(exchange, self._responder.reply(body, exchange.caller.content_type, exchange.caller.accept, exchange.id))
        finally:
            self._gate.leave(started)

    def _counted(self, exchange: Exchange, reply: Reply) -> Reply:
        if reply.account is not None:
            exchange.account = reply.account
            self._counts.add(reply.account)
        return reply

    async def _work_later(self, exchange: Exchange, body: bytes) -> Reply:
        self._row.add("working", 1)
        try:
            return self._work(exchange, body) if await self._gate.enter() else exchange.refusal(BUSY)
        finally:
            self._row.add("working", -1)

    async def _work_aside(self, exchange: Exchange, body: bytes) -> Reply:
        """Works on a large body in a process of its own, one after the other."""
        self._row.add("working", 1)
        try:
            if not await self._turn_aside():
                return exchange.refusal(BUSY)
            exchange.begun()
            try:
                caller = exchange.caller
                return self._counted(exchange, await self._aside.reply(body, caller.content_type, caller.accept, exchange.id))
            except LostError as lost:
                exchange.lost = str(lost)
                return exchange.refusal(WORKER_LOST)
            finally:
                self._aside.leave()
        finally:
            self._row.add("working", -1)

    async def _turn_aside(self) -> bool:
        """Waits for the turn of a large body. Returns False where it does not come, or too many wait already."""
        if waits := self._aside.is_busy():
            if self._gate.is_full():
                return False
            self._row.add("waiting", 1)
        try:
            return await self._aside.wait()
        finally:
            self._row.add("waiting", -waits)
