"""What is the uvicorn engine's own: large bodies in a process apart, who replaces whom, how connections are shared out."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from scripts.server_processes import alive
from tests.integration.serving import JSON, KNOWN, Response, Server, make_model, serving

LINES = {"Content-Type": "application/jsonlines"}
LARGE = b'{"user_id": "u0"}\n' * 1000


@pytest.fixture(scope="module")
def parent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    parent = tmp_path_factory.mktemp("ml")
    make_model(parent / "model")
    return parent


@contextmanager
def uvicorn(parent: Path, **more: str) -> Iterator[Server]:
    with serving(parent, SERVING_ENGINE="uvicorn", **more) as server:
        yield server.wait_until_healthy()


def within(seconds: float, condition: object) -> None:
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.005)


def helpers(server: Server) -> list[int]:
    """Returns the processes that work on large bodies."""
    found = []
    for worker in server.workers():
        with suppress(psutil.NoSuchProcess):
            found += [child.pid for child in psutil.Process(worker).children()]
    return found


def send_large(server: Server, callers: ThreadPoolExecutor, size: int = 6_000_000) -> tuple[Future[Response], int]:
    """Sends a body that takes a while just to be read, and stops the process that works on it. Returns that process, too."""
    answer = callers.submit(server.invoke, LARGE + b" " * (size - len(LARGE)), LINES)
    seen: list[int] = []
    within(10, lambda: seen.extend(helpers(server)) or seen)
    os.kill(seen[0], signal.SIGSTOP)
    return answer, seen[0]


def test_there_is_no_java(parent: Path) -> None:
    with serving(parent, SERVING_ENGINE="uvicorn", PATH="/usr/bin:/bin", JAVA_HOME="/nowhere") as server:
        server.wait_until_healthy()
        assert "java" not in " ".join(server.processes().values())


def test_while_a_large_body_is_worked_on_the_worker_answers_others_at_once(parent: Path) -> None:
    with uvicorn(parent, SAGEMAKER_MODEL_SERVER_WORKERS="1") as server, ThreadPoolExecutor(1) as callers:
        answer, helper = send_large(server, callers)
        for _ in range(3):
            start = time.monotonic()
            assert (server.ping(), server.invoke(KNOWN).status) == (200, 200)
            assert time.monotonic() - start < 2
        os.kill(helper, signal.SIGCONT)
        response = answer.result()
        assert (response.status, response.body.count(b"\n")) == (200, 1000)
        assert alive([helper]) == []


def test_large_bodies_wait_in_a_line_of_limited_length_and_one_that_is_lost_is_500(parent: Path) -> None:
    settings = {"SAGEMAKER_MODEL_SERVER_WORKERS": "1", "MMS_JOB_QUEUE_SIZE": "1"}
    with uvicorn(parent, **settings) as server, ThreadPoolExecutor(2) as callers:
        first, helper = send_large(server, callers)
        second = callers.submit(server.invoke, LARGE, LINES)
        time.sleep(0.3)
        refused = server.invoke(LARGE, LINES)
        assert (refused.status, refused.json()["error"]["code"], refused.headers["retry-after"]) == (429, "too_many_requests", "1")
        assert server.invoke(KNOWN).status == 200
        os.kill(helper, signal.SIGKILL)
        lost = first.result()
        assert (lost.status, lost.json()["error"]["code"]) == (500, "internal_error")
        [record] = [record for record in server.records() if "lost" in record]
        assert (record["id"], record["lost"]) == (lost.headers["x-request-id"], "The process that worked on it ended (signal 9).")
        assert second.result().status == 200


def test_a_body_that_takes_longer_than_the_timeout_is_500_and_its_process_ends(parent: Path) -> None:
    settings = {"SAGEMAKER_MODEL_SERVER_WORKERS": "1", "SAGEMAKER_MODEL_SERVER_TIMEOUT_SECONDS": "2"}
    with uvicorn(parent, **settings) as server, ThreadPoolExecutor(1) as callers:
        answer, helper = send_large(server, callers)
        assert answer.result().status == 500
        assert alive([helper]) == []
        assert server.invoke(KNOWN).status == 200


def test_on_sigterm_what_is_worked_on_is_finished_the_rest_refused_and_nothing_left(parent: Path) -> None:
    with uvicorn(parent) as server, ThreadPoolExecutor(1) as callers:
        answer, helper = send_large(server, callers)
        family = server.processes()
        assert helper in family
        server.process.terminate()
        within(2, lambda: server.ping() == 503)
        refused = server.invoke(KNOWN)
        assert (refused.status, refused.json()["error"]["code"], refused.headers["retry-after"]) == (503, "not_ready", "1")
        os.kill(helper, signal.SIGCONT)
        assert answer.result().status == 200
        assert server.process.wait(5) == 0
        assert alive(family) == []
        assert list(server.temporary.iterdir()) == []


def test_a_worker_killed_under_load_is_back_within_two_seconds_and_costs_its_own_requests_only(parent: Path) -> None:
    def ask(server: Server, until: float) -> list[int]:
        seen = []
        while time.monotonic() < until:
            try:
                seen.append(server.invoke(KNOWN).status)
            except (ConnectionError, http.client.HTTPException):
                seen.append(0)
        return seen

    with uvicorn(parent) as server, ThreadPoolExecutor(4) as callers:
        loads = [callers.submit(ask, server, time.monotonic() + 3) for _ in range(4)]
        time.sleep(1)
        killed = server.workers()[0]
        os.kill(killed, signal.SIGKILL)
        within(2, lambda: len(server.workers()) == 2 and killed not in server.workers())
        assert set().union(*(load.result() for load in loads)) <= {200, 0}
        assert all(load.result().count(0) <= 1 for load in loads)  # whoever asks again, at once and on a new connection, is answered
        assert f"worker {killed} ended (signal 9)" in server.log()
        assert server.ping() == 200


@pytest.mark.parametrize("workers", ["1", "2"])
def test_connections_that_a_killed_worker_had_not_taken_are_answered_by_others(parent: Path, workers: str) -> None:
    with uvicorn(parent, SAGEMAKER_MODEL_SERVER_WORKERS=workers) as server, ExitStack() as closing:
        killed = server.workers()[0]
        os.kill(killed, signal.SIGSTOP)  # whatever it is given from now on, it does not take
        connections = [http.client.HTTPConnection("127.0.0.1", server.port, timeout=20) for _ in range(12)]
        for connection in connections:
            closing.callback(connection.close)
            connection.request("POST", "/invocations", json.dumps(KNOWN), JSON | {"Connection": "close"})
        time.sleep(0.2)
        os.kill(killed, signal.SIGKILL)
        assert [connection.getresponse().status for connection in connections] == [200] * 12


def test_the_end_of_a_connection_is_seen_at_once_though_the_parent_has_had_it(parent: Path) -> None:
    with uvicorn(parent) as server:
        seconds = []
        for _ in range(9):
            with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
                connection.sendall(b"GET /ping HTTP/1.1\r\nConnection: close\r\n\r\n")
                start = time.monotonic()
                while connection.recv(65536):
                    pass
                seconds.append(time.monotonic() - start)
        assert sorted(seconds)[4] < 0.05  # the parent looks round every .1 s without being told


@pytest.mark.slow
def test_a_worker_that_hangs_gets_no_more_connections_and_is_replaced(parent: Path) -> None:
    with uvicorn(parent, SAGEMAKER_MODEL_SERVER_TIMEOUT_SECONDS="1") as server:
        hanging = server.workers()[0]
        os.kill(hanging, signal.SIGSTOP)
        time.sleep(0.7)
        assert [server.ping() for _ in range(6)] == [200] * 6
        within(10, lambda: len(server.workers()) == 2 and hanging not in server.workers())
        assert f"worker {hanging} hangs" in server.log()


def test_when_the_workers_keep_dying_the_server_ends_and_says_so(parent: Path) -> None:
    with uvicorn(parent) as server:
        deadline = time.monotonic() + 20
        while server.process.poll() is None:
            assert time.monotonic() < deadline
            with suppress(psutil.NoSuchProcess, ProcessLookupError):
                for worker in server.workers():
                    os.kill(worker, signal.SIGKILL)
        assert server.process.returncode == 1
        assert "the workers die as soon as they are started" in server.log()
        assert server.log().splitlines()[-1].startswith("serve: uvicorn ended by itself (exit code 1)")


def test_connections_are_shared_out_evenly(parent: Path) -> None:
    with uvicorn(parent) as server:
        connections = [http.client.HTTPConnection("127.0.0.1", server.port, timeout=20) for _ in range(20)]
        for connection in connections:
            connection.request("POST", "/invocations", json.dumps(KNOWN), JSON)
            assert connection.getresponse().read()
        counts = [len(psutil.Process(worker).net_connections("tcp")) for worker in server.workers()]
        for connection in connections:
            connection.close()
    assert counts == [10, 10]


def test_many_models_are_refused_with_a_line(parent: Path) -> None:
    with serving(parent, SERVING_ENGINE="uvicorn", SAGEMAKER_MULTI_MODEL="true") as server:
        assert server.process.wait(10) == 2
        assert server.log().startswith("serve: SERVING_ENGINE=uvicorn serves one model: leave SAGEMAKER_MULTI_MODEL out, or take")
