"""A server of the trained model answers."""

from __future__ import annotations

import pytest

from tests.conformance.conftest import Serving
from tests.conformance.container import NOBODY, Conditions
from tests.conformance.server import Server
from tests.conformance.subject_folder import Subject


@pytest.mark.contract("B1", "GET /ping is answered with 200")
def test_a_ping_is_answered(server: Server) -> None:
    assert server.ping() == 200


@pytest.mark.contract("B7", "Every body that the container says it takes is answered with 200")
def test_every_request_of_the_subject_is_answered(server: Server, subject: Subject) -> None:
    for body in subject.requests:
        answer = server.invoke(body)
        assert answer.status == 200, (str(body), answer.body)


@pytest.mark.contract("B7", "A body that is wrong is refused with 4xx")
def test_every_bad_request_of_the_subject_is_refused(server: Server, subject: Subject) -> None:
    for body in subject.bad_requests:
        answer = server.invoke(body)
        assert 400 <= answer.status < 500, (str(body), answer.status, answer.body)


@pytest.mark.contract("A8", "Serving works as any user, on read-only disks and without a network, all at once")
def test_a_server_needs_no_name_no_disk_and_no_network(serving: Serving, subject: Subject) -> None:
    with serving(conditions=Conditions(user=NOBODY, read_only=True, network=False)) as server:
        assert server.invoke(subject.requests[0]).status == 200
