"""A connection of the uvicorn engine: what a caller may do, how long, and what he hears."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import uvicorn
from uvicorn.server import ServerState

from container.serving.account import FrontCounts, WorkerCounts
from container.serving.asgi.app import App
from container.serving.asgi.asked import Limits
from container.serving.asgi.board import Board
from container.serving.asgi.journal import Journal
from container.serving.asgi.protocol import Protocol
from container.serving.metrics import write_template
from container.serving.responder import Responder
from container.serving.series import all_series
from container.serving.settings import Settings
from tests.integration.serving import KNOWN, make_model

BODY = json.dumps(KNOWN).encode()
WHOLE = b"POST /invocations HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY)
LARGE = b"POST /invocations HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s" % (400_000, BODY.ljust(400_000))  # has a process of its own
PING = b"GET /ping HTTP/1.1\r\n\r\n"
Caller = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture(scope="module")
def responder(tmp_path_factory: pytest.TempPathFactory) -> Responder:
    return Responder(make_model(tmp_path_factory.mktemp("ml") / "model"), max_response=10_000)


@pytest.fixture
def meet(responder: Responder, tmp_path: Path) -> Callable[..., Board]:
    """Returns what lets a caller meet a server with short limits; it fails where the connection is still there afterwards."""
    settings = Settings.from_environment({"SAGEMAKER_MAX_PAYLOAD_IN_MB": "1"})

    def meet(caller: Caller, until_hung_up: bool = False, **limits: float) -> Board:
        board = Board(1)
        row = board.row(0)
        row.set("ready", 1)
        board.every_worker_was_ready = True
        write_template(tmp_path / "metrics", all_series("v1"))
        counts = WorkerCounts.start(tmp_path / "metrics")
        journal = Journal(FrontCounts(counts.counters), logging.ERROR, as_json=True)
        app = App(responder, settings, board, row, journal, counts, tmp_path / "metrics")
        short = Limits(**{"idle": 30, "headers": 30, "body": 30, "linger": 0.5} | limits)

        async def run() -> None:
            state = ServerState()
            bound = type("Bound", (Protocol,), {"app": app, "limits": short, "closed": lambda self: row.add("closed", 1)})
            config = uvicorn.Config(app, http=bound, ws="none", lifespan="off", interface="asgi3", log_config=None)
            config.load()
            loop = asyncio.get_running_loop()
            with socket.socket() as listener, socket.socket() as calling:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16384)  # so that an answer does not vanish in the system's buffers
                calling.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
                listener.bind(("127.0.0.1", 0))
                server = await loop.create_server(lambda: bound(config, state, {}, loop), sock=listener)
                calling.connect(listener.getsockname())
                reader, writer = await asyncio.open_connection(sock=calling)
                try:
                    await asyncio.wait_for(caller(reader, writer), 20)
                    while until_hung_up and state.connections:
                        await asyncio.sleep(0.01)
                finally:
                    writer.close()
                    server.close()
                    while state.connections or state.tasks:
                        await asyncio.sleep(0.01)
                    app.close()

        asyncio.run(asyncio.wait_for(run(), 25))
        counts.counters.close()
        assert (board.total("working"), board.total("waiting"), board.total("bytes"), board.total("closed")) == (0, 0, 0, 1)
        return board

    return meet


async def drip(writer: asyncio.StreamWriter, data: bytes) -> None:
    """Sends a byte every twentieth of a second, until nobody listens any more."""
    try:
        for byte in data:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.05)
    except ConnectionError:
        pass


@pytest.mark.parametrize(
    ("begin", "limits"),
    [
        (b"POST /invocations HTTP/1.1\r\nX: ", {"headers": 0.2}),
        (b"POST /invocations HTTP/1.1\r\nContent-Length: 100\r\n\r\n", {"body": 0.2}),
        (PING + b"POST /invocations HTTP/1.1\r\nContent-Length: 100\r\n\r\n{", {"body": 0.2}),
        (b"POST /invocations HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\naaaaa\r\n5;", {"body": 0.2}),
    ],
)
def test_who_drips_is_told_408_when_his_time_is_over(meet: Callable[..., Board], begin: bytes, limits: dict[str, float]) -> None:
    async def caller(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(begin)
        sending = asyncio.create_task(drip(writer, b"a" * 60))
        received = await reader.read()
        last = received[received.rindex(b"HTTP/1.1 ") :]
        assert last.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
        assert json.loads(last.partition(b"\r\n\r\n")[2])["error"]["code"] == "request_timeout"
        await sending

    meet(caller, **limits)


def test_an_idle_connection_is_closed_without_a_word(meet: Callable[..., Board]) -> None:
    async def silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        assert await reader.read() == b""

    async def after_a_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(PING)
        assert (await reader.read()).count(b"HTTP/1.1") == 1

    meet(silent, idle=0.2)
    meet(after_a_request, idle=0.2)


def test_who_was_refused_and_goes_on_sending_reads_his_answer_and_then_the_connection_is_used_again(meet: Callable[..., Board]) -> None:
    async def caller(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"POST /invocations HTTP/1.1\r\nContent-Length: 3000000\r\n\r\n")
        assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 413 ")  # before the body
        for _ in range(30):
            writer.write(b" " * 100_000)
            await writer.drain()
        writer.write(WHOLE + b"GET /nope HTTP/1.1\r\nConnection: close\r\n\r\n")
        received = await reader.read()
        assert [part[:3] for part in received.split(b"HTTP/1.1 ")[1:]] == [b"200", b"404"]

    meet(caller)


def test_who_was_refused_and_stops_sending_is_hung_up_on(meet: Callable[..., Board]) -> None:
    async def caller(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"POST /invocations HTTP/1.1\r\nContent-Length: 3000000\r\n\r\n ")
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await reader.readexactly(100_000)

    meet(caller, body=0.2)


def test_a_body_in_pieces_beyond_the_limit_is_413_and_the_answer_arrives(meet: Callable[..., Board]) -> None:
    async def caller(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"POST /invocations HTTP/1.1\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(30):
            writer.write(b"186a0\r\n" + b" " * 100_000 + b"\r\n")
            await writer.drain()
        assert (await reader.read()).startswith(b"HTTP/1.1 413 ")

    meet(caller)


def test_a_caller_who_has_said_all_and_closed_his_half_gets_his_answer(meet: Callable[..., Board]) -> None:
    async def caller(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(WHOLE)
        writer.write_eof()
        assert (await reader.read()).startswith(b"HTTP/1.1 200 ")

    meet(caller)


@pytest.mark.parametrize("cut", [1, 30, len(WHOLE) - 1])
def test_a_caller_who_leaves_in_the_middle_leaves_nothing_behind(meet: Callable[..., Board], cut: int) -> None:
    async def caller(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(WHOLE[:cut])
        await writer.drain()
        await asyncio.sleep(0.05)

    meet(caller)


@pytest.mark.parametrize(
    "data",
    [
        b"X: " + b"a" * 9000 + b"\r\n\r\n",
        b"".join(b"X%d: a\r\n" % number for number in range(2000)) + b"\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n1;" + b"a" * 600_000,
        b"Transfer-Encoding: chunked\r\n\r\n0\r\nX: " + b"a" * 600_000,
        b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"Content-Length: 99999999999999999999999\r\n\r\n",
    ],
)
def test_what_is_endless_or_ambiguous_is_400(meet: Callable[..., Board], data: bytes) -> None:
    async def caller(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"POST /invocations HTTP/1.1\r\n" + data)
        received = await reader.read()
        assert received.startswith(b"HTTP/1.1 400 ")
        assert b'"bad_http"' in received

    meet(caller)


def test_an_upgrade_is_not_done_and_the_request_answered(meet: Callable[..., Board]) -> None:
    async def caller(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"GET /ping HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMA\r\n\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 200 ")

    meet(caller)


def test_http_1_0_and_connection_close_end_the_connection_after_the_answer(meet: Callable[..., Board]) -> None:
    for request in (b"GET /ping HTTP/1.0\r\n\r\n", b"GET /ping HTTP/1.1\r\nConnection: close\r\n\r\n"):

        async def caller(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes = request) -> None:
            writer.write(request)
            assert (await reader.read()).startswith(b"HTTP/1.1 200 ")

        meet(caller)


def test_who_does_not_take_his_answers_is_hung_up_on(meet: Callable[..., Board]) -> None:
    async def caller(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(WHOLE * 3000)

    meet(caller, until_hung_up=True, stuck=0.2)


def test_who_takes_his_answers_slowly_is_waited_for(meet: Callable[..., Board]) -> None:
    async def caller(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(WHOLE * 600 + b"GET /ping HTTP/1.1\r\nConnection: close\r\n\r\n")
        received = b""
        while part := await reader.read(30_000):
            received += part
            await asyncio.sleep(0.05)
        assert received.count(b"HTTP/1.1 200 ") == 601

    meet(caller, stuck=0.5)


def test_answers_come_in_the_order_of_the_requests_though_the_first_one_waits(meet: Callable[..., Board]) -> None:
    async def caller(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(PING + LARGE + b"GET /nope HTTP/1.1\r\n\r\n" + WHOLE[:-5])
        await asyncio.sleep(0.02)
        writer.write(WHOLE[-5:] + b"GET /ping HTTP/1.1\r\nConnection: close\r\n\r\n" + WHOLE)
        answers = (await reader.read()).split(b"HTTP/1.1 ")[1:]
        assert [answer[:3] for answer in answers] == [b"200", b"200", b"404", b"200", b"200"]  # none behind the end of the connection
        assert b"\r\ncontent-length: 0\r\n" in answers[0]
        assert b"\r\nconnection: close\r\n" in answers[4]

    meet(caller)


@pytest.mark.parametrize(("size", "told"), [(len(BODY), b"HTTP/1.1 100 Continue\r\n\r\n"), (3_000_000, b"HTTP/1.1 413 ")])
def test_who_asks_before_he_sends_a_body_is_told_whether_it_is_wanted(meet: Callable[..., Board], size: int, told: bytes) -> None:
    async def caller(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"POST /invocations HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n" % size)
        assert await reader.readexactly(len(told)) == told
        if size == len(BODY):
            writer.write(BODY)
            assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 200 ")

    meet(caller)


def test_the_answer_to_head_has_no_body(meet: Callable[..., Board]) -> None:
    async def caller(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HEAD /nope HTTP/1.1\r\n\r\nGET /ping HTTP/1.1\r\nConnection: close\r\n\r\n")
        first, _, rest = (await reader.read()).partition(b"\r\n\r\n")
        assert first.startswith(b"HTTP/1.1 404 ")
        assert rest.startswith(b"HTTP/1.1 200 ")

    meet(caller)


def test_a_bug_while_a_request_waits_is_500_and_leaves_nothing_behind(meet: Callable[..., Board], monkeypatch: pytest.MonkeyPatch) -> None:
    def no_more() -> int:
        raise BlockingIOError("no more processes")

    monkeypatch.setattr("os.fork", no_more)

    async def caller(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(LARGE)
        assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 500 ")
        writer.write(WHOLE)
        assert b"HTTP/1.1 200 " in await reader.readuntil(b"HTTP/1.1 200 OK\r\n")

    meet(caller)


def test_headers_that_are_too_long_leave_no_traceback_in_the_log(meet: Callable[..., Board], caplog: pytest.LogCaptureFixture) -> None:
    async def caller(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"GET /ping HTTP/1.1\r\n" + b"".join(b"X%d: a\r\n" % number for number in range(2000)) + b"\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 400 ")

    meet(caller)
    assert caplog.records == []
