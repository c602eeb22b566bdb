"""What a caller sees: real multi-model-server, real sockets, good and bad requests."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator

import psutil
import pytest

from tests.integration.serving import JSON, KNOWN, Response, Server

MULTIPART = b'--b\r\nContent-Disposition: form-data; name="body"\r\n\r\n{}\r\n--b--'


@pytest.fixture(autouse=True)
def _workers_survive(server: Server) -> Iterator[None]:
    before = server.workers()
    yield
    assert server.workers() == before, server.log()
    assert "Traceback" not in server.log()


def assert_error(response: Response, status: int, code: str) -> None:
    """Every error has the one body, names the request as the header does, and is plain ASCII."""
    assert response.status == status, response.body
    assert response.headers["content-type"] == "application/json"
    error = response.json()["error"]
    assert response.json() == {"status": "error", "error": error}
    assert error["code"] == code
    assert error["request_id"] == response.headers["x-request-id"]
    assert response.body.isascii()
    assert b"Traceback" not in response.body
    assert b".py" not in response.body


def raw(server: Server, data: bytes) -> bytes:
    """Sends bytes and returns what comes back within half a second of silence."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=0.5) as connection:
        connection.sendall(data)
        received = b""
        try:
            while chunk := connection.recv(65536):
                received += chunk
        except TimeoutError:
            pass
    return received


def test_a_known_listener_gets_the_next_songs(server: Server) -> None:
    response = server.invoke(KNOWN)
    assert response.status == 200
    assert [r["item_id"] for r in response.json()["recommendations"]] == ["s1", "s2", "s3"]


def test_a_healthy_ping_has_status_200_and_no_body(server: Server) -> None:
    response = server.request("GET", "/ping")
    assert (response.status, response.body) == (200, b"")


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "Application/JSON;charset=UTF-8", None])
def test_json_is_understood_with_parameters_and_without_a_type(server: Server, content_type: str | None) -> None:
    assert server.invoke(KNOWN, {"Content-Type": content_type} if content_type else {}).status == 200


@pytest.mark.parametrize("accept", [None, "*/*", "application/json", "text/html;q=0.5, application/json;q=0.4", "x/y, " * 1500 + "*/*"])
def test_the_answer_is_json_whatever_else_accept_asks_for(server: Server, accept: str | None) -> None:
    response = server.invoke(KNOWN, JSON | ({"Accept": accept} if accept else {}))
    assert response.status == 200
    assert response.headers["content-type"] == "application/json"


def test_the_type_of_the_answer_is_never_the_callers_text(server: Server) -> None:
    for _ in range(60):  # small answers first, which is what used to make the next one fatal
        server.invoke({"user_id": "u0", "num_recommendations": 1})
    response = server.invoke(KNOWN, JSON | {"Accept": "application/json;" + "x=y;" * 500})
    assert (response.status, response.headers["content-type"]) == (200, "application/json")


def test_csv_and_json_lines_come_back_when_asked_for(server: Server) -> None:
    response = server.invoke(KNOWN, JSON | {"Accept": "text/csv"})
    assert (response.headers["content-type"], response.body.strip()) == ("text/csv", b"u0,s1,s2,s3")
    lines = b'{"user_id": "u0"}\n{"nope": 7}\n'
    response = server.invoke(lines, {"Content-Type": "application/jsonlines"})
    assert response.status == 200
    assert [json.loads(line)["status"] for line in response.body.splitlines()] == ["success", "error"]


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        (b'{"user_id":', "application/json", 400, "malformed_json"),
        ('{"user_id": "žluť☃'.encode(), "application/json", 400, "malformed_json"),
        (b'{"user_id": "\xff\xfe"}', "application/json", 400, "not_utf8"),
        (b"", "application/json", 400, "empty_body"),
        (b"[" * 100_000, "application/json", 400, "malformed_json"),
        (b"null", "application/json", 422, "invalid_request"),
        ('{"user_id": "u0", "☃": 1}'.encode(), "application/json", 422, "unknown_field"),
        (b"<a/>", "application/xml", 415, "unsupported_content_type"),
        (b"\x93NUMPY", "application/x-npy", 415, "unsupported_content_type"),
        (b"user_id=u0", "application/x-www-form-urlencoded", 415, "unsupported_content_type"),
        (b"zz", "multipart/form-data", 415, "unsupported_content_type"),
        (MULTIPART, "multipart/form-data; boundary=b", 415, "unsupported_content_type"),
        (b"{}", "application/json; charset=latin-1", 415, "unsupported_charset"),
        (b"{}", "appliçation/jsön", 415, "unsupported_content_type"),
    ],
)
def test_a_bad_body_or_type_gets_its_status_and_the_json_error(
    server: Server, body: bytes, content_type: str, status: int, code: str
) -> None:
    assert_error(server.invoke(body, {"Content-Type": content_type}), status, code)


