"""HTTP by hand: sends exactly the bytes that it is given, right or wrong, and reads the answers."""

from __future__ import annotations

import json
import select
import socket
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

_PIECE = 1 << 16


@dataclass(frozen=True)
class Wire:
    """An HTTP answer; ``headers`` have small letters."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def post(path: str, body: bytes, headers: bytes = b"") -> bytes:
    """Returns a request with a body. ``headers``: more lines, each with its end."""
    return b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n%s\r\n%s" % (path.encode("latin-1"), len(body), headers, body)


class Connection:
    """A kept connection to 127.0.0.1, opened anew when it was closed."""

    def __init__(self, port: int, timeout: float = 60) -> None:
        self._port, self._timeout = port, timeout
        self._socket: socket.socket | None = None
        self._rest = b""

    def ask(self, request: bytes) -> Wire:
        """Returns the answer to one whole request. Raises ``OSError`` where none comes."""
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=self._timeout)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._rest = b""
        try:
            # A server that refuses a body may answer and hang up before it has read all of it.
            with suppress(ConnectionError):
                self._socket.sendall(request)
            answer = self._read(self._socket)
        except BaseException:
            self.close()
            raise
        if answer.headers.get("connection", "").lower() == "close":
            self.close()
        return answer

    def was_closed(self) -> bool:
        """Returns whether the server has ended the kept connection since the last answer, so that a request on it would be lost."""
        return self._socket is not None and not self._rest and bool(select.select([self._socket], [], [], 0)[0])

    def _read(self, connection: socket.socket) -> Wire:
        data = self._rest
        while (found := first_answer(data)) is None:
            piece = connection.recv(_PIECE)
            if not piece:
                raise ConnectionError("the server has hung up without a whole answer")
            data += piece
        answer, self._rest = found
        return answer

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def first_answer(data: bytes, bodiless: bool = False) -> tuple[Wire, bytes] | None:
    """Returns the first answer and the bytes after it; None where it is not whole. ``bodiless``: it announces a body and has none (HEAD).
    Raises ``ValueError`` where this is no HTTP."""
    head, end, rest = data.partition(b"\r\n\r\n")
    if not end:
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    version, status, *_ = first.split(" ", 2)
    if version not in ("HTTP/1.1", "HTTP/1.0"):
        raise ValueError(f"an answer begins with {first[:40]!r}")
    pairs = (line.partition(":") for line in lines)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    size = 0 if bodiless or status in ("100", "204", "304") else int(headers.get("content-length", "0"))
    return None if len(rest) < size else (Wire(int(status), headers, rest[:size]), rest[size:])


def answers_in(data: bytes, bodiless: bool = False) -> tuple[list[Wire], bytes]:
    """Returns all whole answers and what is left."""
    found = []
    while data and (one := first_answer(data, bodiless)) is not None:
        found.append(one[0])
        data = one[1]
    return [answer for answer in found if answer.status != 100], data


def throw(port: int, pieces: list[bytes], *, half_close: bool, patience: float) -> bytes:
    """Sends the pieces over a connection of their own and returns what comes back until the server hangs up, or says nothing for
    ``patience`` seconds. ``half_close``: then the sender says that nothing more will come."""
    received = b""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        with suppress(OSError):  # the server has had enough of it
            for piece in pieces:
                connection.sendall(piece)
            if half_close:
                connection.shutdown(socket.SHUT_WR)
        connection.settimeout(patience)
        with suppress(OSError):
            while piece := connection.recv(_PIECE):
                received += piece
    return received
