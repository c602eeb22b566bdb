"""A server while it is measured: started on a free port, asked until it answers, looked at from outside, stopped with all its processes."""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.command_line import CommandError
from scripts.process_memory import descendants, proportional_bytes
from tests.benchmarks.serving.contestants import Launch, Place

PATIENCE, PATIENCE_WITH_ERRORS = 60.0, 10.0  # seconds until a server must have answered; those for which it may answer 500
ASKED = 10
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Running:
    """A server that runs. ``first_ping``: seconds from its start to the first 200 of ``/ping`` (None: not waited for), ``first_answer``: to
    the first answer of a recommendation."""

    process: subprocess.Popen[bytes]
    port: int
    first_ping: float | None
    first_answer: float

    def pids(self) -> list[int]:
        return [self.process.pid, *descendants(self.process.pid)]

    def memory(self, kind: str = "Pss") -> int:
        """Bytes of all its processes; a page that several share counts once. ``kind``: as for ``proportional_bytes``."""
        return proportional_bytes(self.pids(), kind) or 0

    def cpu_seconds(self) -> float:
        """CPU time of all its processes so far, with those that have ended."""
        return sum(_cpu_ticks(pid) for pid in self.pids()) / TICKS

    def ask(self, body: bytes, content_type: str = "application/json") -> bytes:
        """Returns the body of the answer. Raises ``CommandError`` unless it has status 200."""
        status, content = _post(self.port, body, content_type)
        if status != 200:
            raise CommandError(f"answered {status}: {content[:300]!r}")
        return content


@contextmanager
def running(launched: Callable[[Place], Launch], workers: int, body: bytes, log: Path, *, ping: bool = False) -> Iterator[Running]:
    """Starts a server and yields it when it has answered ``body``; ``ping``: waits for its ``/ping`` first.

    Raises ``CommandError`` with the end of its log where it does not. In the end its whole process group is gone.
    """
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch, log.open("wb") as lines:
        place = Place(_free_port(), workers, Path(scratch))
        launch = launched(place)
        environment = {**os.environ, **launch.variables}
        begin = time.perf_counter()
        process = subprocess.Popen(
            launch.command, env=environment, cwd=launch.folder, stdout=lines, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            pinged = _wait(lambda: _get(place.port, "/ping"), process, begin, log) if ping else None
            answered = _wait(lambda: _post(place.port, body)[0], process, begin, log)
            yield Running(process, place.port, pinged, answered)
        finally:
            _stop(process)


def answered_songs(content: bytes) -> list[str]:
    """Returns the ids of the songs in an answer; none where it is not one. All contestants answer in one form."""
    with suppress(ValueError, KeyError, TypeError):
        answer: Any = json.loads(content)
        return [str(one["item_id"]) for one in answer["recommendations"]]
    return []


def check_answers(server: Running, bodies: Sequence[bytes], known: frozenset[str] | None) -> None:
    """Raises ``CommandError`` unless each answer is a list of ten different songs, which are ``known`` where that is given."""
    for body in bodies:
        songs = answered_songs(content := server.ask(body))
        if len(set(songs)) != ASKED or (known is not None and not known.issuperset(songs)):
            raise CommandError(f"{body[:100]!r} was answered by {content[:300]!r}")


def _wait(status: Callable[[], int], process: subprocess.Popen[bytes], begin: float, log: Path) -> float:
    last = 0
    while (seconds := time.perf_counter() - begin) < (PATIENCE_WITH_ERRORS if last == 500 else PATIENCE):
        with suppress(OSError, http.client.HTTPException):
            if (last := status()) == 200:
                return time.perf_counter() - begin
        if process.poll() is not None:
            break
        time.sleep(0.01)
    ended = f"ended with {process.returncode}" if process.returncode is not None else f"has not answered in {seconds:.0f} s"
    tail = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])
    raise CommandError(f"it {ended} (last status {last}); its log {log} ends with:\n{tail}")


def _get(port: int, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


def _post(port: int, body: bytes, content_type: str = "application/json") -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("POST", "/invocations", body, {"Content-Type": content_type})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Asks it to end; what is left of its session after ten seconds is killed."""
    left = {process.pid, *descendants(process.pid)}
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(10)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    for pid in left - {process.pid}:
        with suppress(OSError):  # in a group of its own; nobody else is meant, its session is the one that we started
            if os.getsid(pid) == process.pid:
                os.kill(pid, signal.SIGKILL)
    process.wait()


def _cpu_ticks(pid: int) -> int:
    with suppress(OSError, IndexError):
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        return sum(int(field) for field in fields[11:15])  # utime, stime, and those of the children that have ended
    return 0


def _free_port() -> int:
    """Returns a port that is free, and the two after it (MLServer takes three). Stock multi-model-server takes none above 32,767."""
    for port in random.sample(range(20_000, 32_000), 100):
        with socket.socket() as first, socket.socket() as second, socket.socket() as third, suppress(OSError):
            for place, probe in enumerate((first, second, third)):
                probe.bind(("127.0.0.1", port + place))
            return port
    raise CommandError("no three free ports beside each other")
