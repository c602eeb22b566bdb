"""The container's own server, started here to be tried hard: its engine is chosen, and its processes are looked at."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from scripts.command_line import CommandError
from scripts.http_wire import Connection
from scripts.local_server import PROGRAM, environment, wait_until_healthy
from scripts.process_memory import PROC, descendants, proportional_bytes

ENGINES = {"mms": "multi-model-server", "uvicorn": "uvicorn"}
_PING = b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n"
_FORKED = ("model_service_worker", "serving.asgi.parent")


@dataclass
class WatchedServer:
    process: subprocess.Popen[bytes]
    port: int
    log_path: Path

    def ping(self) -> int:
        """Returns the status, 0 where nobody answers."""
        connection = Connection(self.port, timeout=5)
        try:
            return connection.ask(_PING).status
        except OSError:
            return 0
        finally:
            connection.close()

    def family(self) -> dict[int, str]:
        """Returns the command lines, by process id, of the server and of everything below it."""
        table = {}
        for pid in (self.process.pid, *descendants(self.process.pid)):
            with suppress(OSError):
                table[pid] = (PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        return table

    def parent_of_workers(self) -> int:
        forked = [pid for pid, command in self.family().items() if any(word in command for word in _FORKED)]
        return next((pid for pid in forked if _parent_of(pid) not in forked), 0)

    def workers(self) -> list[int]:
        parent = self.parent_of_workers()
        return sorted(pid for pid in self.family() if parent and _parent_of(pid) == parent)

    def main_process(self) -> int:
        """Returns the process that the engine cannot do without: Java, or uvicorn's parent."""
        return next((pid for pid, command in self.family().items() if "serving.Server" in command), 0) or self.parent_of_workers()

    def memory(self) -> int:
        """Returns the proportional set size of all processes, in bytes."""
        return proportional_bytes(self.family()) or 0

    def log(self) -> str:
        return self.log_path.read_text(encoding="utf-8", errors="replace")


def _parent_of(pid: int) -> int:
    try:
        return int((PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[1])
    except OSError:
        return 0


def alive(pids: list[int]) -> list[int]:
    """Returns which of these processes still run; zombies do not."""
    found = []
    for pid in pids:
        with suppress(OSError):
            if (PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0] != "Z":
                found.append(pid)
    return found


@contextmanager
def watched(base: Path, engine: str, **more: str) -> Iterator[WatchedServer]:
    """Starts the server of ``engine`` (of ``ENGINES``) on ``base``, a SAGEMAKER_BASE_DIR, and waits until it is healthy; ends it at last,
    with all that it started. Raises ``CommandError`` with the end of its log where it does not become healthy."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    # The path of a socket may have 107 bytes, so the folder is not below one with a long name.
    with tempfile.TemporaryDirectory(prefix="w-", dir="/tmp") as holder, Path(holder, "log").open("wb") as log:
        variables = environment(base, port) | {"SERVING_ENGINE": ENGINES[engine], "TMPDIR": holder} | more
        process = subprocess.Popen([str(PROGRAM)], env=variables, stdout=log, stderr=subprocess.STDOUT)
        server = WatchedServer(process, port, Path(holder, "log"))
        try:
            if wait_until_healthy(f"http://127.0.0.1:{port}", lambda: process.poll() is None) is None:
                raise CommandError("the server is not healthy; its log ends with:\n" + "\n".join(server.log().splitlines()[-5:]))
            yield server
        finally:
            family = list(server.family()) if process.poll() is None else []
            process.terminate()
            try:
                process.wait(40)
            except subprocess.TimeoutExpired:
                for pid in family:
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                process.wait()


def until(seconds: float, condition: object) -> float | None:
    """Returns after how many seconds ``condition()`` was true, None where it was not in time."""
    begin = time.monotonic()
    while not condition():  # type: ignore[operator]
        if time.monotonic() - begin > seconds:
            return None
        time.sleep(0.02)
    return time.monotonic() - begin
