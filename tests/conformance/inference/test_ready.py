"""When a server says that it is ready, and what it does when it never will be."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conformance.conftest import Serving
from tests.conformance.load import at_once
from tests.conformance.server import Server
from tests.conformance.subject_folder import Subject

SECONDS_OF_NEVER = 10  # how long a server that neither ends nor gets ready is watched


@pytest.mark.contract("B1", "GET /ping is answered with 200 and an empty body once the model can answer")
def test_a_healthy_ping_has_status_200_and_an_empty_body(server: Server) -> None:
    answer = server.ask("GET", "/ping")
    assert (answer.status, answer.body) == (200, b"")


@pytest.mark.contract("B1", "GET /ping is never 200 before an invocation is answered, by whichever process gets it")
def test_no_ping_is_200_before_an_invocation_works(serving: Serving, subject: Subject) -> None:
    body = subject.requests[0]
    with serving(wait=False) as server:
        while (status := server.ping()) != 200:
            assert status is None or status >= 400, f"a server that is not ready answers a ping with {status}"
            assert not server.run.ended, server.log()
            assert time.monotonic() - server.started < subject.serving["seconds"], server.log()
            time.sleep(0.001)
        statuses = at_once(lambda _: server.invoke(body).status, range(16))
        assert set(statuses) == {200}, statuses


def gone(model: Path) -> None:
    shutil.rmtree(model)


def empty(model: Path) -> None:
    shutil.rmtree(model)
    model.mkdir()


def cut_short(model: Path) -> None:
    """Each file has lost its second half, as after a download that broke off."""
    for file in [path for path in model.rglob("*") if path.is_file()]:
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def largest_cut_short(model: Path) -> None:
    """Only the largest file has lost its end."""
    file = max((path for path in model.rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)
    file.write_bytes(file.read_bytes()[: file.stat().st_size * 9 // 10])


@pytest.mark.contract(
    "B1", "Without a model that it can use it ends soon, or at least never says that it is healthy; the log has the reason"
)
@pytest.mark.parametrize(
    ("harm", "reason"),
    [(gone, "missing"), (empty, "missing"), (cut_short, "broken"), (largest_cut_short, "broken")],
    ids=["gone", "empty", "cut-short", "largest-cut-short"],
)
def test_a_server_that_cannot_answer_never_says_that_it_can(
    serving: Serving, served: Callable[..., Path], subject: Subject, harm: Callable[[Path], None], reason: str
) -> None:
    base = served()
    harm(base / "model")
    with serving(base=base, wait=False) as server:
        begin = time.monotonic()
        while not server.run.ended and time.monotonic() - begin < SECONDS_OF_NEVER:
            assert server.ping() != 200, "healthy without a model that it could use"
            time.sleep(0.02)
        if server.run.ended:
            assert server.run.fails(1)
        said = server.log()
    assert re.search(subject.serving.get("reasons", {}).get(reason, r"\w"), said), f"no reason in the log: {said!r}"
