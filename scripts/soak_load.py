"""Callers of a soak: each asks one request after the other, at a given pace, and compares each answer with the offline one."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from scripts.fuzz_inputs import Inputs, Probe
from scripts.fuzz_promises import broken_promises
from scripts.http_wire import Connection, Wire, post
from scripts.soak_broken import Broken

RETRYABLE = (429, 500, 503)  # what may be said of a request whose worker was killed, or that found too many others waiting
_BAD = 0.05  # of the requests
_ATTEMPTS_AFTER_A_KILL = 2
_NO_ANSWER = 0
_NOT_LOADED = 404


@dataclass
class Target:
    """A model that is asked at ``path``; ``expected``: the bytes of its good answers. ``absences``: from when until when nobody may count
    on it, for it is being unloaded, gone, or being loaded; the last one has no end while that is so."""

    path: str
    expected: list[bytes]
    absences: list[tuple[float, float]] = field(default_factory=list)

    def here(self) -> bool:
        return not self.away(now := time.monotonic(), now)

    def away(self, begin: float, end: float) -> bool:
        return any(gone <= end and begin <= back for gone, back in self.absences)


@dataclass
class Seen:
    """``milliseconds`` of good requests that were answered at the first attempt. ``again``: those that needed a second one;
    ``not_loaded``: those that came to a model in its absence."""

    milliseconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    again: int = 0
    not_loaded: int = 0


def request_of(probe: Probe, path: str = "/invocations") -> bytes:
    headers = [(b"Content-Type", probe.content_type), (b"Accept", probe.accept)]
    return post(path, probe.body, b"".join(b"%s: %s\r\n" % (name, value) for name, value in headers if value is not None))


class Caller(threading.Thread):
    """``pause``: seconds from one request to the next, as far as the server keeps up; ``excused(begin, end)``: whether a worker was killed
    at about that time."""

    def __init__(
        self,
        port: int,
        inputs: Inputs,
        targets: Sequence[Target],
        seed: str,
        pause: Callable[[], float],
        excused: Callable[[float, float], bool],
        broken: Broken,
    ) -> None:
        super().__init__(daemon=True, name=f"caller {seed}")
        self.seen = Seen()
        self.running = True
        self._inputs, self._targets, self._pause, self._excused, self._broken = inputs, targets, pause, excused, broken
        self._rng = random.Random(seed)
        self._connection = Connection(port, timeout=30)

    def run(self) -> None:
        due = time.monotonic()
        while self.running:
            due = max(due + self._pause(), time.monotonic() - 1)
            time.sleep(max(0.0, due - time.monotonic()))
            try:
                self._ask_once()
            except Exception as error:  # a thread that ends in silence would be missed by nobody
                self._broken.add(self.name, f"what came back was no answer: {error!r}")
                self._connection.close()
        self._connection.close()

    def _ask_once(self) -> None:
        target = self._rng.choice([target for target in self._targets if target.here()] or self._targets)
        if self._rng.random() < _BAD and self._pause():
            self._ask_badly(target)
        else:
            self._ask_well(target)

    def _ask_well(self, target: Target) -> None:
        probe = self._inputs.good(self._rng)
        assert probe.good is not None
        for attempt in range(_ATTEMPTS_AFTER_A_KILL):
            begin = time.monotonic()
            answer = self._ask(target, probe)
            end = time.monotonic()
            self.seen.statuses[answer.status] += 1
            if answer.status == 200:
                if answer.body != target.expected[probe.good]:
                    self._complain("another answer than the offline one", target, probe, answer, end - begin)
                if attempt == 0:
                    self.seen.milliseconds.append(1000 * (end - begin))
                else:
                    self.seen.again += 1
                return
            if answer.status == _NOT_LOADED and target.away(begin, end):
                self.seen.not_loaded += 1
                return
            if answer.status not in (*RETRYABLE, _NO_ANSWER) or not self._excused(begin, end):
                self._complain("a good request failed though nothing was killed", target, probe, answer, end - begin)
                return
            if answer.status in (429, 503) and "retry-after" not in answer.headers:
                self._complain("no Retry-After", target, probe, answer, end - begin)
        self._complain("a request failed twice", target, probe, answer, end - begin)

    def _ask_badly(self, target: Target) -> None:
        probe = self._inputs.any(self._rng)
        begin = time.monotonic()
        answer = self._ask(target, probe)
        end = time.monotonic()
        self.seen.statuses[answer.status] += 1
        if answer.status in (*RETRYABLE, _NO_ANSWER) and self._excused(begin, end):
            return
        for promise in broken_promises(answer.status, answer.headers.get("content-type", ""), answer.body):
            self._complain(promise, target, probe, answer, end - begin)

    def _ask(self, target: Target, probe: Probe) -> Wire:
        if self._connection.was_closed():  # as every client looks before it asks: of a kept connection's end it is told by nobody else
            self._connection.close()
        try:
            return self._connection.ask(request_of(probe, target.path))
        except OSError as error:
            return Wire(_NO_ANSWER, {}, repr(error).encode())

    def _complain(self, promise: str, target: Target, probe: Probe, answer: Wire, seconds: float) -> None:
        asked = f"{probe.kind}{'' if probe.good is None else f' number {probe.good}'}, {probe.content_type!r}, {len(probe.body)} bytes"
        said = f"{answer.status} {answer.headers} {answer.body[:200]!r} after {seconds:.2f} s"
        self._broken.add(self.name, f"{promise}: {target.path} was sent {asked} {probe.body[:100]!r}, and said {said}")
