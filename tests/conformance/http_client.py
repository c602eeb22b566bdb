"""Asks a server as the platform does, and takes the time of it; also inside a network that only the server's container has."""

from __future__ import annotations

import ctypes
import http.client
import json
import os
import socket
import threading
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

CLONE_NEWNET = 0x40000000


@dataclass(frozen=True)
class Answer:
    """An HTTP answer. ``headers`` have small letters. Seconds: until the connection stood, and from then to the answer's last byte."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    connected: float
    seconds: float

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def content_type(self) -> str:
        """Without parameters, in small letters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


def connect(port: int, timeout: float = 20, network_of: int | None = None) -> socket.socket:
    """Returns a connection to a port of loopback; with ``network_of``, of the network that this process is in, which takes root."""
    if network_of is None:
        return socket.create_connection(("127.0.0.1", port), timeout)
    made: list[socket.socket | OSError] = []

    def inside() -> None:
        try:
            descriptor = os.open(f"/proc/{network_of}/ns/net", os.O_RDONLY)
            try:
                if ctypes.CDLL(None, use_errno=True).setns(descriptor, CLONE_NEWNET) != 0:
                    raise OSError(ctypes.get_errno(), "setns")
            finally:
                os.close(descriptor)
            made.append(socket.create_connection(("127.0.0.1", port), timeout))
        except OSError as error:
            made.append(error)

    thread = threading.Thread(target=inside)  # a thread enters the network for itself alone, and ends
    thread.start()
    thread.join()
    if isinstance(made[0], OSError):
        raise made[0]
    return made[0]


def open_connection(port: int, timeout: float = 60, network_of: int | None = None) -> http.client.HTTPConnection:
    """Returns an HTTP connection that stands. Raises ``OSError`` where nobody listens."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    connection.sock = connect(port, timeout, network_of)
    return connection


def exchange(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    body: bytes | Iterable[bytes] | None = None,
    headers: Mapping[str, str] | None = None,
    *,
    connected: float = 0,
) -> Answer:
    """Sends one request over a connection that may stay open, pieces of a body as chunks. Raises ``OSError`` without an answer."""
    begin = time.monotonic()
    try:
        # Who refuses a body may answer, and close, before he has read all of it.
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.request(method, path, body=body, headers=dict(headers or {}), encode_chunked=not isinstance(body, bytes | None))
        response = connection.getresponse()
        content = response.read()
    except http.client.HTTPException as error:
        raise ConnectionError(f"no HTTP answer: {error!r}") from error
    found = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, found, content, connected, time.monotonic() - begin)


def ask(
    port: int,
    method: str,
    path: str,
    body: bytes | Iterable[bytes] | None = None,
    headers: Mapping[str, str] | None = None,
    *,
    timeout: float = 60,
    network_of: int | None = None,
) -> Answer:
    """Sends one request over a connection of its own. Raises ``OSError`` where nobody answers."""
    begin = time.monotonic()
    connection = open_connection(port, timeout, network_of)
    try:
        return exchange(connection, method, path, body, headers, connected=time.monotonic() - begin)
    finally:
        connection.close()


@dataclass(frozen=True)
class Exchange:
    """Raw bytes over one connection, for requests that are none."""

    port: int
    network_of: int | None = None

    def send(self, content: bytes, timeout: float = 20) -> bytes:
        """Returns all that comes until the server closes or ``timeout`` seconds pass."""
        received = b""
        with connect(self.port, timeout, self.network_of) as line:
            line.sendall(content)
            try:
                while piece := line.recv(65536):
                    received += piece
            except (TimeoutError, ConnectionError):
                pass
        return received
