"""A server of the container under test, started as the platform starts one."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.conformance import http_client
from tests.conformance.container import Run
from tests.conformance.http_client import Answer
from tests.conformance.subject_folder import Body


@dataclass(frozen=True)
class Server:
    """``base``: its /opt/ml, which it sees as ``inside``. ``network_of``: the process whose network it is in, None for ours. ``started``:
    ``time.monotonic``."""

    run: Run
    port: int
    base: Path
    inside: str
    network_of: int | None
    started: float

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | Iterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = 60,
    ) -> Answer:
        return http_client.ask(self.port, method, path, body, headers, timeout=timeout, network_of=self.network_of)

    def invoke(self, body: Body, headers: Mapping[str, str] | None = None, path: str = "/invocations") -> Answer:
        """Sends a body of the subject with its content type; ``headers`` come on top of it."""
        return self.ask("POST", path, body.content, {"Content-Type": body.content_type, **(headers or {})})

    def connection(self) -> http.client.HTTPConnection:
        return http_client.open_connection(self.port, network_of=self.network_of)

    def ping(self, timeout: float = 2) -> int | None:
        """Returns the status, or None where nobody answers in time."""
        try:
            return self.ask("GET", "/ping", timeout=timeout).status
        except OSError:
            return None

    def log(self) -> str:
        return self.run.log()

    def wait_until_healthy(self, seconds: float) -> float:
        """Waits for a ping that is answered with 200. Returns the seconds since the start."""
        while self.ping() != 200:
            assert not self.run.ended, f"the server ended with {self.run.process.returncode}:\n{self.log()}"
            assert time.monotonic() - self.started < seconds, f"not healthy in {seconds} s:\n{self.log()}"
            time.sleep(0.02)
        return time.monotonic() - self.started
