"""One worker: a forked process with an event loop that answers the connections its parent hands to it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import uvicorn

from container.serving.account import FrontCounts, WorkerCounts
from container.serving.asgi.app import App
from container.serving.asgi.asked import Limits
from container.serving.asgi.board import Board
from container.serving.asgi.journal import Journal
from container.serving.asgi.protocol import Protocol
from container.serving.responder import Responder
from container.serving.settings import Settings

_SECONDS_TO_CLOSE = 2  # for answers that are still being taken when the server ends
_CONNECTIONS_AT_ONCE = 16


class Worker(uvicorn.Server):
    """uvicorn without listening: connections come through ``channel``, a socket of the parent's. SIGTERM ends it when its requests are
    answered."""

    def __init__(
        self, number: int, channel: socket.socket, responder: Responder, settings: Settings, board: Board, metrics: Path, limits: Limits
    ) -> None:
        self._channel, self._responder, self._row = channel, responder, board.row(number)
        counts = WorkerCounts.start(metrics)
        journal = Journal(FrontCounts(counts.counters), settings.python_log_level, as_json=not sys.stderr.isatty())
        self._app = app = App(responder, settings, board, self._row, journal, counts, metrics)
        closed = self._closed
        of_this_worker = {"app": app, "limits": limits, "closed": lambda self: closed()}
        self._protocol: Callable[..., Protocol] = type("BoundProtocol", (Protocol,), of_this_worker)
        super().__init__(
            uvicorn.Config(
                app.answer,  # called by uvicorn's own protocols only
                http=self._protocol,
                ws="none",
                loop="uvloop",
                lifespan="off",
                interface="asgi3",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                date_header=False,
                timeout_keep_alive=int(limits.idle),
                timeout_graceful_shutdown=_SECONDS_TO_CLOSE,
            )
        )
        logging.getLogger("uvicorn").setLevel(logging.CRITICAL)  # what it says of bad requests our own log says as well
        self._coming: set[asyncio.Task[object]] = set()
        self._untold = 0  # connections that were taken, which the parent does not know yet

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begins to take connections, once a request has been answered."""
        await super().startup(sockets=[])
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._stop)
        if self._responder.warm_up().status >= 500:
            raise SystemExit(1)
        self._row.beat()
        self._row.set("ready", 1)
        self._channel.setblocking(False)
        loop.add_reader(self._channel, self._take)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Ends when all that was asked is answered."""
        await super().shutdown(sockets=sockets)
        self._app.close()

    async def on_tick(self, counter: int) -> bool:
        self._row.beat()
        self._tell()
        return await super().on_tick(counter)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leaves signals to the event loop."""
        yield

    def _stop(self) -> None:
        self.should_exit = True

    def _take(self) -> None:
        for _ in range(_CONNECTIONS_AT_ONCE):
            try:
                message, descriptors, _, _ = socket.recv_fds(self._channel, 1, 1)
            except BlockingIOError:
                break
            if not message:  # the parent has ended
                os._exit(1)
            for descriptor in descriptors:
                task = asyncio.get_running_loop().create_task(self._serve_connection(socket.socket(fileno=descriptor)))
                self._coming.add(task)
                task.add_done_callback(self._coming.discard)
            if not descriptors:  # there was no room for it
                self._closed()
            self._untold += 1
        self._tell()

    def _tell(self) -> None:
        """Says to the parent that it need not keep the connections any longer that were taken."""
        if self._untold:
            with suppress(OSError):  # it has not heard the last times yet, or has ended
                self._channel.send(bytes([min(self._untold, 255)]))
                self._untold -= min(self._untold, 255)

    async def _serve_connection(self, connection: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        make = self._protocol
        try:
            await loop.connect_accepted_socket(lambda: make(self.config, self.server_state, {}, loop), connection)
        except OSError:  # he has left again
            with suppress(OSError):
                connection.close()
            self._closed()

    def _closed(self) -> None:
        self._row.add("closed", 1)


def run(number: int, channel: socket.socket, responder: Responder, settings: Settings, board: Board, metrics: Path) -> None:
    """Serves until SIGTERM. To be called in a process that was just forked; the caller ends it."""
    Worker(number, channel, responder, settings, board, metrics, Limits(body=settings.timeout)).run()
