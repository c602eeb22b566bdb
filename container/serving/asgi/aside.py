"""Bodies that take long, answered by a process of their own while the event loop goes on.

A thread would share the interpreter's lock with the loop, and keep its memory; a fork has the model at hand, too, can be ended when its
time is over, and gives all its memory back. To make one, and its memory, takes as long as to answer some hundred listeners: so it is
kept for the bodies that follow at once.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
import socket
import struct
from collections import Counter
from contextlib import suppress
from typing import Any

from container.serving.account import Account
from container.serving.responder import Reply, Responder

_ASKED = struct.Struct(">IQ")  # bytes of the headers and of the body
_HEAD = struct.Struct(">HHIQ")  # status, characters of the content type and of the account, bytes of the body
_PIECE = 1 << 20
# A process is kept for so long, and only after bodies so small, the answer among it, that its memory is not worth more.
_SECONDS_KEPT = 5.0
_KEPT_BYTES = 4 << 20
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
        self._helper: Helper | None = None
        self._end_of_helper: asyncio.TimerHandle | None = None

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
        helper = self._take()
        keep = False
        try:
            reply = await asyncio.wait_for(helper.reply(body, content_type, accept, request_id), self._timeout)
            keep = reply is not None and len(body) + len(reply.body) <= _KEPT_BYTES
        except TimeoutError:
            raise LostError(f"It took longer than {self._timeout:g} s.") from None
        finally:
            if keep:
                self._helper = helper
                self._end_of_helper = asyncio.get_running_loop().call_later(_SECONDS_KEPT, self.close)
            else:
                status = helper.end()
        if reply is None:
            how = f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else f"exit code {os.WEXITSTATUS(status)}"
            raise LostError(f"The process that worked on it ended ({how}).")
        return reply

    def _take(self) -> Helper:
        """Returns the process that was kept, if it still lives, or a new one."""
        if self._end_of_helper is not None:
            self._end_of_helper.cancel()
        helper, self._helper, self._end_of_helper = self._helper, None, None
        if helper is not None and helper.has_ended():
            helper.end()
            helper = None
        return Helper(self._responder) if helper is None else helper

    def close(self) -> None:
        """Ends the process that was kept, if there is one."""
        if self._helper is not None:
            self._helper.end()
            self._helper = None


class Helper:
    """A forked process that answers one body after the other, until ``end``."""

    def __init__(self, responder: Responder) -> None:
        """Raises ``OSError`` where there can be no more processes."""
        self._connection, theirs = socket.socketpair()
        with theirs:
            try:
                self._process = os.fork()
            except OSError:
                self._connection.close()
                raise
            if self._process == 0:
                _work(theirs, responder)
        self._connection.setblocking(False)

    async def reply(self, body: bytes, content_type: str | None, accept: str | None, request_id: str) -> Reply | None:
        """Returns the answer, or None where the process ended without one."""
        loop = asyncio.get_running_loop()
        headers = json.dumps([content_type, accept, request_id]).encode("ascii")
        answer = bytearray()
        try:
            await loop.sock_sendall(self._connection, _ASKED.pack(len(headers), len(body)) + headers + body)
            while (reply := _unpack(answer)) is None:
                if not (piece := await loop.sock_recv(self._connection, _PIECE)):
                    return None
                answer += piece
        except OSError:  # it ended while we wrote
            return None
        return reply

    def has_ended(self) -> bool:
        """Returns whether the process is no more, though nobody has ended it."""
        return os.waitid(os.P_PID, self._process, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def end(self) -> int:
        """Ends the process, whatever it does, and returns its status as ``os.waitpid`` has it."""
        self._connection.close()
        with suppress(ProcessLookupError):
            os.kill(self._process, signal.SIGKILL)
        return os.waitpid(self._process, 0)[1]


def _work(connection: socket.socket, responder: Responder) -> None:
    """The life of a helper: it ends when there is nobody left to ask."""
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        # Else the connections that the worker closes would stay open here.
        os.closerange(3, connection.fileno())
        os.closerange(connection.fileno() + 1, os.sysconf("SC_OPEN_MAX"))
        gc.disable()  # what a body needs is all let go together
        asked = connection.makefile("rb")
        while len(head := asked.read(_ASKED.size)) == _ASKED.size:
            of_headers, of_body = _ASKED.unpack(head)
            headers = json.loads(asked.read(of_headers))
            reply = responder.reply(asked.read(of_body), *headers)
            connection.sendall(_head(reply))
            connection.sendall(reply.body)
            del reply
            gc.collect()
    finally:
        os._exit(0)


def _head(reply: Reply) -> bytes:
    content_type, account = reply.content_type.encode("ascii"), json.dumps(_account_fields(reply.account)).encode("ascii")
    return _HEAD.pack(reply.status, len(content_type), len(account), len(reply.body)) + content_type + account


def _unpack(answer: bytearray) -> Reply | None:
    """Returns the answer, or None where some of it is still to come."""
    if len(answer) < _HEAD.size:
        return None
    status, of_type, of_account, size = _HEAD.unpack_from(answer)
    account = _HEAD.size + of_type
    body = account + of_account
    if len(answer) != body + size:
        return None
    return Reply(status, answer[_HEAD.size : account].decode("ascii"), bytes(answer[body:]), _account(json.loads(answer[account:body])))


def _account_fields(account: Account | None) -> dict[str, Any] | None:
    if account is None:
        return None
    numbers = {name: getattr(account, name) for name in Account.__slots__ if not name.startswith("_")}
    return numbers | {"answers": [[*key, count] for key, count in account.answers.items()]}


def _account(fields: dict[str, Any] | None) -> Account | None:
    if fields is None:
        return None
    return Account(**fields | {"answers": Counter({(listener, kind): count for listener, kind, count in fields["answers"]})})
