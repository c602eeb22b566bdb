"""The end of a server: told by SIGTERM, thirty seconds before SIGKILL."""

from __future__ import annotations

import signal
import threading
import time

import pytest

from tests.conformance.conftest import Serving
from tests.conformance.container import Container
from tests.conformance.http_client import Answer
from tests.conformance.image import Image
from tests.conformance.limits import STOP_SECONDS
from tests.conformance.processes import catches
from tests.conformance.subject_folder import Subject

CALLERS = 4


@pytest.mark.contract("B1", "On SIGTERM the requests at hand are answered; it ends within 30 s with exit code 0 and leaves no process")
def test_on_sigterm_what_is_at_hand_is_answered(serving: Serving, subject: Subject) -> None:
    body = subject.long_request
    got: list[tuple[Answer | OSError, float]] = []

    def call() -> None:
        answer: Answer | OSError
        try:
            answer = server.invoke(body)
        except OSError as error:
            answer = error
        got.append((answer, time.monotonic()))

    with serving() as server:
        alone = server.invoke(body)
        callers = [threading.Thread(target=call) for _ in range(CALLERS)]
        for caller in callers:
            caller.start()
        time.sleep(min(0.3, alone.seconds / 3))
        told = time.monotonic()
        code, seconds = server.run.stop(STOP_SECONDS)
        for caller in callers:
            caller.join()
        assert [answer for answer, _ in got if not isinstance(answer, Answer)] == []
        # Those that waited behind others may be told that it ends; what was at work may not.
        statuses = sorted(answer.status for answer, _ in got if isinstance(answer, Answer))
        assert statuses[0] == 200, statuses
        assert set(statuses) <= {200, 503}, statuses
        assert all(answer.body == alone.body for answer, _ in got if isinstance(answer, Answer) and answer.status == 200)
        assert max(moment for _, moment in got) > told, "nothing was at hand: subject.json: serving.long is too short"
        assert code == 0, server.log()
        assert seconds < STOP_SECONDS
        assert server.run.left == []


@pytest.mark.contract("B1", "SIGTERM while it starts ends it as well, with exit code 0 or by that signal, and leaves no process")
@pytest.mark.parametrize("begun", [False, True], ids=["at-once", "when-it-hears-signals"])
def test_on_sigterm_while_starting_it_ends(serving: Serving, container: Container, subject: Subject, begun: bool) -> None:
    if not begun and isinstance(container, Image):
        pytest.skip("the first process of a container gets no signal before it asks for it: that is the kernel's rule")
    with serving(wait=False) as server:
        deadline = time.monotonic() + subject.serving["seconds"]
        while begun and not catches(signal.SIGTERM, server.run.pid) and time.monotonic() < deadline:
            time.sleep(0.001)
        code, seconds = server.run.stop(STOP_SECONDS)
        assert code in (0, -15, 128 + 15), server.log()
        assert seconds < STOP_SECONDS
        assert server.run.left == []
