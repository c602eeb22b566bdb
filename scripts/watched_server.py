"""The container's own server, started here to be tried hard: its engine is chosen, and its processes are looked at."""

from __future__ import annotations

import argparse
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scripts.command_line import CommandError
from scripts.http_wire import Connection
from scripts.local_server import PROGRAM, environment, wait_until_healthy
from scripts.process_memory import proportional_bytes
from scripts.server_processes import ServerProcesses

ENGINES = {"mms": "multi-model-server", "uvicorn": "uvicorn"}
_PING = b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n"


@dataclass
class WatchedServer(ServerProcesses):
    """A server on a port of loopback."""

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

    def main_process(self) -> int:
        """Returns the process that the engine cannot do without: Java, or uvicorn's parent."""
        return self.java() or self.parent_of_workers()

    def memory(self) -> int:
        """Returns the proportional set size of all processes, in bytes."""
        return proportional_bytes(self.processes()) or 0

    def log(self) -> str:
        return self.log_path.read_text(encoding="utf-8", errors="replace")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds what every command has that tries a server hard: which model, which engine, and the seed of all that is drawn."""
    parser.add_argument("model", type=Path, metavar="MODEL", help="a folder that scripts/train wrote, a model folder, or a model.tar.gz")
    parser.add_argument("--engine", choices=ENGINES, default="mms", help="of the server (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="the same seed does the same (%(default)s)")


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
            server.end(40)


def until(seconds: float, condition: object) -> float | None:
    """Returns after how many seconds ``condition()`` was true, None where it was not in time."""
    begin = time.monotonic()
    while not condition():  # type: ignore[operator]
        if time.monotonic() - begin > seconds:
            return None
        time.sleep(0.02)
    return time.monotonic() - begin
