"""What a server keeps while all of it is at work."""

from __future__ import annotations

import time

import pytest

from tests.conformance.http_client import Answer
from tests.conformance.limits import CONNECT_SECONDS, PING_SECONDS, REPLY_SECONDS
from tests.conformance.load import under_load
from tests.conformance.server import Server
from tests.conformance.subject_folder import Subject

SECONDS, CALLERS = 3.0, 6


@pytest.mark.contract("B1", "A ping is answered with 200 within 2 s, and a connection accepted within 250 ms, while every worker is busy")
def test_pings_and_connections_do_not_wait_for_work(server: Server, subject: Subject) -> None:
    with under_load(server, subject.long_request, CALLERS) as got:
        begin, pings = time.monotonic(), []
        while time.monotonic() - begin < SECONDS:
            pings.append(server.ask("GET", "/ping", timeout=10))
            time.sleep(0.05)
        done = len(got)
    assert {ping.status for ping in pings} == {200}
    assert max(ping.connected + ping.seconds for ping in pings) < PING_SECONDS
    assert max(ping.connected for ping in pings) < CONNECT_SECONDS
    assert done < len(got), "the callers had nothing to do: subject.json: serving.long is too short"
    answers = [answer for answer in got if isinstance(answer, Answer)]
    assert len(answers) == len(got), [one for one in got if not isinstance(one, Answer)]
    # One too many may be told to come again; nobody may be let down otherwise.
    statuses = [answer.status for answer in answers]
    assert 200 in statuses, statuses
    assert set(statuses) <= {200, 429, 503}, statuses
    assert max(answer.connected for answer in answers) < CONNECT_SECONDS
    assert max(answer.seconds for answer in answers) < REPLY_SECONDS


@pytest.mark.contract("B2", "A long request is answered within 60 s, and short ones beside it")
def test_a_short_request_beside_long_ones_is_answered(server: Server, subject: Subject) -> None:
    with under_load(server, subject.long_request, 3):
        answers = [server.invoke(subject.requests[0]) for _ in range(3)]
    assert {answer.status for answer in answers} == {200}
    assert max(answer.seconds for answer in answers) < REPLY_SECONDS


@pytest.mark.contract("B1", "A caller who sends slowly, or nothing at all, holds nobody up")
def test_slow_callers_hold_nobody_up(server: Server, subject: Subject) -> None:
    body = subject.requests[0]
    slow = [server.connection() for _ in range(16)]
    try:
        for connection in slow[:8]:  # the other eight say nothing
            connection.putrequest("POST", "/invocations")
            connection.putheader("Content-Type", body.content_type)
            connection.putheader("Content-Length", str(len(body.content)))
            connection.endheaders(body.content[:1])
        for _ in range(5):
            assert server.ping() == 200
            answer = server.invoke(body)
            assert answer.status == 200
            assert answer.seconds < PING_SECONDS
        for connection in slow[:8]:
            assert connection.sock is not None
            connection.sock.sendall(body.content[1:])
            assert connection.getresponse().status == 200
    finally:
        for connection in slow:
            connection.close()
