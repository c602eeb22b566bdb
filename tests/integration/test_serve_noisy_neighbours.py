"""Whatever befalls one model of a multi-model endpoint, a quiet caller of another is answered with 200 each time, and soon."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from pathlib import Path

import pytest

from tests.integration.many_models import MULTI, error, invoke, invoke_in_every_worker, load
from tests.integration.serving import JSON, Response, Server, make_model, serving

# What a quiet caller waits at most while others are noisy: a worker that was lost is back within 2 s, and this machine may be busy.
LONGEST_SECONDS = 5.0
NOISE_SECONDS = 1.5
LINES = {"Content-Type": "application/jsonlines"}
BATCH = b'{"user_id": "u1", "num_recommendations": 50}\n' * 400


@pytest.fixture(scope="module")
def parent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    parent = tmp_path_factory.mktemp("ml")
    for number, name in enumerate(("quiet", "noisy", "dying")):
        make_model(parent / "models" / name / "model", songs=3000 + number)
    broken = make_model(parent / "models" / "broken" / "model", songs=3000) / "items.blob.npy"
    os.truncate(broken, broken.stat().st_size // 2)
    return parent


@pytest.fixture(scope="module")
def server(parent: Path) -> Iterator[Server]:
    with serving(parent, **MULTI, MMS_JOB_QUEUE_SIZE="10") as server:
        server.wait_until_healthy()
        for name in ("quiet", "noisy", "dying"):
            assert load(server, parent, name).status == 200
            invoke_in_every_worker(server, name)
        yield server
        assert "Traceback" not in server.log()


class QuietCaller(threading.Thread):
    """Asks the quiet model again and again. ``busy`` is held while a request is under way."""

    def __init__(self, server: Server) -> None:
        super().__init__(daemon=True)
        self.busy, self.running = threading.Lock(), True
        self.statuses: Counter[object] = Counter()
        self.longest, self.bodies = 0.0, set[bytes]()
        self._server = server

    def run(self) -> None:
        while self.running:
            with self.busy:
                begin = time.monotonic()
                try:
                    answer = invoke(self._server, "quiet")
                    self.statuses[answer.status] += 1
                    self.bodies.add(answer.body if answer.status == 200 else b"")
                except OSError as problem:
                    self.statuses[repr(problem)] += 1
                self.longest = max(self.longest, time.monotonic() - begin)
            time.sleep(0.01)


@contextmanager
def quiet_caller(server: Server) -> Iterator[QuietCaller]:
    """Asks the quiet model all the while, and then looks whether it noticed anything."""
    caller = QuietCaller(server)
    caller.start()
    yield caller
    caller.running = False
    caller.join(20)
    assert set(caller.statuses) == {200}, caller.statuses
    assert caller.statuses.total() >= 3
    assert caller.longest < LONGEST_SECONDS
    assert len(caller.bodies) == 1


def make_noise(ask: Callable[[], Response], callers: int, seconds: float = NOISE_SECONDS) -> list[Response]:
    """Lets so many callers ask, each again as soon as it is answered, and returns all answers."""
    end = time.monotonic() + seconds

    def again(_: int) -> list[Response]:
        answers = []
        while time.monotonic() < end:
            with suppress(OSError):  # the server had enough of the body
                answers.append(ask())
        return answers

    with ThreadPoolExecutor(callers) as threads:
        return [answer for answers in threads.map(again, range(callers)) for answer in answers]


def statuses(answers: list[Response]) -> Counter[int]:
    return Counter(answer.status for answer in answers)


def test_a_model_that_is_flooded_is_told_429_alone(server: Server) -> None:
    with quiet_caller(server):
        answers = make_noise(lambda: server.request("POST", "/models/noisy/invoke", BATCH, LINES), 30)
    found = statuses(answers)
    assert set(found) == {200, 429}
    assert found[200] > 10
    refused = [answer for answer in answers if answer.status == 429]
    assert {(*error(answer), answer.headers["retry-after"]) for answer in refused} == {(429, "too_many_requests", "1")}


def test_models_take_turns_however_many_requests_one_of_them_has_waiting(server: Server) -> None:
    def wait_for_requests(count: int) -> None:
        deadline = time.monotonic() + 20
        while server.metrics()["recommender_requests_in_flight"] < count:
            assert time.monotonic() < deadline
            time.sleep(0.02)

    time.sleep(0.2)
    before = sum(record.get("route") == "invoke" for record in server.records())
    version = server.request("GET", "/models/quiet").json()["modelVersion"]
    with ThreadPoolExecutor(13) as callers:
        for worker in server.workers():
            os.kill(worker, signal.SIGSTOP)
        crowd = [callers.submit(invoke, server, "noisy") for _ in range(12)]
        wait_for_requests(12)
        quiet = callers.submit(invoke, server, "quiet")
        wait_for_requests(13)
        for worker in server.workers():
            os.kill(worker, signal.SIGCONT)
        assert {asked.result().status for asked in (*crowd, quiet)} == {200}
    while sum(record.get("route") == "invoke" for record in server.records()) < before + 13:
        time.sleep(0.02)  # the log comes a moment later than the answers
    records = [record for record in server.records() if record.get("route") == "invoke"][before:]
    # By when a worker took them: on a busy machine one may be answered long after another that was taken later.
    taken = {
        record["id"]: datetime.fromisoformat(record["time"]).timestamp() * 1000 - record["ms"] + record["queue_ms"] for record in records
    }
    order = [record["model_version"] for record in sorted(records, key=lambda record: taken[record["id"]])]
    assert order.index(version) <= 6, (
        order
    )  # three were with the workers or next, and one had its turn before; or two, within a millisecond


@pytest.mark.slow
@pytest.mark.parametrize("body", [b" " * 6_000_000, b'"' + b"\\u0000" * 1_000_000, b"[" * 6_000_000, b"{}\n" * 2_000])
def test_a_model_that_is_sent_huge_and_malformed_bodies_is_refused_alone(server: Server, body: bytes) -> None:
    with quiet_caller(server):
        answers = make_noise(lambda: server.request("POST", "/models/noisy/invoke", body, LINES if body[:1] == b"{" else JSON), 12)
    assert set(statuses(answers)) <= {200, 400, 413, 422, 429}
    assert answers


@pytest.mark.slow
def test_bodies_of_another_model_that_never_end_do_not_keep_a_small_one_out(server: Server) -> None:
    head = b"POST /models/noisy/invoke HTTP/1.1\r\nHost: x\r\nContent-Length: 6000000\r\n\r\n"
    with ExitStack() as connections, quiet_caller(server):
        for _ in range(30):
            connection = connections.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=5))
            with suppress(OSError):
                connection.sendall(head + b" " * 5_900_000)
        time.sleep(0.5)


@pytest.mark.slow
def test_a_model_whose_workers_are_killed_again_and_again_takes_nobody_with_it(server: Server) -> None:
    with quiet_caller(server) as caller, ThreadPoolExecutor(1) as threads:
        noise = threads.submit(make_noise, lambda: server.request("POST", "/models/noisy/invoke", BATCH, LINES), 4, 4.0)
        for _ in range(4):
            time.sleep(0.5)
            with caller.busy:  # so the killed worker has a request of the noisy model, or none
                os.kill(server.workers()[0], signal.SIGKILL)
        answers = noise.result()
    assert set(statuses(answers)) <= {200, 429, 500, 503}


@pytest.mark.slow
def test_a_model_whose_files_are_cut_off_while_it_is_loaded_kills_workers_but_a_few_times(server: Server, parent: Path) -> None:
    invoke_in_every_worker(server, "dying")
    version = server.request("GET", "/models/dying").json()["modelVersion"]
    for path in (parent / "models" / "dying" / "model").glob("*.npy"):
        os.truncate(path, 0)  # a worker that reads what it has mapped is killed by the system
    with quiet_caller(server):
        answers = make_noise(lambda: invoke(server, "dying"), 3, 4.0)
    assert set(statuses(answers)) == {500}
    lost = [record for record in server.records() if "lost" in record and record["model_version"] == version]
    assert 1 <= len(lost) <= 2 * len(server.workers())  # a new worker cannot open the files, and lives


def test_a_model_that_is_broken_is_refused_again_and_again_while_others_serve(server: Server, parent: Path) -> None:
    with quiet_caller(server):
        answers = make_noise(lambda: load(server, parent, "broken"), 3)
    assert {error(answer) for answer in answers} == {(422, "broken_model")}
    assert {"items.blob.npy" in answer.json()["error"]["message"] for answer in answers} == {True}
    assert error(invoke(server, "broken")) == (404, "model_not_loaded")
