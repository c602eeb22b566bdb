"""Callers who send slowly, half, too much together, or in a way that can be read in two ways: they harm nobody else."""

from __future__ import annotations

import json
import re
import socket
import time
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.integration.serving import ENGINES, KNOWN, Server, make_model, serving
from tests.integration.test_serve_requests import raw

BODY = json.dumps(KNOWN).encode()
CHUNKED = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
HEAD = b"POST /invocations HTTP/1.1\r\nHost: x\r\n"
NEXT = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture(scope="module")
def parent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    parent = tmp_path_factory.mktemp("ml")
    make_model(parent / "model")
    return parent


@pytest.mark.parametrize(
    "lengths",
    [
        b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n" % (len(CHUNKED) + len(NEXT)),
        b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
    ],
)
def test_what_follows_a_body_whose_end_is_a_matter_of_opinion_is_never_a_request(server: Server, lengths: bytes) -> None:
    received = raw(server, HEAD + lengths + b"\r\n" + CHUNKED + NEXT)
    assert len(re.findall(rb"HTTP/1\.1 \d", received)) == 1
    assert b"recommender_" not in received
    assert server.invoke(KNOWN).status == 200


@pytest.mark.parametrize("chunk", [b"-5\r\naaaaa\r\n0\r\n\r\n", b"-1\r\n", b"zz\r\n\r\n", b"7fffffffff\r\na"])
def test_a_chunk_of_an_impossible_size_is_400_and_no_error_of_the_server(server: Server, chunk: bytes) -> None:
    received = raw(server, HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunk)
    assert received.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 413 ")) or chunk.startswith(b"7")
    assert " ERROR " not in server.log()


@pytest.mark.parametrize("engine", ENGINES)
def test_bodies_that_never_end_do_not_fill_the_memory(parent: Path, engine: str) -> None:
    with serving(parent, SERVING_ENGINE=engine) as server, ExitStack() as connections:
        before = server.wait_until_healthy().workers()
        refused = 0
        for _ in range(60):  # 360 MB, if they were kept
            connection = connections.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=5))
            with suppress(ConnectionError):
                connection.sendall(HEAD + b"Content-Length: 6000000\r\n\r\n" + b" " * 5_900_000)
            connection.settimeout(0.05)
            with suppress(TimeoutError):
                refused += connection.recv(100).startswith(b"HTTP/1.1 429 ")
        assert refused > 20
        assert server.ping() == 200
        connections.close()
        deadline = time.monotonic() + 5
        while server.invoke(KNOWN).status != 200:
            assert time.monotonic() < deadline
        assert server.workers() == before
        assert "OutOfMemory" not in server.log()
        assert "Exception" not in server.log()


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_who_begins_a_request_and_goes_to_sleep_is_told_408(parent: Path, engine: str) -> None:
    with serving(parent, SERVING_ENGINE=engine, SAGEMAKER_MODEL_SERVER_TIMEOUT_SECONDS="2") as server:
        server.wait_until_healthy()
        for begin in (b"POST /invocations HTTP/1.1\r\nX: ", HEAD + b"Content-Length: 100\r\n\r\n{"):
            with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
                connection.sendall(begin)
                assert connection.recv(65536).startswith(b"HTTP/1.1 408 ")
        assert server.invoke(KNOWN).status == 200


def test_a_query_string_that_is_malformed_is_400(tmp_path: Path) -> None:
    make_model(tmp_path / "models" / "a" / "model")
    with serving(tmp_path, SAGEMAKER_MULTI_MODEL="true") as server:
        server.wait_until_healthy()
        for query in ("limit=%zz", "next_page_token=%", "%e"):
            response = server.request("GET", f"/models?{query}")
            assert (response.status, response.json()["error"]["code"]) == (400, "bad_query")
        assert " ERROR " not in server.log()
