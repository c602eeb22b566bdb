"""Where a server listens: as told, and nowhere else that anybody could reach."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conformance.answers import parsed, settled
from tests.conformance.command import free_port
from tests.conformance.conftest import Serving
from tests.conformance.container import PORT, Conditions
from tests.conformance.kept import Kept
from tests.conformance.processes import listening
from tests.conformance.server import Server
from tests.conformance.subject_folder import Subject


@pytest.mark.contract("B1", "Untold it listens on port 8080 of all interfaces, and on no other that could be reached from outside")
def test_untold_it_listens_on_8080_of_all_interfaces(serving: Serving, subject: Subject) -> None:
    with serving(conditions=Conditions(network=False)) as server:
        outside = {address for address in listening(server.run.processes()) if address.reach != "loopback"}
        assert {(address.port, address.reach) for address in outside} == {(PORT, "all")}
        assert server.invoke(subject.requests[0]).status == 200


class Told:
    """What a container of a pipeline is told: its port, ports for its own use, and the type of its answers."""

    def __init__(self, accept: str) -> None:
        self.port = free_port()
        self.safe = range(self.port + 1, self.port + 21)
        safe = f"{self.safe.start}-{self.safe.stop - 1}"
        self.variables = {"SAGEMAKER_SAFE_PORT_RANGE": safe, "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": accept}


@pytest.fixture(scope="module")
def told(subject: Subject) -> Told:
    return Told(subject.serving["pipeline"]["accept"])


@pytest.fixture(scope="module")
def _in_a_pipeline(serving: Serving, told: Told) -> Iterator[Kept]:
    with Kept(serving, told.variables, port=told.port) as kept:
        yield kept


@pytest.fixture
def in_a_pipeline(_in_a_pipeline: Kept) -> Server:
    return _in_a_pipeline.server()


@pytest.mark.contract("B1", "It listens on SAGEMAKER_BIND_TO_PORT, and opens no port outside of SAGEMAKER_SAFE_PORT_RANGE beside it")
def test_it_listens_on_the_port_that_it_is_told_and_on_none_outside_the_safe_range(in_a_pipeline: Server, told: Told) -> None:
    assert in_a_pipeline.ping() == 200
    ports = {address.port for address in listening(in_a_pipeline.run.processes())}
    assert told.port in ports
    assert [port for port in ports - {told.port} if port not in told.safe] == []


@pytest.mark.contract("B6", "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT is the type of the answer where a request does not say, and only there")
def test_the_default_accept_of_a_pipeline_is_kept(in_a_pipeline: Server, told: Told, server: Server, subject: Subject) -> None:
    accept = subject.serving["pipeline"]["accept"]
    for body in subject.requests:
        for headers in ({}, {"Accept": "*/*"}):
            answer = in_a_pipeline.invoke(body, headers)
            assert (answer.status, answer.content_type) == (200, accept), str(body)
            assert parsed(answer.body, accept)
        for other in subject.serving["answer_types"]:
            asked = {"Accept": other}
            assert settled(in_a_pipeline.invoke(body, asked), subject) == settled(server.invoke(body, asked), subject)


@pytest.mark.contract("B6", "The body and the content type of an answer are a request of the next container of a pipeline")
def test_the_answer_of_one_is_the_request_of_the_next(in_a_pipeline: Server, server: Server, subject: Subject) -> None:
    name = subject.serving["pipeline"].get("request")
    if not name:
        pytest.skip("subject.json: no request whose answer is a request")
    first = in_a_pipeline.invoke(next(body for body in subject.requests if body.path.name == name))
    second = server.ask("POST", "/invocations", first.body, {"Content-Type": first.headers["content-type"]})
    assert second.status == 200, (first.body, second.body)
