"""uvicorn's HTTP protocol with what it leaves open: limits in bytes and seconds, errors in our own form, and a gentle end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from container.serving.asgi.caller import Caller
from container.serving.asgi.exchange import Exchange
from container.serving.asgi.journal import Journal
from container.serving.asgi.problems import BAD_HTTP, TOO_SLOW, Problem


@dataclass(frozen=True)
class Limits:
    """What a connection may take. Seconds: ``idle`` between two requests, ``headers`` and ``body`` from the first byte to the last,
    ``stuck`` while a caller takes nothing of his answer, ``linger`` for what he still sends after an answer that ended the connection.
    ``head_bytes``: of the headers; twice as many may come after them without anything of the body."""

    idle: float = 65  # longer than the platform's own timeout for a request, so that we never hang up first
    headers: float = 10
    body: float = 60
    stuck: float = 30
    linger: float = 5
    head_bytes: int = 8192


class TooLongError(Exception):
    """The headers are over the limit."""


class GentleTransport:
    """A transport whose ``close`` sends the end, and reads and drops what the caller still sends for a while: closing at once would make
    the system throw the answer away at his side."""

    def __init__(self, transport: Any, seconds: float) -> None:
        self._transport = transport
        self._seconds = seconds
        self._closed = False
        self.more_expected: Callable[[], bool] = lambda: False
        self.write, self.pause_reading, self.resume_reading = transport.write, transport.pause_reading, transport.resume_reading
        self.get_extra_info, self.abort = transport.get_extra_info, transport.abort
        self.get_write_buffer_size = transport.get_write_buffer_size

    def is_closing(self) -> bool:
        return self._closed or self._transport.is_closing()

    def close(self) -> None:
        """Ends the connection; at once where nothing more is expected, or when asked again."""
        if self._closed or not self.more_expected():
            self._transport.close()
        else:
            self._transport.write_eof()
            self._transport.resume_reading()
        self._closed = True
        asyncio.get_running_loop().call_later(self._seconds, self._transport.abort)  # also where he does not take the answer


class Protocol(HttpToolsProtocol):
    """One connection. ``limits`` and ``journal`` are set by whoever runs the server."""

    limits: Limits
    journal: Journal
    closed: Callable[[], None] = staticmethod(lambda: None)  # called when a connection has ended

    def connection_made(self, transport: Any) -> None:
        gentle = GentleTransport(transport, self.limits.linger)
        gentle.more_expected = lambda: self._receiving
        super().connection_made(gentle)  # type: ignore[arg-type]
        self._receiving = False  # a request has begun and not ended
        self._in_head = False
        self._head_bytes = 0  # in whole headers and trailers of this request
        self._progress = False  # a request has begun, or more of a body has come
        self._empty_bytes = 0  # that came without any of it: headers, trailers, what stands around the pieces of a body
        self._timer: asyncio.TimerHandle | None = self.loop.call_later(self.limits.idle, self.timeout_keep_alive_handler)
        self._stuck_timer: asyncio.TimerHandle | None = None

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        self.resume_writing()
        self._unset_keepalive_if_required()
        super().connection_lost(exc)
        self.closed()

    def data_received(self, data: bytes) -> None:
        """Reads what has come, and sees to it that a request arrives in time and within the limits."""
        if self.transport.is_closing():
            return
        self._progress = False
        super().data_received(data)
        if not self._receiving:
            self._stop_timer()
            return
        self._empty_bytes = 0 if self._progress else self._empty_bytes + len(data)
        if self._empty_bytes > 2 * self.limits.head_bytes and not self.transport.is_closing():
            self._refuse(BAD_HTTP)
        elif self._timer is None or self._in_head is not self._timed_head:
            self._start_timer()

    def eof_received(self) -> bool | None:  # type: ignore[override]
        """Keeps the connection of a caller who has said all and waits for the answer."""
        waiting = self.cycle is not None and not self.cycle.response_complete and not self.cycle.more_body
        if waiting:
            self.cycle.keep_alive = False
        return waiting and not self.transport.is_closing()

    # --- what is written --------------------------------------------------------------------------------------------------------------

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch_writing(self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._stuck_timer is not None:
            self._stuck_timer.cancel()
            self._stuck_timer = None

    def _watch_writing(self, left: int) -> None:
        """Hangs up on a caller who takes nothing of his answer; ``left``: the bytes that he has not taken yet."""

        def look() -> None:
            now_left = self.transport.get_write_buffer_size()
            if now_left < left:
                self._watch_writing(now_left)
            else:
                self.transport.abort()

        self._stuck_timer = self.loop.call_later(self.limits.stuck, look)

    # --- what is read -----------------------------------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._stop_timer()
        self._receiving = self._in_head = self._progress = True
        self._head_bytes = 0

    def on_url(self, url: bytes) -> None:
        self._head_bytes += len(url)
        if self._head_bytes > self.limits.head_bytes:
            raise TooLongError
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head_bytes += len(name) + len(value) + 4
        if self._head_bytes > self.limits.head_bytes:
            raise TooLongError
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self._in_head = False
        if self.parser.should_upgrade():  # to nothing that we know: whatever follows is not HTTP/1.1
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        self._progress = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._receiving = False
        super().on_message_complete()

    # --- time and errors --------------------------------------------------------------------------------------------------------------

    def _start_timer(self) -> None:
        self._stop_timer()
        self._timed_head = self._in_head
        self._timer = self.loop.call_later(self.limits.headers if self._in_head else self.limits.body, self._too_slow)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _too_slow(self) -> None:
        self._timer = None
        if not self._in_head and self.cycle.response_started:  # it was answered before its end, which never came
            self.transport.abort()
            return
        if not self._in_head:  # the application waits for the body
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self._refuse(TOO_SLOW)

    def send_400_response(self, msg: str) -> None:
        self._receiving = True
        self._refuse(BAD_HTTP)

    def _refuse(self, problem: Problem) -> None:
        """Answers instead of the application, and ends the connection; without an answer where another one is still to come."""
        self._stop_timer()
        active = self.cycle is not None and not self.cycle.response_complete and not self.cycle.disconnected
        if active:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if not active or not self.cycle.response_started:
            exchange = Exchange(Caller(()), "unknown", self.journal)
            reply = exchange.refusal(problem)
            headers = [*exchange.headers(reply), (b"connection", b"close")]
            lines = b"".join(name + b": " + value + b"\r\n" for name, value in headers)
            self.transport.write(STATUS_LINE[problem.status] + lines + b"\r\n" + reply.body)
        self.transport.close()