def test_an_accept_that_cannot_be_given_is_406(server: Server) -> None:
    assert_error(server.invoke(KNOWN, JSON | {"Accept": "text/html"}), 406, "not_acceptable")


def test_a_body_up_to_the_limit_is_read(server: Server) -> None:
    limit = 6 * 1024 * 1024
    body = b'{"user_id": "u0"}'.ljust(limit)
    assert server.invoke(body).status == 200
    assert_error(server.invoke(body + b" "), 413, "payload_too_large")


@pytest.mark.parametrize("headers", [JSON, JSON | {"Connection": "close"}])
def test_a_body_far_over_the_limit_is_413(server: Server, headers: dict[str, str]) -> None:
    assert_error(server.invoke(b"a" * 30_000_000, headers), 413, "payload_too_large")


def test_a_caller_who_asks_before_sending_too_much_is_refused(server: Server) -> None:
    received = raw(server, b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: 7000000\r\nExpect: 100-continue\r\n\r\n")
    assert received.startswith(b"HTTP/1.1 413 ")
    assert b'"payload_too_large"' in received


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_invocations_answers_post_only(server: Server, method: str) -> None:
    assert_error(server.request(method, "/invocations"), 405, "method_not_allowed")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("OPTIONS", "/"),
        ("GET", "/nope"),
        ("GET", "/%zz%"),
        ("GET", "/models"),
        ("POST", "/models?url=http://127.0.0.1:1/x&handler=os:system"),
        ("DELETE", "/models/model"),
        ("PUT", "/models/model?min_worker=0"),
        ("POST", "/models/model/invoke"),
        ("POST", "/predictions/model"),
        ("GET", "/api-description"),
    ],
)
def test_no_other_path_exists_and_models_cannot_be_managed(server: Server, method: str, path: str) -> None:
    assert_error(server.request(method, path), 404, "not_found")


def test_nothing_but_the_one_port_is_open(server: Server) -> None:
    family = server.processes()
    listening = [c.laddr for c in psutil.net_connections("inet") if c.status == psutil.CONN_LISTEN and c.pid in family]
    assert [(address.ip.removeprefix("::ffff:"), address.port) for address in listening] == [("127.0.0.1", server.port)]


def test_query_strings_change_nothing(server: Server) -> None:
    response = server.request("POST", "/invocations?model_name=other&body=1", json.dumps(KNOWN).encode(), JSON)
    assert [r["item_id"] for r in response.json()["recommendations"]] == ["s1", "s2", "s3"]


def test_batch_transform_is_told_what_fits(server: Server) -> None:
    response = server.request("GET", "/execution-parameters")
    assert response.json() == {"MaxConcurrentTransforms": 2, "BatchStrategy": "SINGLE_RECORD", "MaxPayloadInMB": 6}


@pytest.mark.parametrize("data", [b"GARBAGE\r\n\r\n", b"GET /ping HTTP/1.1\r\nX: " + b"a" * 20_000 + b"\r\n\r\n"])
def test_what_is_not_http_is_400_and_the_connection_ends(server: Server, data: bytes) -> None:
    received = raw(server, data)
    assert received.startswith(b"HTTP/1.1 400 ")
    assert b'"bad_http"' in received


def test_requests_sent_without_waiting_are_answered_in_their_order(server: Server) -> None:
    body = json.dumps(KNOWN).encode()
    invoke = b"POST /invocations HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    received = raw(server, (invoke + b"GET /nope HTTP/1.1\r\n\r\n") * 300 + invoke + b"GET /ping HTTP/1.1\r\n\r\n")
    assert [part[:3] for part in received.split(b"HTTP/1.1 ")[1:]] == [b"200", b"404"] * 300 + [b"200", b"200"]


def test_a_request_leaves_one_line_in_the_log_and_a_ping_none(server: Server) -> None:
    before = len(server.log().splitlines())
    for _ in range(5):
        server.ping()
    request_id = server.invoke(KNOWN).headers["x-request-id"]
    [line] = server.log().splitlines()[before:]
    assert json.loads(line)["id"] == request_id


def test_options_of_the_re_ranker_reach_the_model_and_a_wrong_one_is_named(server: Server) -> None:
    fewer = server.invoke({**KNOWN, "boosts": [{"items": ["s1"], "factor": 0}], "novelty": 0})
    assert [r["item_id"] for r in fewer.json()["recommendations"]] == ["s2", "s3", "s4"]
    for wrong in ({"diversity": 2}, {"filter": {"genre": {}}}, {"boosts": [{"items": ["s1"]}]}):
        response = server.invoke({**KNOWN, **wrong})
        assert_error(response, 422, "invalid_field")
        assert next(iter(wrong)) in response.json()["error"]["message"]
