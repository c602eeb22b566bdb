"""What the server says of itself: /metrics, and the lines of the log."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.integration.many_models import MULTI, load
from tests.integration.serving import JSON, KNOWN, Server, make_model, serving

LINES = {"Content-Type": "application/jsonlines"}
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# Of every request, and of those that a worker had.
ALWAYS = {"time", "level", "id", "route", "status", "ms", "bytes_out"}
WORKED = {"queue_ms", "decode_ms", "predict_ms", "encode_ms", "requests", "history", "unknown_listeners", "unknown_songs", "bytes_in"}


@contextmanager
def counted(server: Server) -> Iterator[dict[str, float]]:
    """Fills the dictionary, at the end of the block, with what it has added to each sample."""
    before = server.metrics()
    added: dict[str, float] = {}
    yield added
    added |= {name: value - before[name] for name, value in server.metrics().items() if value != before[name]}


def requests_total(route: str, status: int) -> str:
    return f'recommender_requests_total{{route="{route}",status="{status}"}}'


def metrics_when_in_flight(server: Server, count: int) -> dict[str, float]:
    """Returns the metrics once so many requests are in flight: a request is, until its answer is written, a moment after it is read."""
    deadline = time.monotonic() + 5
    while (found := server.metrics())["recommender_requests_in_flight"] != count:
        assert time.monotonic() < deadline
    return found


def ask(server: Server, method: str, path: str, body: bytes | None = None, headers: Any = JSON) -> Callable[[], int]:
    return lambda: server.request(method, path, body, headers).status


def expect(server: Server, expectation: str) -> int:
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(b"POST /invocations HTTP/1.1\r\nContent-Length: 99000000\r\nExpect: %s\r\n\r\n" % expectation.encode())
        return int(connection.recv(1000).split()[1])


def test_every_answer_is_counted_once_and_logged_in_one_line_but_pings_and_scrapes(server: Server) -> None:
    known = json.dumps(KNOWN).encode()
    asked: list[tuple[str, int, Callable[[], int]]] = [
        ("invocations", 200, ask(server, "POST", "/invocations", known)),
        ("invocations", 200, ask(server, "POST", "/invocations", b'{"user_id": "u0"}\n{}', LINES)),
        ("invocations", 400, ask(server, "POST", "/invocations", b"{")),
        ("invocations", 405, ask(server, "GET", "/invocations")),
        ("invocations", 406, ask(server, "POST", "/invocations", known, JSON | {"Accept": "text/html"})),
        ("invocations", 415, ask(server, "POST", "/invocations", known, {"Content-Type": "text/html"})),
        ("invocations", 422, ask(server, "POST", "/invocations", b'{"user_id": []}')),
        ("oversized", 413, ask(server, "POST", "/invocations", b" " * (6 * 1024 * 1024 + 1))),
        ("oversized", 413, lambda: expect(server, "100-continue")),
        ("unknown", 417, lambda: expect(server, "miracles")),
        ("unknown", 404, ask(server, "GET", "/nowhere?user_id=u0")),
        ("execution-parameters", 200, ask(server, "GET", "/execution-parameters")),
        ("ping", 200, ask(server, "GET", "/ping")),
        ("ping", 405, ask(server, "POST", "/ping")),
        ("metrics", 405, ask(server, "POST", "/metrics")),
    ]
    silent = ("ping", "metrics")
    for route, status, send in asked:
        before = server.log()
        with counted(server) as added:
            assert send() == status
        if route != "metrics":
            assert added.pop(requests_total("metrics", 200)) == 1  # the first look
        counted_as = {name: value for name, value in added.items() if name.startswith("recommender_requests_total")}
        label = "other" if status == 417 else status
        assert counted_as == {f'recommender_requests_total{{route="{route}",status="{label}"}}': 1} | (
            {requests_total("metrics", 200): 1} if route == "metrics" else {}
        )
        lines = server.log()[len(before) :].splitlines()
        assert len(lines) == (route not in silent), lines
        for line in lines:
            record = json.loads(line)
            worked = route == "invocations" and status != 405
            assert record.keys() >= ALWAYS | (WORKED | {"model_version"} if worked else set())
            assert (record["route"], record["status"], record["level"]) == (route, status, "INFO")
            assert UUID.fullmatch(record["id"])
            assert record["ms"] >= record.get("queue_ms", 0) + record.get("decode_ms", 0) + record.get("predict_ms", 0) >= 0
            assert ("error" in record) == (status >= 400)
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z", record["time"])


def test_the_line_says_what_was_asked_and_who_stood_in_but_names_nobody(server: Server) -> None:
    before = len(server.log())
    body = b'{"user_id": "Gustav", "items": ["s1", "s2", "Adagio"], "num_recommendations": 2}\n{"user_id": "u7", "num_recommendations": 2}'
    with counted(server) as added:
        response = server.request("POST", "/invocations", body, LINES)
    text = server.log()[before:]
    assert not re.search("gustav|adagio|s1|u7", text, re.IGNORECASE)
    record = json.loads(text)
    assert record["id"] == response.headers["x-request-id"]
    found = [record[name] for name in ("requests", "history", "unknown_listeners", "unknown_songs", "fallback", "bytes_in", "bytes_out")]
    assert found == [2, 3, 1, 1, None, len(body), len(response.body)]
    assert f"model-version={record['model_version']}" == response.headers["x-amzn-sagemaker-custom-attributes"]
    assert added['recommender_answers_total{listener="unknown",fallback="none"}'] == 1
    assert added['recommender_answers_total{listener="known",fallback="none"}'] == 1
    assert (added['recommender_ids_total{kind="listener"}'], added['recommender_unknown_ids_total{kind="listener"}']) == (2, 1)
    assert (added['recommender_ids_total{kind="song"}'], added['recommender_unknown_ids_total{kind="song"}']) == (3, 1)
    assert added["recommender_batch_size_sum"] == 2
    assert added["recommender_request_duration_seconds_count"] == 1
    parts = ("queue", "decode", "predict", "encode")
    assert [added[f'recommender_request_part_seconds_count{{part="{part}"}}'] for part in parts] == [1] * 4
    within = sum(added[f'recommender_request_part_seconds_sum{{part="{part}"}}'] for part in parts)
    assert 0 < within < added["recommender_request_duration_seconds_sum"] < 5


def test_a_scrape_says_which_model_answers_how_old_it_is_and_what_all_of_it_takes(server: Server) -> None:
    found = server.metrics()
    version = server.invoke(KNOWN).headers["x-amzn-sagemaker-custom-attributes"].removeprefix("model-version=")
    assert found[f'recommender_model_info{{model_version="{version}"}}'] == 1
    assert 0 < found["recommender_uptime_seconds"] < found["recommender_model_age_seconds"] < 600
    assert (found["recommender_workers"], found["recommender_workers_ready"]) == (2, 2)
    deadline = time.monotonic() + 15
    while not 30e6 < server.metrics()["recommender_proportional_memory_bytes"] < 500e6:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    found = server.metrics()
    assert found["recommender_resident_memory_bytes"] > found["recommender_proportional_memory_bytes"]


def test_no_answer_to_a_scrape_carries_what_belongs_to_answers_of_models(server: Server) -> None:
    response = server.request("GET", "/metrics")
    assert response.headers.keys() == {"content-type", "content-length", "x-request-id"}


def test_a_scrape_costs_less_than_five_milliseconds(server: Server) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    seconds = []
    for _ in range(50):
        begin = time.monotonic()
        connection.request("GET", "/metrics")
        connection.getresponse().read()
        seconds.append(time.monotonic() - begin)
    connection.close()
    assert sorted(seconds)[len(seconds) // 4] < 0.005  # the quickest quarter: others use the machine, too


def test_workers_that_are_busy_dead_or_new_neither_delay_a_scrape_nor_take_a_count_with_them(tmp_path: Path) -> None:
    make_model(tmp_path / "model")
    with serving(tmp_path) as server, ThreadPoolExecutor(4) as callers:
        first, second = server.wait_until_healthy().workers()
        for stopped, n in ((first, 5), (second, 7)):  # so that each has counted something
            os.kill(stopped, signal.SIGSTOP)
            asked = [callers.submit(server.invoke, KNOWN) for _ in range(2)]  # one of them may lie with who is stopped
            time.sleep(0.2)
            answers = [server.invoke(KNOWN).status for _ in range(n)]
            os.kill(stopped, signal.SIGCONT)
            assert [*answers, *(one.result().status for one in asked)] == [200] * (n + 2)
        for worker in (first, second):
            os.kill(worker, signal.SIGSTOP)
        waiting = [callers.submit(server.invoke, KNOWN) for _ in range(4)]
        deadline = time.monotonic() + 5
        while (found := server.metrics())["recommender_queue_length"] != 2:
            assert time.monotonic() < deadline
        assert found["recommender_requests_in_flight"] == 4
        assert found['recommender_answers_total{listener="known",fallback="none"}'] == 16
        for worker in (first, second):
            os.kill(worker, signal.SIGKILL)
        statuses = sorted(one.result().status for one in waiting)
        assert statuses == [200, 200, 500, 500]
        server.wait_until_healthy()
        found = server.metrics()
        assert found['recommender_answers_total{listener="known",fallback="none"}'] == 18
        assert (found[requests_total("invocations", 200)], found[requests_total("invocations", 500)]) == (18, 2)
        assert metrics_when_in_flight(server, 0)["recommender_queue_length"] == 0
        assert (found["recommender_worker_starts_total"], found["recommender_worker_restarts_total"]) == (4, 2)
        lost = [record for record in server.records() if "lost" in record]
        assert [(record["status"], record["lost"], record["level"]) for record in lost] == [(500, "Worker died.", "ERROR")] * 2
        assert len(server.records()) == 20


def test_refusals_are_counted_and_logged_as_well(tmp_path: Path) -> None:
    make_model(tmp_path / "model")
    variables = {"SAGEMAKER_MODEL_SERVER_WORKERS": "1", "MMS_JOB_QUEUE_SIZE": "1"}
    with serving(tmp_path, **variables) as server, ThreadPoolExecutor(3) as callers:
        [worker] = server.wait_until_healthy().workers()
        os.kill(worker, signal.SIGSTOP)
        held = []
        for _ in range(2):  # one goes to the worker, one waits
            held.append(callers.submit(server.invoke, KNOWN))
            time.sleep(0.3)
        assert server.invoke(KNOWN).status == 429
        found = metrics_when_in_flight(server, 2)
        assert found[requests_total("invocations", 429)] == 1
        assert found["recommender_queue_length"] == 1
        server.process.terminate()
        time.sleep(0.3)
        assert server.invoke(KNOWN).status == 503
        assert server.ping() == 503
        assert server.metrics()[requests_total("invocations", 503)] == 1
        os.kill(worker, signal.SIGCONT)
        assert [one.result().status for one in held] == [200, 200]
        assert server.process.wait(10) == 0
        assert [record["status"] for record in server.records()] == [429, 503, 200, 200]
        assert [record.get("error") for record in server.records()] == ["too_many_requests", "not_ready", None, None]
        assert all("queue_ms" not in record for record in server.records()[:2])


def test_a_multi_model_endpoint_has_metrics_of_its_routes_and_counts_its_models(tmp_path: Path) -> None:
    make_model(tmp_path / "models" / "a" / "model", songs=50)
    with serving(tmp_path, **MULTI, SAGEMAKER_MODEL_SERVER_WORKERS="1") as server:
        assert server.wait_until_healthy().metrics()["recommender_models_loaded"] == 0
        version = load(server, tmp_path, "a").json()["modelVersion"]
        with counted(server) as added:
            assert server.post("/models/a/invoke", KNOWN).status == 200
            assert server.post("/models/b/invoke", KNOWN).status == 404
        assert (added[requests_total("invoke", 200)], added[requests_total("invoke", 404)]) == (1, 1)
        assert added['recommender_answers_total{listener="known",fallback="none"}'] == 1
        found = server.metrics()
        assert found["recommender_models_loaded"] == 1
        assert found[requests_total("models", 200)] == 1
        assert not any("model_info" in name or "model_age" in name for name in found)
        assert [record.get("model_version") for record in server.records()] == [None, version, None]


def test_at_a_terminal_the_lines_are_text(tmp_path: Path) -> None:
    make_model(tmp_path / "model")
    ours, theirs = os.openpty()
    seen = bytearray()

    def read() -> None:
        with suppress(OSError):  # the other side is closed
            while chunk := os.read(ours, 65536):
                seen.extend(chunk)

    reader = threading.Thread(target=read)
    reader.start()
    with serving(tmp_path, stderr=theirs, SAGEMAKER_MODEL_SERVER_WORKERS="1") as server:
        os.close(theirs)
        response = server.wait_until_healthy().post("/invocations", KNOWN, {"X-Amzn-SageMaker-Inference-Id": "a=b"})
    reader.join(5)
    os.close(ours)
    [line] = [line for line in seen.decode().splitlines() if "route=" in line]
    start = rf"\d{{4}}-\S+ INFO request id={response.headers['x-request-id']} route=invocations status=200 ms=\d+\.\d{{3}} queue_ms="
    assert re.match(start, line), line
    assert re.search(r" history=1 unknown_listeners=0 unknown_songs=0 fallback=null bytes_in=\d+ .* inference_id=a=b$", line), line


# --- health ----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_while_workers_keep_dying_ping_is_503_though_some_live(tmp_path: Path) -> None:
    make_model(tmp_path / "model")
    with serving(tmp_path, SAGEMAKER_MODEL_SERVER_WORKERS="1") as server:
        killed: list[int] = []
        for _ in range(3):
            assert server.wait_until_healthy().metrics()["recommender_worker_restarts_total"] == len(killed)
            [worker] = server.workers()
            os.kill(worker, signal.SIGKILL)
            killed.append(worker)
            deadline = time.monotonic() + 10
            while server.metrics()["recommender_worker_starts_total"] <= len(killed) or server.metrics()["recommender_workers_ready"] < 1:
                assert time.monotonic() < deadline
                time.sleep(0.05)
            time.sleep(0.6)  # until the front has looked
        assert server.invoke(KNOWN).status == 200
        assert server.ping() == 503
        server.wait_until_healthy(seconds=75)  # it gets another chance


def test_a_model_that_breaks_between_the_look_at_it_and_its_loading_ends_the_server_with_a_line(tmp_path: Path) -> None:
    broken = make_model(tmp_path / "model") / "items.order.npy"
    with serving(tmp_path) as server:
        deadline = time.monotonic() + 20
        while not any(path.stat().st_size for path in server.temporary.glob("serving-*/server.properties")):  # written after the look
            assert time.monotonic() < deadline
            time.sleep(0.002)
        broken.write_bytes(b"")
        assert server.process.wait(20) == 1
        log = server.log()
    assert [line for line in log.splitlines() if str(broken) in line], log
    assert log.splitlines()[-1].startswith("serve: multi-model-server ended by itself (")
    assert "Traceback" not in log
