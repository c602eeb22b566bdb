"""HTTP/1.1 as the platform's proxies speak it: connections that stay open, chunks, sizes, callers at once."""

from __future__ import annotations

import random
import re

import pytest

from tests.conformance.answers import check_error, read_json, settled
from tests.conformance.http_client import exchange
from tests.conformance.limits import BATCH_PAYLOAD_MB, BATCH_STRATEGIES, PAYLOAD
from tests.conformance.load import at_once
from tests.conformance.server import Server
from tests.conformance.subject_folder import Body, Subject

SAMPLE = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*(\{.*\})? [-+]?([0-9.]+([eE][-+]?[0-9]+)?|Inf|NaN)( -?[0-9]+)?")


@pytest.mark.contract("B1", "Requests one after the other over one connection (HTTP/1.1 keep-alive) are answered, after a refused one, too")
def test_a_connection_is_kept(server: Server, subject: Subject) -> None:
    good, bad = subject.requests[0], subject.bad_requests[0]
    connection = server.connection()
    line = connection.sock
    for body in (good, bad, good, good):
        answer = exchange(connection, "POST", "/invocations", body.content, {"Content-Type": body.content_type})
        assert (answer.status == 200) == (body is good), answer
    ping = exchange(connection, "GET", "/ping")
    assert ping.status == 200
    assert connection.sock is line, "the server closed the connection, and http.client opened another"
    connection.close()


@pytest.mark.contract("B1", "A body may come in chunks, without a length before")
def test_a_body_in_chunks_is_as_good_as_another(server: Server, subject: Subject) -> None:
    for body in subject.requests:
        for size in (1, 7, len(body.content)):
            pieces = (body.content[start : start + size] for start in range(0, len(body.content), size))
            answer = server.ask("POST", "/invocations", pieces, {"Content-Type": body.content_type, "Transfer-Encoding": "chunked"})
            assert settled(answer, subject) == settled(server.invoke(body), subject), (str(body), size)


@pytest.mark.contract("B1", "Requests at the same time get each its own answer: the one that it gets alone")
def test_callers_at_once_get_each_their_own_answer(server: Server, subject: Subject) -> None:
    bodies = subject.requests + subject.bad_requests
    alone = {str(body): settled(server.invoke(body), subject) for body in bodies}
    assert len({repr(one) for one in alone.values()}) > 1, "subject.json: answers that are all alike prove nothing"
    mixed = random.Random(7).choices(bodies, k=160)
    for body, answer in zip(mixed, at_once(server.invoke, mixed, 16), strict=True):
        assert settled(answer, subject) == alone[str(body)], str(body)


def padded(body: Body, size: int) -> bytes:
    """The same JSON document behind so many blanks that the body has ``size`` bytes."""
    return body.content.rjust(size)


@pytest.mark.contract("B2", "A body of 6 MB, the most that InvokeEndpoint sends, is answered, or refused with 413")
def test_the_largest_body_is_answered_or_413(server: Server, subject: Subject) -> None:
    body = subject.json_request
    answer = server.ask("POST", "/invocations", padded(body, PAYLOAD), {"Content-Type": body.content_type})
    if answer.status == 413:
        check_error(answer, {413}, subject, "6 MB")
    else:
        assert settled(answer, subject) == settled(server.invoke(body), subject)
    assert server.invoke(body).status == 200


@pytest.mark.contract("B2", "Bodies over the limit are refused and cost the server nothing: the next requests are answered")
@pytest.mark.parametrize("size", [PAYLOAD + 1, PAYLOAD + 300_000, 4 * PAYLOAD], ids=["just-over", "over", "far-over"])
def test_a_body_over_the_limit_hurts_nobody(server: Server, subject: Subject, size: int) -> None:
    body = subject.json_request
    answer = server.ask("POST", "/invocations", padded(body, size), {"Content-Type": body.content_type})
    assert answer.status in ({413} if subject.serving.get("limits_payload") else {200, 413}), answer
    assert {answer.status for answer in at_once(lambda _: server.invoke(body), range(16))} == {200}
    assert server.ping() == 200


@pytest.mark.contract("B1", "GET /invocations and unknown paths are 4xx and nothing else happens")
@pytest.mark.parametrize(("method", "path"), [("GET", "/invocations"), ("DELETE", "/invocations"), ("GET", "/nothing"), ("POST", "/..%2f")])
def test_other_methods_and_paths_are_refused(server: Server, method: str, path: str) -> None:
    assert 400 <= server.ask(method, path).status < 500


@pytest.mark.contract("B5", "GET /execution-parameters is 404, or JSON with the documented keys within their limits")
def test_execution_parameters_are_the_documented_ones(server: Server, subject: Subject) -> None:
    answer = server.ask("GET", "/execution-parameters")
    assert answer.status == (200 if subject.serving.get("execution_parameters") else 404)
    if answer.status == 200:
        told = read_json(answer.body)
        assert set(told) == {"MaxConcurrentTransforms", "BatchStrategy", "MaxPayloadInMB"}
        assert told["BatchStrategy"] in BATCH_STRATEGIES
        assert type(told["MaxConcurrentTransforms"]) is int
        assert told["MaxConcurrentTransforms"] >= 1
        assert type(told["MaxPayloadInMB"]) is int
        assert 0 <= told["MaxPayloadInMB"] <= BATCH_PAYLOAD_MB
        assert told["MaxConcurrentTransforms"] * told["MaxPayloadInMB"] <= BATCH_PAYLOAD_MB


@pytest.mark.contract("B6", "GET /metrics is 404, or Prometheus' text with a line for each sample")
def test_metrics_are_in_the_format_that_is_scraped(server: Server) -> None:
    answer = server.ask("GET", "/metrics")
    assert answer.status in (200, 404)
    if answer.status == 200:
        assert answer.content_type in ("text/plain", "application/openmetrics-text")
        lines = [line for line in answer.body.decode("utf-8").split("\n") if line and not line.startswith("#")]
        assert lines
        assert [line for line in lines if not SAMPLE.fullmatch(line)] == []
