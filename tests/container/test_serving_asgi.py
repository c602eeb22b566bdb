"""The parts of the uvicorn engine, each alone."""

from __future__ import annotations

import asyncio
import itertools
import os
import re
import signal
import time
from pathlib import Path

import psutil
import pytest

from container.serving.asgi import aside, problems
from container.serving.asgi.aside import MANY_REQUESTS, Aside, LostError, is_large
from container.serving.asgi.board import Board
from container.serving.asgi.gate import Gate
from container.serving.asgi.problems import Problem
from container.serving.responder import JSON, Reply, Responder
from tests.integration.serving import ROOT, make_model

JAVA = ROOT / "container" / "serving" / "java" / "src" / "serving" / "Problem.java"
LINES = "application/jsonlines"


def test_both_engines_say_the_same_of_the_same_mistake() -> None:
    java = {name: Problem(int(s), c, t) for name, s, c, t in re.findall(r'(\w+)\((\d+), "(\w+)", "([^"]+)"\)', JAVA.read_text())}
    ours = {name: value for name, value in vars(problems).items() if isinstance(value, Problem)}
    assert ours == {name: java[name] for name in ours}


# --- the board ---------------------------------------------------------------------------------------------------------------------------


def test_what_one_process_writes_on_the_board_another_reads() -> None:
    board = Board(2)
    process = os.fork()
    if process == 0:
        board.row(1).set("waiting", 7)
        board.row(1).add("bytes", 1 << 40)
        os._exit(0)
    os.waitpid(process, 0)
    board.row(0).add("waiting", 2)
    assert (board.total("waiting"), board.total("bytes"), board.row(1).get("waiting")) == (9, 1 << 40, 7)
    board.row(1).clear()
    assert (board.total("waiting"), board.total("bytes")) == (2, 0)


def test_a_server_is_ready_once_all_workers_were_and_while_one_is_and_not_while_draining() -> None:
    board = Board(2)
    board.row(0).set("ready", 1)
    assert not board.is_ready()
    board.every_worker_was_ready = True
    assert board.is_ready()
    board.draining = True
    assert not board.is_ready()
    board.draining = False
    board.row(0).clear()
    assert not board.is_ready()


# --- whose turn it is --------------------------------------------------------------------------------------------------------------------


def test_requests_have_their_turn_in_order_one_at_a_time_and_those_beyond_the_limit_none() -> None:
    board = Board(1)
    gate, done = Gate(board, board.row(0), 3), []

    async def ask(number: int) -> None:
        if await gate.enter():
            started = time.perf_counter()
            time.sleep(0.006)  # longer than the loop is left alone
            gate.leave(started)
            done.append(number)

    async def all_at_once() -> None:
        await asyncio.gather(*(ask(number) for number in range(6)))

    asyncio.run(all_at_once())
    assert done == [0, 1, 2, 3]  # one at work, three waiting
    assert board.total("waiting") == 0


def test_one_who_is_cancelled_while_waiting_holds_nobody_up() -> None:
    board = Board(1)
    gate, done = Gate(board, board.row(0), 100), []

    async def ask(name: str) -> None:
        assert await gate.enter()
        started = time.perf_counter()
        while time.perf_counter() - started < 0.006:  # longer than a stretch: the next one has to wait
            pass
        done.append(name)
        gate.leave(started)

    async def all_of_them() -> None:
        tasks = [asyncio.create_task(ask(name)) for name in "abc"]
        await asyncio.sleep(0)
        tasks[1].cancel()
        await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 5)

    asyncio.run(all_of_them())
    assert done == ["a", "c"]
    assert board.total("waiting") == 0


def test_the_event_loop_comes_round_between_long_requests() -> None:
    board = Board(1)
    gate, rounds = Gate(board, board.row(0), 100), []

    async def ask() -> None:
        assert await gate.enter()
        started = time.perf_counter()
        time.sleep(0.006)
        gate.leave(started)
        rounds.append("request")

    async def watch() -> None:
        for _ in range(20):
            rounds.append("ping")
            await asyncio.sleep(0)

    async def both() -> None:
        await asyncio.gather(watch(), *(ask() for _ in range(4)))

    asyncio.run(both())
    places = [place for place, what in enumerate(rounds) if what == "request"]
    assert all("ping" in rounds[a:b] for a, b in itertools.pairwise(places))


