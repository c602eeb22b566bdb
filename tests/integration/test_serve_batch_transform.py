"""A batch transform job against a real server: the platform's splitter, assembler and join, played here in a few lines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.integration.serving import ENGINES, Server, make_model, serving

INPUT = b'{"user_id": "u0"}\n{"user_id": \n\n{"items": ["s5"]}\n{"colour": 1}\n{"user_id": "nobody"}'
LINES = INPUT.split(b"\n")


@pytest.fixture(scope="module", params=ENGINES)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    parent = tmp_path_factory.mktemp("ml")
    make_model(parent / "model")
    with serving(parent, SERVING_ENGINE=request.param, SAGEMAKER_BATCH="true", SAGEMAKER_MAX_PAYLOAD_IN_MB="1") as server:
        yield server.wait_until_healthy()


def transform(server: Server, bodies: list[bytes], content_type: str, accept: str | None = None) -> bytes:
    """Does what a job with AssembleWith=Line does: sends the bodies, two at once, and writes the answers in order, a newline after each."""
    headers = {"Content-Type": content_type} | ({"Accept": accept} if accept else {})
    with ThreadPoolExecutor(2) as callers:
        responses = list(callers.map(lambda body: server.invoke(body, headers), bodies))
    assert [response.status for response in responses] == [200] * len(bodies)
    return b"".join(response.body + b"\n" for response in responses)


def statuses(output: bytes) -> list[str]:
    return [json.loads(line)["status"] for line in output.splitlines()]


def test_the_job_is_told_what_to_send(server: Server) -> None:
    told = server.request("GET", "/execution-parameters")
    assert (told.status, told.headers["content-type"]) == (200, "application/json")
    assert told.json() == {"MaxConcurrentTransforms": 2, "BatchStrategy": "SINGLE_RECORD", "MaxPayloadInMB": 1}


@pytest.mark.parametrize("content_type", ["application/jsonlines", "application/json"])
@pytest.mark.parametrize("accept", [None, "application/jsonlines", "application/json"])
def test_a_line_in_is_a_line_out_however_the_file_is_cut(server: Server, content_type: str, accept: str | None) -> None:
    expected = ["success", "error", "error", "success", "error", "success"]
    one_by_one = transform(server, LINES, content_type, accept)
    assert statuses(one_by_one) == expected
    in_threes = [b"\n".join(LINES[:3]) + b"\n", b"\n".join(LINES[3:])]
    assert transform(server, in_threes, content_type, accept) == one_by_one
    assert transform(server, [INPUT], content_type, accept) == one_by_one


def test_an_error_has_the_body_that_errors_have_everywhere(server: Server) -> None:
    error = json.loads(transform(server, [b"{"], "application/json"))
    assert (error["status"], error["error"]["code"]) == ("error", "malformed_json")
    assert set(error["error"]) == {"code", "message", "request_id"}


def test_input_and_output_can_be_joined(server: Server) -> None:
    """JoinSource=Input adds each answer to its input line, and fails the file where their numbers differ."""
    rows = b"u0\n\n,s5\nu1,s1\n"
    lines = rows.decode().splitlines()
    output = transform(server, [line.encode() for line in lines], "text/csv").decode().splitlines()
    joined = [f"{line},{answer}" for line, answer in zip(lines, output, strict=True)]
    assert joined[0].startswith("u0,u0,s1,s2,s3,s4,")
    assert joined[1] == ",ERROR,The line is empty."
    assert joined[2].startswith(",s5,,s6,s7,s8,s9,")
    assert joined[3].startswith("u1,s1,u1,s2,s3,")


def test_what_no_line_is_to_blame_for_fails_the_job(server: Server) -> None:
    assert server.invoke(INPUT, {"Content-Type": "application/xml"}).status == 415
    assert server.invoke(INPUT, {"Content-Type": "text/csv", "Accept": "text/html"}).status == 406
    too_many = server.invoke(b"u0\n" * 10_001, {"Content-Type": "text/csv"})
    assert (too_many.status, too_many.json()["error"]["code"]) == (413, "batch_too_large")
    assert "SplitType=Line, BatchStrategy=SingleRecord" in too_many.json()["error"]["message"]
    assert server.invoke(b"u" * (1024 * 1024 + 1), {"Content-Type": "text/csv"}).status == 413
