"""What multi-model-server's front and a worker say to each other on their socket: frames with requests, and frames with answers.

The formats are those of ``mms.protocol.otf_message_handler``. Lengths and numbers have four bytes, the first one the highest:

    requests   "I", for each: id, headers (name, value), END, parameters (name, type, value), END; then END
    answers    200, no text, for each: id, content type, status, no phrase, number of headers, headers (name, value), body; then END

The package reads them piece by piece, some forty system calls for a small request; here it is one.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterable
from dataclasses import dataclass

REQUESTS = b"I"
_END = -1
_AT_ONCE = 65_536  # bytes of a small read
_MOST_AT_ONCE = 1 << 20
_NUMBER = struct.Struct("!i")
_TWO_NUMBERS = struct.Struct("!ii")


@dataclass(slots=True)
class FramedRequest:
    """One request. The names of ``headers`` are in lower case."""

    id: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class FramedAnswer:
    """One answer, to the request of this ``id``."""

    id: str
    status: int
    content_type: str
    headers: dict[str, str]
    body: bytes


class FrameReader:
    """Reads what arrives on a connected, blocking socket. Raises ``ConnectionError`` once the other side has closed it."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._buffer = bytearray()
        self._place = 0

    def recv(self, size: int) -> bytes:
        """Returns exactly so many bytes; called as a socket's, by what reads the other frames."""
        end = self._place + size
        if len(self._buffer) < end:
            end = self._fill(size)
        piece = bytes(memoryview(self._buffer)[self._place : end])
        self._place = end
        return piece

    def requests(self) -> list[FramedRequest]:
        """Returns the requests of a frame whose first byte was ``REQUESTS``."""
        found = []
        while (length := self._number()) != _END:
            id_ = str(self.recv(length), "utf-8")
            headers = {}
            while (length := self._number()) != _END:
                name = str(self.recv(length), "utf-8")
                headers[name] = str(self.recv(self._number()), "utf-8")
            body = b""
            while (length := self._number()) != _END:
                self.recv(length)  # our front sends one parameter only, the body, without a type
                self.recv(self._number())
                body = self.recv(self._number())
            found.append(FramedRequest(id_, headers, body))
        if len(self._buffer) > _AT_ONCE:  # a large body is not kept while its answer is made
            self._buffer, self._place = self._buffer[self._place :], 0
        return found

    def _number(self) -> int:
        if len(self._buffer) < self._place + 4:
            self._fill(4)
        (number,) = _NUMBER.unpack_from(self._buffer, self._place)
        self._place += 4
        return int(number)

    def _fill(self, size: int) -> int:
        """Reads until so many bytes are there, and returns where they end."""
        del self._buffer[: self._place]
        self._place = 0
        while (missing := size - len(self._buffer)) > 0:
            piece = self._connection.recv(min(max(missing, _AT_ONCE), _MOST_AT_ONCE))
            if not piece:
                raise ConnectionError("the front has closed the connection")
            self._buffer += piece
        return size


def answer_frame(answers: Iterable[FramedAnswer]) -> bytes:
    """Returns the frame with the answers."""
    pieces = [_TWO_NUMBERS.pack(200, 0)]
    for answer in answers:
        for text in (answer.id.encode(), answer.content_type.encode()):
            pieces += [_NUMBER.pack(len(text)), text]
        pieces += [_TWO_NUMBERS.pack(answer.status, 0), _NUMBER.pack(len(answer.headers))]
        for header in answer.headers.items():
            for text in map(str.encode, header):
                pieces += [_NUMBER.pack(len(text)), text]
        pieces += [_NUMBER.pack(len(answer.body)), answer.body]
    pieces.append(_NUMBER.pack(_END))
    return b"".join(pieces)
