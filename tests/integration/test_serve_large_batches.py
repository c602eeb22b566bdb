"""A body of very many requests is refused at once: answering it would cost a worker, or all memory."""

from __future__ import annotations

import time

import pytest

from tests.integration.serving import Server


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"[" + b"0," * 3_000_000 + b"0]", "application/json"),
        (b"0\n" * 3_000_000, "application/jsonlines"),
        (b'{"user_id": "u0"}\n' * 300_000, "application/jsonlines"),
        (b"u\n" * 3_000_000, "text/csv"),
        (b'{"user_id": "u0", "num_recommendations": 1000}\n' * 101, "application/jsonlines"),
    ],
)
def test_a_body_of_very_many_requests_is_refused_at_once(server: Server, body: bytes, content_type: str) -> None:
    workers = server.workers()
    start = time.monotonic()
    response = server.invoke(body, {"Content-Type": content_type})
    assert (response.status, response.json()["error"]["code"]) == (413, "batch_too_large")
    assert time.monotonic() - start < 5
    assert server.workers() == workers


def test_the_largest_batch_is_answered(server: Server) -> None:
    body = b'{"user_id": "u0"}\n' * 10_000
    response = server.request("POST", "/invocations", body, {"Content-Type": "application/jsonlines"}, timeout=60)
    assert response.status == 200
    assert response.body.count(b"\n") == 10_000
