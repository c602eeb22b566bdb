"""Bodies that take long, answered by a process of their own while the event loop goes on.

A thread would share the interpreter's lock with the loop, and keep its memory; a fork has the model at hand, too, costs a millisecond or
two, can be ended when its time is over, and gives all its memory back.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import struct
from contextlib import suppress

from container.serving.responder import Reply, Responder

log = logging.getLogger(__name__)

_HEAD = struct.Struct(">HHQ")  # status, characters of the content type, bytes of the body
_PIECE = 1 << 20
# A body is answered in the event loop if it is one request, or this many lines or objects at most: some milliseconds.
LARGE_BYTES = 256 * 1024
MANY_REQUESTS = 64


def is_large(body: bytes, content_type: str | None, by_line: bool) -> bool:
    """Returns whether a body may take so long that others would notice. ``by_line``: it is one of batch transform."""
    if len(body) > LARGE_BYTES:
        return True
    kind = (content_type or "").lower()
    if not by_line and body.lstrip()[:1] == b"{" and "lines" not in kind and "csv" not in kind:
        return False
    return body.count(b"\n") + body.count(b"\r") + body.count(b"{") > MANY_REQUESTS


class Aside:
    """Answers one body at a time in a forked process."""

    def __init__(self, responder: Responder, timeout: float) -> None:
        self._responder = responder
        self._timeout = timeout
        self._one_at_a_time = asyncio.Semaphore(1)

    def is_busy(self) -> bool:
        """Returns whether the next body would have to wait."""
        return self._one_at_a_time.locked()

    async def wait(self) -> bool:
        """Waits for the turn of a body, which ends with ``leave``. Returns False where it does not come in time."""
        try:
            await asyncio.wait_for(self._one_at_a_time.acquire(), self._timeout)
        except TimeoutError:
            return False
        return True

    def leave(self) -> None:
        self._one_at_a_time.release()

    async def reply(self, body: bytes, content_type: str | None, accept: str | None, request_id: str) -> Reply | None:
        """Returns the answer; None where the process ended without one, or took longer than the timeout."""
        reading, writing = os.pipe()
        process = os.fork()
        if process == 0:
            self._work(writing, body, content_type, accept, request_id)
        os.close(writing)
        try:
            answer = await asyncio.wait_for(_read(reading), self._timeout)
        except TimeoutError:
            log.error("request id=%s lost: it took longer than %g s", request_id, self._timeout)
            return None
        finally:
            os.close(reading)
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)  # after its last byte it only ends; where the caller is gone it must
            _, status = os.waitpid(process, 0)
        if (reply := _unpack(answer)) is None:
            log.error("request id=%s lost: the process that worked on it ended (status %d)", request_id, status)
        return reply

    def _work(self, writing: int, body: bytes, content_type: str | None, accept: str | None, request_id: str) -> None:
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            # Else the connections that the worker closes would stay open here.
            os.closerange(3, writing)
            os.closerange(writing + 1, os.sysconf("SC_OPEN_MAX"))
            reply = self._responder.reply(body, content_type, accept, request_id)
            head = _HEAD.pack(reply.status, len(reply.content_type), len(reply.body)) + reply.content_type.encode("ascii")
            for part in (head, reply.body):
                view = memoryview(part)
                while view:
                    view = view[os.write(writing, view) :]
        finally:
            os._exit(0)


async def _read(pipe: int) -> bytes:
    """Reads all that comes until the other end is closed."""
    loop, ended, parts = asyncio.get_running_loop(), asyncio.Event(), []
    os.set_blocking(pipe, False)

    def read() -> None:
        with suppress(BlockingIOError):
            if piece := os.read(pipe, _PIECE):
                parts.append(piece)
            else:
                ended.set()
                loop.remove_reader(pipe)

    loop.add_reader(pipe, read)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(pipe)
    return b"".join(parts)


def _unpack(answer: bytes) -> Reply | None:
    if len(answer) < _HEAD.size:
        return None
    status, characters, size = _HEAD.unpack_from(answer)
    start = _HEAD.size + characters
    return Reply(status, answer[_HEAD.size : start].decode("ascii"), answer[start:]) if len(answer) == start + size else None
