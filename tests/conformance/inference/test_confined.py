"""What the platform may take away: the user's name, the disk, the network, the memory."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conformance.answers import settled
from tests.conformance.conftest import Serving
from tests.conformance.container import NOBODY, Conditions
from tests.conformance.opt_ml import contents
from tests.conformance.server import Server
from tests.conformance.subject_folder import Subject

SERVERLESS_MB = 1024  # the smallest that there is

CONFINED = {
    "user": (Conditions(user=NOBODY), "Serving works as any user, with no name and no home"),
    "read-only": (Conditions(read_only=True), "Serving works on read-only disks, the model's among them; only /tmp may be written"),
    "no-network": (Conditions(network=False), "Serving works without a network"),
}
ALL_AT_ONCE = Conditions(user=NOBODY, read_only=True, network=False)


def answers_as(confined: Server, free: Server, subject: Subject) -> None:
    for body in subject.requests:
        assert settled(confined.invoke(body), subject) == settled(free.invoke(body), subject), str(body)
    for body in subject.bad_requests:
        assert confined.invoke(body).status == free.invoke(body).status, str(body)


@pytest.mark.contract("B6", "Serving works as any user, on read-only disks and without a network, all at once")
def test_a_server_needs_no_name_no_disk_and_no_network(serving: Serving, server: Server, subject: Subject) -> None:
    with serving(conditions=ALL_AT_ONCE) as confined:
        answers_as(confined, server, subject)
        assert confined.ping() == 200


@pytest.mark.slow
@pytest.mark.parametrize("which", [pytest.param(one, marks=pytest.mark.contract("B6", CONFINED[one][1])) for one in CONFINED])
def test_a_server_can_do_without(serving: Serving, server: Server, subject: Subject, which: str) -> None:
    with serving(conditions=CONFINED[which][0]) as confined:
        answers_as(confined, server, subject)


@pytest.mark.contract("B1", "The model's folder is left as it was")
def test_nothing_is_written_beside_the_model(server: Server, subject: Subject, trained: tuple[object, str]) -> None:
    for body in subject.requests:
        server.invoke(body)
    assert contents(server.base / "model") == contents(trained[0].model)  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def serverless(serving: Serving) -> Iterator[Server]:
    with serving({"SAGEMAKER_MODEL_SERVER_WORKERS": "1"}, conditions=Conditions(read_only=True, memory_mb=SERVERLESS_MB)) as running:
        yield running


@pytest.mark.contract(
    "B6", "A serverless endpoint of the smallest size (1 GB, one worker, read-only) answers as any other, under load, too"
)
def test_the_smallest_serverless_endpoint_will_do(serverless: Server, server: Server, subject: Subject) -> None:
    answers_as(serverless, server, subject)
    assert serverless.invoke(subject.long_request).status == 200
    assert serverless.ping() == 200
    assert not serverless.run.ended


@pytest.mark.contract("B6", "A body of a serverless endpoint's 4 MB is answered within its memory")
def test_the_largest_body_of_a_serverless_endpoint_is_answered(serverless: Server, subject: Subject) -> None:
    body = subject.json_request
    answer = serverless.ask("POST", "/invocations", body.content.rjust(4 * 1024 * 1024), {"Content-Type": body.content_type})
    assert settled(answer, subject) == settled(serverless.invoke(body), subject)
