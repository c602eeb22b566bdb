"""Bodies that take long, answered by a process of their own while the event loop goes on.

A thread would share the interpreter's lock with the loop, and keep its memory; a fork has the model at hand, too, costs a millisecond or
two, can be ended when its time is over, and gives all its memory back.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import struct
from collections import Counter
from contextlib import suppress
from typing import Any

from container.serving.account import Account
from container.serving.responder import Reply, Responder

_HEAD = struct.Struct(">HHIQ")  # status, characters of the content type and of the account, bytes of the body
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


class LostError(Exception):
    """There is no answer, and the message says why."""


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

    async def reply(self, body: bytes, content_type: str | None, accept: str | None, request_id: str) -> Reply:
        """Returns the answer. Raises ``LostError`` where the process ended without one, or took longer than the timeout."""
        reading, writing = os.pipe()
        process = os.fork()
        if process == 0:
            self._work(writing, body, content_type, accept, request_id)
        os.close(writing)
        try:
            answer = await asyncio.wait_for(_read(reading), self._timeout)
        except TimeoutError:
            raise LostError(f"It took longer than {self._timeout:g} s.") from None
        finally:
            os.close(reading)
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)  # after its last byte it only ends; where the caller is gone it must
            _, status = os.waitpid(process, 0)
        if (reply := _unpack(answer)) is None:
            how = f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else f"exit code {os.WEXITSTATUS(status)}"
            raise LostError(f"The process that worked on it ended ({how}).")
        return reply

    def _work(self, writing: int, body: bytes, content_type: str | None, accept: str | None, request_id: str) -> None:
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            # Else the connections that the worker closes would stay open here.
            os.closerange(3, writing)
            os.closerange(writing + 1, os.sysconf("SC_OPEN_MAX"))
            reply = self._responder.reply(body, content_type, accept, request_id)
            for part in (_head(reply), reply.body):
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


def _head(reply: Reply) -> bytes:
    content_type, account = reply.content_type.encode("ascii"), json.dumps(_account_fields(reply.account)).encode("ascii")
    return _HEAD.pack(reply.status, len(content_type), len(account), len(reply.body)) + content_type + account


def _unpack(answer: bytes) -> Reply | None:
    if len(answer) < _HEAD.size:
        return None
    status, of_type, of_account, size = _HEAD.unpack_from(answer)
    account = _HEAD.size + of_type
    body = account + of_account
    if len(answer) != body + size:
        return None
    return Reply(status, answer[_HEAD.size : account].decode("ascii"), answer[body:], _account(json.loads(answer[account:body])))


def _account_fields(account: Account | None) -> dict[str, Any] | None:
    if account is None:
        return None
    numbers = {name: getattr(account, name) for name in Account.__slots__ if not name.startswith("_")}
    return numbers | {"answers": [[*key, count] for key, count in account.answers.items()]}


def _account(fields: dict[str, Any] | None) -> Account | None:
    if fields is None:
        return None
    return Account(**fields | {"answers": Counter({(listener, kind): count for listener, kind, count in fields["answers"]})})
