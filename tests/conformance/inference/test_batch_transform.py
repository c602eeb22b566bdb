"""Batch transform, played from the file to its output."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conformance.answers import CSV, parsed, read_json, without
from tests.conformance.conftest import Serving
from tests.conformance.kept import Kept
from tests.conformance.limits import BATCH_PAYLOAD_MB
from tests.conformance.server import Server
from tests.conformance.subject_folder import Body, Subject
from tests.conformance.transform import Job

TRANSFORMS = 4  # at once
MANY = 32
SINGLE = {"SAGEMAKER_BATCH_STRATEGY": "SINGLE_RECORD", "SAGEMAKER_MAX_PAYLOAD_IN_MB": "1"}
CUTS = {
    "one by one": Job("SINGLE_RECORD"),
    "one by one, with newlines": Job("SINGLE_RECORD", newline=True),
    "one by one, four at once": Job("SINGLE_RECORD", concurrent=TRANSFORMS),
    "two or three together": Job(max_payload=110),
    "a few together, with newlines": Job(max_payload=200, newline=True),
    "a few together, four at once": Job(max_payload=200, concurrent=TRANSFORMS),
    "all together": Job(),
}


@pytest.fixture(scope="module")
def _transforming(serving: Serving, subject: Subject) -> Iterator[Kept]:
    """Told as little as the platform may tell."""
    if not subject.serving.get("batch_transform"):
        pytest.skip("subject.json: no batch_transform")
    with Kept(serving, {"SAGEMAKER_BATCH": "true"}) as kept:
        yield kept


@pytest.fixture
def transforming(_transforming: Kept) -> Server:
    return _transforming.server()


def output(job: Job, server: Server, body: Body, subject: Subject) -> list[Any]:
    """The lines of the output, of which each is valid by itself."""
    lines = job.run(server, body)
    values = [parsed(line.encode(), body.content_type)[0] for line in lines]
    return [without(value, set(subject.serving.get("varies", []))) for value in values]


def records(body: Body) -> list[str]:
    return body.content.decode("utf-8").removesuffix("\n").split("\n")


@pytest.mark.contract(
    "B5", "Each line of the input has one line of output in its place, however the job cuts the file and how many it sends at once"
)
@pytest.mark.parametrize("cut", CUTS)
def test_a_line_in_is_a_line_out(transforming: Server, server: Server, subject: Subject, cut: str) -> None:
    for body in subject.batches:
        lines = output(CUTS[cut], transforming, body, subject)
        assert len(lines) == len(records(body)), str(body)
        assert lines == output(Job("SINGLE_RECORD"), transforming, body, subject), str(body)
        if body.path.name not in subject.serving["bad_lines"]:
            assert lines == output(Job("SINGLE_RECORD"), server, body, subject), "a real-time endpoint answers the same"


@pytest.mark.contract("B5", "A bad line has an error in its place, and the other lines their answers")
@pytest.mark.parametrize("cut", CUTS)
def test_a_bad_line_has_an_error_in_its_place(transforming: Server, subject: Subject, cut: str) -> None:
    if not subject.serving["bad_lines"]:
        pytest.skip("subject.json: no bad_lines")
    for body in subject.batches:
        wrong = subject.serving["bad_lines"].get(body.path.name, [])
        lines = CUTS[cut].run(transforming, body)
        assert [at for at, line in enumerate(lines) if re.search(subject.serving["bad_line"], line)] == wrong, str(body)


@pytest.mark.contract("B5", "JoinSource=Input: the output can be joined with the input line by line")
@pytest.mark.parametrize("cut", ["one by one", "two or three together", "all together"])
def test_input_and_output_can_be_joined(transforming: Server, subject: Subject, cut: str) -> None:
    for body in subject.batches:
        job = Job(CUTS[cut].strategy, CUTS[cut].max_payload, join=True)
        joined = job.run(transforming, body)
        assert len(joined) == len(records(body))
        for record, line in zip(records(body), joined, strict=True):
            if body.content_type == CSV:
                assert line.startswith(f"{record},")
                assert len(line) > len(record) + 1
                assert len(parsed(line.encode(), CSV)) == 1
            else:
                assert "SageMakerOutput" in read_json(line), line


@pytest.mark.contract(
    "B5", "What the job was told (strategy, payload, transforms at once) is kept, and told again where /execution-parameters tells anything"
)
def test_the_job_is_told_again_what_it_has_told(serving: Serving, subject: Subject) -> None:
    variables = {"SAGEMAKER_BATCH": "true", **SINGLE, "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": str(MANY)}
    if not subject.serving.get("batch_transform"):
        pytest.skip("subject.json: no batch_transform")
    with serving(variables) as server:
        answer = server.ask("GET", "/execution-parameters")
        if subject.serving.get("execution_parameters"):
            told = read_json(answer.body)
            assert told["MaxConcurrentTransforms"] == MANY
            assert told["BatchStrategy"].replace("_", "").upper() == "SINGLERECORD"
            assert told["MaxPayloadInMB"] == 1
        else:
            assert answer.status == 404
        for body in subject.batches:
            assert len(output(Job("SINGLE_RECORD", concurrent=MANY), server, body, subject)) == len(records(body))


@pytest.mark.contract(
    "B5", "A job that goes by /execution-parameters has one line of output for each line of input, of a file of some size, too"
)
def test_a_job_that_does_as_it_is_told_succeeds(transforming: Server, subject: Subject) -> None:
    answer = transforming.ask("GET", "/execution-parameters")
    told = {"MaxConcurrentTransforms": 1, "BatchStrategy": "MULTI_RECORD", "MaxPayloadInMB": 6}  # the platform's own choice after a 404
    if answer.status == 200:
        told = read_json(answer.body)
    strategy = "SINGLE_RECORD" if "SINGLE" in str(told["BatchStrategy"]).upper() else "MULTI_RECORD"
    payload = int(told["MaxPayloadInMB"]) or BATCH_PAYLOAD_MB
    job = Job(strategy, payload * 1024 * 1024, int(told["MaxConcurrentTransforms"]))
    for body in subject.batches:
        several = Body(body.path, body.content_type, times=5)
        once = output(job, transforming, body, subject)
        assert output(job, transforming, several, subject) == once * 5, str(body)
