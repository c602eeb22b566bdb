"""Containers of the image, run as SageMaker runs them and more strictly."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

IMAGE = "music-recommender:test"
STRICT = ["--user", "12345:12345", "--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"]


def docker(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    finished = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)
    assert not check or finished.returncode == 0, f"docker {' '.join(arguments)}\n{finished.stdout}\n{finished.stderr}"
    return finished


def make_base(folder: Path, data: Path, hyperparameters: dict[str, str]) -> Path:
    """Makes an ``/opt/ml`` as the platform does, which user 12345 may write where a container may write."""
    shutil.copytree(data, folder / "input" / "data")
    (folder / "input" / "config").mkdir()
    (folder / "input" / "config" / "hyperparameters.json").write_text(json.dumps(hyperparameters))
    for name in ("model", "output"):
        (folder / name).mkdir()
        (folder / name).chmod(0o777)
    return folder


@dataclass(frozen=True)
class Container:
    """A container that serves, and the port of this machine that leads to it."""

    name: str
    port: int

    def ask(
        self, body: bytes | None, content_type: str = "application/json", path: str = "/invocations", method: str | None = None
    ) -> tuple[int, bytes]:
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", body, {"Content-Type": content_type}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=20) as response:
                return response.status, response.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    def json(self, request: object) -> Any:
        status, body = self.ask(json.dumps(request).encode())
        assert status == 200, body
        return json.loads(body)

    def wait_until_healthy(self, seconds: float = 60) -> float:
        start = time.monotonic()
        while time.monotonic() - start < seconds:
            try:
                if self.ask(None, path="/ping")[0] == 200:
                    return time.monotonic() - start
            except OSError:
                time.sleep(0.05)
        raise AssertionError(f"not healthy in {seconds} s:\n{docker('logs', self.name).stderr}")

    def exit_code(self) -> int:
        return int(docker("inspect", "--format", "{{.State.ExitCode}}", self.name).stdout)


@contextmanager
def serving(image: str, base: Path, *options: str, port: int = 8080) -> Iterator[Container]:
    name = f"music-recommender-test-{uuid.uuid4().hex[:8]}"
    docker("run", "-d", "--name", name, *STRICT, "-v", f"{base}:/opt/ml:ro", "-p", f"127.0.0.1::{port}", *options, image, "serve")
    try:
        published = docker("port", name, str(port)).stdout.split(":")[-1]
        yield Container(name, int(published))
    finally:
        docker("rm", "-f", name)
