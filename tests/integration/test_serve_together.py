"""Requests that wait for a worker of multi-model-server are given to it together, and nobody can tell from his answer."""

from __future__ import annotations

import json
import os
import signal
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.integration.serving import JSON, KNOWN, Response, Server, make_model, serving

LINES = {"Content-Type": "application/jsonlines"}
MANY = b'{"user_id": "u0", "num_recommendations": 500}\n' * 80


@pytest.fixture(scope="module")
def parent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    parent = tmp_path_factory.mktemp("ml")
    make_model(parent / "model", songs=2000)
    return parent


def wait_for(server: Server, waiting: int) -> None:
    """Waits until so many requests wait for a worker."""
    deadline = time.monotonic() + 10
    while server.metrics()["recommender_queue_length"] != waiting:
        assert time.monotonic() < deadline, server.log()


def hold(server: Server, callers: ThreadPoolExecutor, requests: list[tuple[Any, dict[str, str]]]) -> tuple[int, list[Future[Response]]]:
    """Stops the one worker with a request in its hands, and sends others, which wait. Returns the worker and the answers to come."""
    [worker] = server.wait_until_healthy().workers()
    os.kill(worker, signal.SIGSTOP)
    answers = [callers.submit(server.invoke, KNOWN)]
    deadline = time.monotonic() + 10
    while server.metrics()["recommender_requests_in_flight"] != 1:
        assert time.monotonic() < deadline
    for waiting, (content, headers) in enumerate(requests, 1):
        answers.append(callers.submit(server.invoke, content, headers))
        wait_for(server, waiting)
    return worker, answers


def record_of(server: Server, response: Response) -> dict[str, Any]:
    [record] = [record for record in server.records() if record["id"] == response.headers["x-request-id"]]
    return record


def test_requests_that_waited_go_together_and_each_is_answered_as_if_it_were_alone(parent: Path) -> None:
    requests: list[tuple[Any, dict[str, str]]] = [
        ({"user_id": f"u{i}", "num_recommendations": i}, JSON | {"X-Amzn-SageMaker-Inference-Id": f"inference-{i}"}) for i in range(1, 6)
    ]
    requests += [
        (KNOWN, JSON | {"Accept": "text/csv"}),
        (b'{"user_id": "u1"', JSON),
        (KNOWN, {"Content-Type": "text/xml"}),
        (b'{"user_id": "u2", "num_recommendations": 2}\n' * 3, LINES),
        ({"user_id": "nobody"}, JSON),
    ]
    several = {"SAGEMAKER_MODEL_SERVER_WORKERS": "1", "MMS_NUMBER_OF_NETTY_THREADS": "4"}  # callers and worker have different ones, then
    with serving(parent, **several) as server, ThreadPoolExecutor(16) as callers:
        worker, answers = hold(server, callers, requests)
        os.kill(worker, signal.SIGCONT)
        first, *together = [answer.result() for answer in answers]
        alone = [server.invoke(content, headers) for content, headers in requests]
        assert [one.status for one in together] == [200] * 6 + [400, 415, 200, 200]
        for one, other in zip(together, alone, strict=True):
            assert (one.status, one.headers["content-type"]) == (other.status, other.headers["content-type"])
            if one.status == 200:
                assert one.body == other.body
            else:
                assert one.json()["error"] == other.json()["error"] | {"request_id": one.headers["x-request-id"]}
        assert len({one.headers["x-request-id"] for one in together}) == len(requests)
        ids = [one.headers.get("x-amzn-sagemaker-inference-id") for one in together]
        assert ids == [f"inference-{i}" for i in range(1, 6)] + [None] * 5
        records = [record_of(server, one) for one in together]
        assert [record.get("together") for record in records] == [5] * 5 + [3] * 3 + [None] * 2  # half of what waits, each time
        what = ("status", "requests", "fallback", "error", "bytes_in", "bytes_out", "unknown_listeners")
        for record, one in zip(records, alone, strict=True):
            other_record = record_of(server, one)
            assert "together" not in other_record
            assert [record.get(name) for name in what] == [other_record.get(name) for name in what]
        assert "together" not in record_of(server, first)


def test_a_large_body_goes_alone_and_a_batch_size_of_one_keeps_all_apart(parent: Path) -> None:
    large = json.dumps(KNOWN | {"items": ["s1"] * 1500}).encode()
    for size, expected in (("2", [2, 2, None, 2, 2, None]), ("1", [None] * 6)):
        with serving(parent, SAGEMAKER_MODEL_SERVER_WORKERS="1", SERVING_BATCH_SIZE=size) as server, ThreadPoolExecutor(8) as callers:
            worker, answers = hold(server, callers, [(body, JSON) for body in (KNOWN, KNOWN, large, KNOWN, KNOWN, KNOWN)])
            os.kill(worker, signal.SIGCONT)
            _, *rest = [answer.result() for answer in answers]
            assert [one.status for one in rest] == [200] * 6
            assert [record_of(server, one).get("together") for one in rest] == expected


def test_when_a_worker_dies_of_several_requests_each_is_tried_once_more_alone(parent: Path) -> None:
    with serving(parent, SAGEMAKER_MODEL_SERVER_WORKERS="1") as server, ThreadPoolExecutor(8) as callers:
        worker, answers = hold(server, callers, [(MANY, LINES)] * 4)
        os.kill(worker, signal.SIGCONT)
        wait_for(server, 2)  # it has the other two now, and a while to work
        os.kill(worker, signal.SIGKILL)
        responses = [answer.result() for answer in answers]
        assert [one.status for one in responses] == [200] * 5
        assert ["together" in record_of(server, one) for one in responses] == [False] * 5
        assert server.workers() != [worker]
        # A single request that was lost is not tried again: it may be what its worker died of.
        worker, answers = hold(server, callers, [])
        os.kill(worker, signal.SIGKILL)
        assert answers[0].result().status == 500
