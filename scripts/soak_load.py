"""Callers of a soak: each asks one request after the other, at a given pace, and compares each answer with the offline one."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from scripts.fuzz_inputs import Inputs, Probe
from scripts.fuzz_promises import broken_promises
from scripts.http_wire import Connection, Wire, post

RETRYABLE = (429, 500, 503)  # what may be said of a request whose worker was killed, or that found too many others waiting
_BAD = 0.05  # of the requests
_ATTEMPTS_AFTER_A_KILL = 2
_NO_ANSWER = 0


@dataclass
class Seen:
    """``milliseconds`` of good requests that were answered at the first attempt. ``again``: those that needed a second one."""

    milliseconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    again: int = 0
    broken: list[str] = field(default_factory=list)


def request_of(probe: Probe) -> bytes:
    headers = [(b"Content-Type", probe.content_type), (b"Accept", probe.accept)]
    return post("/invocations", probe.body, b"".join(b"%s: %s\r\n" % (name, value) for name, value in headers if value is not None))


class Caller(threading.Thread):
    """``pause``: seconds from one request to the next, as far as the server keeps up; ``expected``: the bytes of the good answers;
    ``excused(begin, end)``: whether a worker was killed at about that time."""

    def __init__(
        self,
        port: int,
        inputs: Inputs,
        expected: list[bytes],
        seed: str,
        pause: Callable[[], float],
        excused: Callable[[float, float], bool],
    ) -> None:
        super().__init__(daemon=True)
        self.seen = Seen()
        self.running = True
        self._inputs, self._expected, self._pause, self._excused = inputs, expected, pause, excused
        self._rng = random.Random(seed)
        self._connection = Connection(port, timeout=30)

    def run(self) -> None:
        due = time.monotonic()
        while self.running:
            due = max(due + self._pause(), time.monotonic() - 1)
            time.sleep(max(0.0, due - time.monotonic()))
            if self._rng.random() < _BAD and self._pause():
                self._ask_badly()
            else:
                self._ask_well()
        self._connection.close()

    def _ask_well(self) -> None:
        probe = self._inputs.good(self._rng)
        assert probe.good is not None
        for attempt in range(_ATTEMPTS_AFTER_A_KILL):
            begin = time.monotonic()
            answer = self._ask(probe)
            end = time.monotonic()
            self.seen.statuses[answer.status] += 1
            if answer.status == 200:
                if answer.body != self._expected[probe.good]:
                    self.seen.broken.append(f"another answer than the offline one: {answer.body[:200]!r}")
                if attempt == 0:
                    self.seen.milliseconds.append(1000 * (end - begin))
                else:
                    self.seen.again += 1
                return
            if answer.status not in (*RETRYABLE, _NO_ANSWER) or not self._excused(begin, end):
                self.seen.broken.append(f"a good request got {answer.status} though nothing was killed: {answer.body[:200]!r}")
                return
            if answer.status in (429, 503) and "retry-after" not in answer.headers:
                self.seen.broken.append(f"{answer.status} without Retry-After")
        self.seen.broken.append("a request failed twice")

    def _ask_badly(self) -> None:
        probe = self._inputs.any(self._rng)
        begin = time.monotonic()
        answer = self._ask(probe)
        self.seen.statuses[answer.status] += 1
        if answer.status in (*RETRYABLE, _NO_ANSWER) and self._excused(begin, time.monotonic()):
            return
        self.seen.broken += broken_promises(answer.status, answer.headers.get("content-type", ""), answer.body)

    def _ask(self, probe: Probe) -> Wire:
        try:
            return self._connection.ask(request_of(probe))
        except OSError as error:
            return Wire(_NO_ANSWER, {}, repr(error).encode())
