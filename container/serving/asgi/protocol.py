"""HTTP/1.1 for uvicorn's server: a connection that reads requests, has them answered in their order, and keeps to limits in bytes and
seconds.

uvicorn's own protocol makes a task, an event and a dozen dictionaries of each request, to hand it to any application there may be. Ours
answers most requests in the call that has read them; what has to wait comes as a coroutine.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

import httptools

from container.serving.asgi.app import App
from container.serving.asgi.asked import Asked, Limits
from container.serving.asgi.caller import Caller
from container.serving.asgi.gentle import GentleTransport
from container.serving.asgi.problems import BAD_HTTP, TOO_SLOW, WORKER_LOST, Problem
from container.serving.responder import Reply

log = logging.getLogger(__name__)


class TooLongError(Exception):
    """The headers are over the limit."""


EXPECTED = (TooLongError, httptools.HttpParserInvalidURLError)  # of callers; what else goes wrong while reading is our mistake


class Protocol(asyncio.Protocol):
    """One connection. ``app``, ``limits`` and ``closed`` are set by whoever runs the server, which makes it as one of uvicorn's."""

    app: App
    limits: Limits
    closed: Callable[[], None] = staticmethod(lambda: None)  # called when a connection has ended

    def __init__(self, config: Any, server_state: Any, app_state: dict[str, Any], _loop: asyncio.AbstractEventLoop | None = None) -> None:
        self._loop = _loop or asyncio.get_running_loop()
        self._connections, self._tasks = server_state.connections, server_state.tasks
        self._parser = httptools.HttpRequestParser(self)
        self._parser.set_dangerous_leniencies(lenient_data_after_close=True)  # a request behind one that ends the connection is not read
        self._queue: deque[Asked] = deque()  # not answered yet, the oldest first
        self._newest: Asked | None = None  # whose body is read
        self._working = False  # on the first of the queue, which has to wait
        self._taking = True  # the caller takes what is written
        self._receiving = False  # a request has begun and not ended
        self._in_head = False
        self._url = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._head_bytes = 0  # in whole headers and trailers of this request
        self._progress = False  # a request has begun, or more of a body has come
        self._empty_bytes = 0  # that came without any of it: headers, trailers, what stands around the pieces of a body
        self._timer: asyncio.TimerHandle | None = None
        self._timed_head = False
        self._stuck_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        self._transport = GentleTransport(transport, self.limits.linger)
        self._transport.more_expected = lambda: self._receiving
        self._connections.add(self)
        self._idle_since = self._loop.time()
        self._idle_timer = self._loop.call_later(self.limits.idle, self._look_whether_idle)

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self)
        self._stop_timer()
        self._idle_timer.cancel()
        self._drop_queue()
        self.resume_writing()
        self.closed()
        del self._parser  # which holds this connection, too

    def shutdown(self) -> None:
        """Ends the connection, after the answers that are due."""
        if self._queue:
            self._queue[-1].keep_alive = False
        else:
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        """Reads what has come, and sees to it that a request arrives in time and within the limits."""
        if self._transport.is_closing():
            return
        self._progress = False
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            if isinstance(error, httptools.HttpParserCallbackError) and not isinstance(error.__context__, EXPECTED):
                log.exception("a request could not be read")
            self._receiving = True
            self._refuse(BAD_HTTP)
        except httptools.HttpParserUpgrade:  # to nothing that we know: the connection ends with the answer
            pass
        closing, full = self._transport.is_closing(), not self._may_read()
        if full and not closing:
            self._transport.pause_reading()
        if full or not self._receiving:
            self._stop_timer()
            return
        if closing:
            return
        self._empty_bytes = 0 if self._progress else self._empty_bytes + len(data)
        if self._empty_bytes > 2 * self.limits.head_bytes:
            self._refuse(BAD_HTTP)
        elif self._timer is None or self._in_head is not self._timed_head:
            self._start_timer()

    def _may_read(self) -> bool:
        return len(self._queue) <= (1 if self._taking else 0)

    def _read_on(self) -> None:
        if not self._transport.is_closing() and self._may_read():
            self._transport.resume_reading()
            if self._receiving and self._timer is None:
                self._start_timer()

    def eof_received(self) -> bool:
        """Keeps the connection of a caller who has said all and waits for the answer."""
        if not self._queue or self._receiving or self._transport.is_closing():
            return False
        self._queue[-1].keep_alive = False
        return True

    # --- what is read -----------------------------------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        self._stop_timer()
        self._receiving = self._in_head = self._progress = True
        self._url, self._headers, self._head_bytes = b"", [], 0

    def on_url(self, url: bytes) -> None:
        self._count(len(url))
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value) + 4)
        self._headers.append((name.lower(), value))

    def _count(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > self.limits.head_bytes:
            raise TooLongError

    def on_headers_complete(self) -> None:
        self._in_head = False
        if self._transport.is_closing():  # it comes after the last request that is answered
            return
        method, parser = self._parser.get_method(), self._parser
        caller = Caller(self._headers)
        exchange = self.app.exchange(caller, httptools.parse_url(self._url).path)
        keep_alive = parser.should_keep_alive() and parser.get_http_version() != "1.0" and not parser.should_upgrade()
        asked = self._newest = Asked(exchange, keep_alive, method == b"HEAD", caller.awaits_continue)
        asked.reply = self.app.refusal(exchange, method)
        self._queue.append(asked)
        self._go_on()

    def on_body(self, body: bytes) -> None:
        self._progress = True
        asked = self._newest
        if asked is None or asked.over or asked.reply is not None:
            return
        asked.held += len(body)
        asked.parts.append(body)
        asked.reply = self.app.hold(asked.exchange, len(body), asked.held)
        if asked.reply is not None:
            self._release(asked)
            self._go_on()

    def on_message_complete(self) -> None:
        self._receiving = False
        if self._newest is not None:
            self._newest.whole, self._newest = True, None
        self._go_on()

    # --- what is answered -------------------------------------------------------------------------------------------------------------

    def _go_on(self) -> None:
        """Answers what can be answered, in the order of the requests."""
        while self._queue and self._taking and not self._working and not self._transport.is_closing():
            asked = self._queue[0]
            if asked.reply is not None:
                self._answer(asked, asked.reply)
            elif asked.whole:
                body = asked.parts[0] if len(asked.parts) == 1 else b"".join(asked.parts)
                answer = self.app.answer(asked.exchange, body)
                if isinstance(answer, Reply):
                    self._answer(asked, answer)
                else:
                    self._working = True
                    task = self._loop.create_task(self._wait_for(asked, answer))
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)
            else:
                if asked.awaited:
                    self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                    asked.awaited = False
                return

    async def _wait_for(self, asked: Asked, answer: Coroutine[Any, Any, Reply]) -> None:
        try:
            reply = await answer
        except Exception:
            log.exception("request id=%s failed", asked.exchange.id)
            reply = asked.exchange.refusal(WORKER_LOST)
        self._working = False
        self._answer(asked, reply)
        self._go_on()
        self._read_on()

    def _answer(self, asked: Asked, reply: Reply) -> None:
        head = asked.exchange.head(reply, asked.keep_alive)
        self._release(asked)
        if not asked.over:
            asked.over = True
            self._queue.popleft()
            if not self._transport.is_closing():
                self._transport.write(head if asked.is_head else head + reply.body)
            if not asked.keep_alive:
                self._drop_queue()
                self._transport.close()
        self._idle_since = self._loop.time()
        asked.exchange.answered()

    def _release(self, asked: Asked) -> None:
        self.app.release(asked.held)
        asked.held, asked.parts = 0, []

    def _drop_queue(self) -> None:
        for asked in self._queue:
            asked.over = True
            if not self._working or asked is not self._queue[0]:  # else it is released when the work has ended
                self._release(asked)
        self._queue.clear()

    def pause_writing(self) -> None:
        self._taking = False
        self._watch_writing(self._transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        self._taking = True
        if self._stuck_timer is not None:
            self._stuck_timer.cancel()
        self._go_on()
        self._read_on()

    def _watch_writing(self, left: int) -> None:
        """Hangs up on a caller who takes nothing of his answer; ``left``: the bytes that he has not taken yet."""

        def look() -> None:
            now_left = self._transport.get_write_buffer_size()
            if now_left < left:
                self._watch_writing(now_left)
            else:
                self._transport.abort()

        self._stuck_timer = self._loop.call_later(self.limits.stuck, look)

    # --- time and errors --------------------------------------------------------------------------------------------------------------

    def _look_whether_idle(self) -> None:
        """Hangs up where nothing has been asked for long. One timer for the life of a connection is less than one for each request."""
        left = self.limits.idle
        if not self._queue and not self._receiving:
            left += self._idle_since - self._loop.time()
        if left > 0:
            self._idle_timer = self._loop.call_later(left, self._look_whether_idle)
        elif not self._transport.is_closing():
            self._transport.close()

    def _start_timer(self) -> None:
        self._stop_timer()
        self._timed_head = self._in_head
        self._timer = self._loop.call_later(self.limits.headers if self._in_head else self.limits.body, self._too_slow)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _too_slow(self) -> None:
        self._timer = None
        if self._newest is not None and self._newest.over:  # it was answered before its end, which never came
            self._transport.abort()
        else:
            self._refuse(TOO_SLOW)

    def _refuse(self, problem: Problem) -> None:
        """Answers instead of the application, and ends the connection."""
        self._stop_timer()
        answered = self._newest is not None and self._newest.over
        self._drop_queue()
        if not answered and not self._transport.is_closing():
            reply = (exchange := self.app.exchange(Caller(()), None)).refusal(problem)
            self._transport.write(exchange.head(reply, keep_alive=False) + reply.body)
        self._transport.close()