# --- large bodies ------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "content_type", "by_line", "large"),
    [
        (b'{"user_id": "u0"}', JSON, False, False),
        (b' {\n"events": [' + b'{"item_id": "s1"},\n' * 500, JSON, False, False),  # one listener's long history
        (b'{"user_id": "u0"}\n' * MANY_REQUESTS, JSON, True, True),
        (b'{"user_id": "u0"}\n' * MANY_REQUESTS, LINES, False, True),
        (b'{"user_id": "u0"}\n' * (MANY_REQUESTS // 2), LINES, False, False),
        (b"[" + b'{"user_id": "u0"},' * 100 + b"]", JSON, False, True),
        (b"u0\r" * 100, "text/csv", False, True),
        (b"{\n" * 100, "Text/CSV; header=absent", False, True),
        (b" " * 1_000_000, None, False, True),
    ],
)
def test_a_body_of_many_requests_or_bytes_is_large(body: bytes, content_type: str | None, by_line: bool, large: bool) -> None:
    assert is_large(body, content_type, by_line) is large


@pytest.fixture(scope="module")
def responder(tmp_path_factory: pytest.TempPathFactory) -> Responder:
    return Responder(make_model(tmp_path_factory.mktemp("ml") / "model", songs=3000), max_response=50_000_000)


class Ends:
    """Stands for a model that ends its process."""

    def reply(self, *_: object) -> Reply:
        os._exit(1)


class Sleeps:
    """Stands for a model that does not come to an end."""

    def reply(self, *_: object) -> Reply:
        time.sleep(60)
        raise AssertionError


def replies(apart: Aside, *bodies: bytes) -> list[Reply]:
    async def ask() -> list[Reply]:
        try:
            return [await apart.reply(body, LINES, None, "id") for body in bodies]
        finally:
            apart.close()

    return asyncio.run(ask())


def test_an_answer_of_a_process_apart_is_the_answer_whatever_its_size(responder: Responder) -> None:
    body = b'{"user_id": "u0", "num_recommendations": 900}\n{"nope": 1}\n' * 40
    [apart] = replies(Aside(responder, 60), body)
    here = responder.reply(body, LINES, None, "id")
    assert (apart.status, apart.content_type, apart.body) == (here.status, here.content_type, here.body)
    assert apart.account is not None
    assert here.account is not None
    counts = ("requests", "answers", "errors", "history", "listeners", "unknown_songs", "error")
    assert [getattr(apart.account, name) for name in counts] == [getattr(here.account, name) for name in counts]
    assert apart.account.decode > 0
    assert len(apart.body) > 1_000_000


@pytest.mark.parametrize(("model", "seconds", "why"), [(Ends(), 60, r"ended \(exit code 1\)"), (Sleeps(), 0.2, "longer than 0.2 s")])
def test_a_process_that_ends_or_is_late_gives_no_answer_and_is_gone(model: Responder, seconds: float, why: str) -> None:
    before = {child.pid for child in psutil.Process().children()}  # of other tests in this process, maybe
    with pytest.raises(LostError, match=why):
        asyncio.run(Aside(model, seconds).reply(b"", JSON, None, "id"))
    assert {child.pid for child in psutil.Process().children()} <= before


class Names(Responder):
    """Stands for a model: it answers with the id of its process, and the bytes that it got."""

    def __init__(self) -> None:
        pass

    def reply(self, body: bytes | bytearray, *_: object) -> Reply:
        return Reply(200, JSON, f"{os.getpid()} ".encode() + body)


def test_a_process_is_kept_for_the_bodies_that_follow_at_once() -> None:
    before = set(psutil.Process().children())
    answers = [reply.body.split(b" ") for reply in replies(Aside(Names(), 60), b"a", b"b" * 1_000_000, b"c")]
    assert [body for _, body in answers] == [b"a", b"b" * 1_000_000, b"c"]
    assert len({process for process, _ in answers}) == 1
    assert int(answers[0][0]) != os.getpid()
    assert set(psutil.Process().children()) <= before


def test_no_process_is_kept_after_a_very_large_body_nor_when_no_other_follows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aside, "_SECONDS_KEPT", 0.05)

    async def ask() -> tuple[int, set[int], set[psutil.Process]]:
        apart = aside.Aside(Names(), 60)
        large = await apart.reply(b"a" * 5_000_000, JSON, None, "id")
        after_large = {child.pid for child in psutil.Process().children()}
        await apart.reply(b"a", JSON, None, "id")
        await asyncio.sleep(0.3)
        return int(large.body.split(b" ")[0]), after_large, set(psutil.Process().children()) - before

    before = set(psutil.Process().children())
    process, after_large, left = asyncio.run(ask())
    assert process not in after_large
    assert not left


def test_a_kept_process_that_has_ended_is_replaced() -> None:
    async def ask() -> tuple[bytes, bytes]:
        apart = Aside(Names(), 60)
        first = await apart.reply(b"a", JSON, None, "id")
        killed = int(first.body.split(b" ")[0])
        os.kill(killed, signal.SIGKILL)
        os.waitid(os.P_PID, killed, os.WEXITED | os.WNOWAIT)
        try:
            return first.body, (await apart.reply(b"a", JSON, None, "id")).body
        finally:
            apart.close()

    first, second = asyncio.run(ask())
    assert first.split(b" ")[0] != second.split(b" ")[0]


def test_who_waits_for_his_turn_longer_than_the_timeout_does_not_get_it(tmp_path: Path, responder: Responder) -> None:
    async def two() -> list[bool]:
        apart = Aside(responder, 0.05)
        return [await apart.wait(), apart.is_busy(), await apart.wait()]

    assert asyncio.run(two()) == [True, True, False]
