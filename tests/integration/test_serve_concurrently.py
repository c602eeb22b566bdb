"""Four callers at once, who send whatever they like: every one gets his own right answer, and the workers live on."""

from __future__ import annotations

import http.client
import json
import random
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.integration.odd_requests import Sent, any_request
from tests.integration.serving import Response, Server

CALLERS = 4
REQUESTS = 1000
REFUSALS = {400, 406, 413, 415, 422}
RAW = [
    *(b"GARBAGE\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\r\n\r\n", b"\x00" * 100, b"\r\n" * 100),
    b"POST /invocations HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
    b"POST /invocations HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
    b"POST /invocations HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
    b"POST /invocations HTTP/1.1\r\nX-Amzn-SageMaker-Inference-Id: \x01\x02\r\n\r\n",
    b"POST /invocations HTTP/1.1\r\nContent-Length: 100000\r\n\r\n{",
]


@pytest.fixture(autouse=True)
def _everything_lives_on(server: Server) -> Iterator[None]:
    before = server.processes()
    yield
    assert server.ping() == 200
    deadline = time.monotonic() + 20  # uvicorn keeps a process that has answered a large body for some seconds
    while server.processes() != before and time.monotonic() < deadline:
        time.sleep(0.1)
    assert server.processes() == before, server.log()[-2000:]
    assert "Traceback" not in server.log()
    assert " ERROR " not in server.log()


def is_right(sent: Sent, response: Response) -> bool:
    """Whether this is the answer to that request: the song that it must begin with, or some answer, or the JSON error."""
    if sent.first_song is not None:
        return response.status == 200 and response.json()["recommendations"][0]["item_id"] == sent.first_song
    if response.status in REFUSALS:
        error = response.json()["error"]
        return response.headers["content-type"] == "application/json" and error["request_id"] == response.headers["x-request-id"]
    return response.status == 200 and is_readable(response)


def is_readable(response: Response) -> bool:
    text, content_type = response.body.decode(), response.headers["content-type"]
    documents = [text] if content_type == "application/json" else text.splitlines() if content_type == "application/jsonlines" else []
    for document in documents:
        json.loads(document, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    return bool(documents) or content_type == "text/csv"


def call(server: Server, seed: int) -> list[str]:
    """Sends requests over kept connections, and between them hangs up in the middle of some. Returns what was answered wrongly."""
    rng = random.Random(seed)
    wrong = []
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    for number in range(REQUESTS):
        sent = any_request(rng)
        if rng.random() < 0.1:
            hang_up(server, rng, sent)
        connection.request("POST", "/invocations", sent.body, sent.headers)
        answer = connection.getresponse()
        response = Response(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        if not is_right(sent, response):
            wrong.append(f"seed {seed}, number {number}: {sent.body[:200]!r} {sent.headers} -> {response.status} {response.body[:200]!r}")
    connection.close()
    return wrong


def hang_up(server: Server, rng: random.Random, sent: Sent) -> None:
    """Sends a part of a request, or of something that is none, and leaves without waiting for an answer."""
    whole = b"POST /invocations HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s" % (len(sent.body), sent.body)
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(rng.choice([*RAW, whole, whole[: rng.randrange(len(whole))]]))
        if rng.random() < 0.5:
            connection.shutdown(socket.SHUT_WR)


def test_whatever_four_callers_send_each_gets_the_answer_to_his_own_request(server: Server) -> None:
    with ThreadPoolExecutor(CALLERS) as callers:
        wrong = [line for lines in callers.map(lambda seed: call(server, seed), range(CALLERS)) for line in lines]
    assert wrong == []


@pytest.mark.parametrize("data", RAW)
def test_what_is_not_a_request_gets_no_answer_but_400_or_404_and_blocks_nobody(server: Server, data: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=0.3) as connection:
        connection.sendall(data)
        assert server.invoke({"items": ["s7"]}).json()["recommendations"][0]["item_id"] == "s8"
        try:
            received = connection.recv(65536)
        except TimeoutError:  # it is still waiting for the rest
            received = b""
    assert received == b"" or received.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 404 "))
