"""The container under test as an image in Docker, with a folder of this machine as its /opt/ml."""

from __future__ import annotations

import math
import shutil
import subprocess
import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from tests.conformance.container import FREE, PORT, TRAIN_WRITES, Conditions, Hosts, Run

SECONDS_TO_START = 60


def docker(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)


class ImageRun(Run):
    """A container that has its name, and the client that follows its log."""

    def __init__(self, process: subprocess.Popen[bytes], log_path: Path, name: str) -> None:
        super().__init__(process, log_path)
        self.name = name

    @property
    def pid(self) -> int:
        return int(docker("inspect", "--format", "{{.State.Pid}}", self.name).stdout)

    def started(self) -> None:
        """Waits until the container exists: before, it can neither be stopped nor found."""
        deadline = time.monotonic() + SECONDS_TO_START
        while self.process.poll() is None and docker("inspect", "--format", "{{.State.StartedAt}}", self.name).stdout[:4] in ("", "0001"):
            assert time.monotonic() < deadline, f"Docker did not start it:\n{self.log()}"
            time.sleep(0.02)

    def processes(self) -> list[int]:
        return [int(line) for line in docker("top", self.name, "-eo", "pid").stdout.split()[1:]]

    def terminate(self, grace: float) -> None:
        docker("stop", "-t", str(math.ceil(grace)), self.name)

    def kill(self) -> None:
        docker("kill", self.name)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(30)
        docker("rm", "-f", self.name)
        if self.process.poll() is None:
            self.process.kill()


class Image:
    """Runs containers of ``image``. All of them, and their networks, bear one label."""

    def __init__(self, image: str) -> None:
        self.image = image
        self._label = f"conformance={uuid.uuid4().hex}"

    def unable(self, conditions: Conditions) -> str:
        if shutil.which("docker") is None or docker("info").returncode != 0:
            return "no Docker engine answers"
        return ""

    def inside(self, base: Path) -> str:
        return "/opt/ml"

    def hosts(self, count: int) -> Hosts:
        network = f"conformance-{uuid.uuid4().hex[:12]}"
        made = docker("network", "create", "--internal", "--label", self._label, network)
        assert made.returncode == 0, made.stderr
        return Hosts(tuple(f"algo-{number}" for number in range(1, count + 1)), "eth0", network)

    def train(
        self,
        base: Path,
        log: Path,
        *,
        variables: Mapping[str, str] = {},
        conditions: Conditions = FREE,
        words: Sequence[str] = (),
        hosts: Hosts | None = None,
        host: str = "",
    ) -> Run:
        network = [] if hosts is None else ["--network", hosts.network, "--network-alias", host, "--hostname", host]
        return self._run(["train", *words], base, log, variables, conditions, TRAIN_WRITES, network)

    def serve(
        self, base: Path, log: Path, *, variables: Mapping[str, str] = {}, conditions: Conditions = FREE, port: int | None = None
    ) -> tuple[Run, int]:
        bound = {} if port is None else {"SAGEMAKER_BIND_TO_PORT": str(port)}
        inside = port or PORT
        published = ["-p", f"127.0.0.1::{inside}"] if conditions.network else []
        run = self._run(["serve"], base, log, {**bound, **variables}, conditions, (), published)
        if not conditions.network:
            return run, inside
        deadline = time.monotonic() + SECONDS_TO_START
        while not (answer := docker("port", run.name, str(inside)).stdout.strip()) and not run.ended and time.monotonic() < deadline:
            time.sleep(0.05)  # a busy engine says that it has started before it has told the port
        return run, int(answer.rpartition(":")[2] or 1)  # gone already: nobody answers on port 1

    def _run(
        self,
        words: Sequence[str],
        base: Path,
        log: Path,
        variables: Mapping[str, str],
        conditions: Conditions,
        writable: Sequence[str],
        more: Sequence[str],
    ) -> ImageRun:
        name = f"conformance-{uuid.uuid4().hex[:12]}"
        options = ["--rm", "--name", name, "--label", self._label, *more, *_volumes(base, conditions, writable)]
        if conditions.user is not None:
            options += ["--user", f"{conditions.user}:{conditions.user}", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"]
        if conditions.read_only:
            options += ["--read-only", "--tmpfs", "/tmp"]
        if not conditions.network:
            options += ["--network", "none"]
        if conditions.memory_mb is not None:
            options += ["--memory", f"{conditions.memory_mb}m", "--memory-swap", f"{conditions.memory_mb}m"]
        options += [part for key, value in variables.items() for part in ("-e", f"{key}={value}")]
        with log.open("ab") as output:
            command = ["docker", "run", *options, self.image, *words]
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
        run = ImageRun(process, log, name)
        run.started()
        return run

    def close(self) -> None:
        """Removes what a test may have left."""
        for kind, listed in (("container", ("ps", "-aq")), ("network", ("network", "ls", "-q"))):
            for found in docker(*listed, "--filter", f"label={self._label}").stdout.split():
                docker(kind, "rm", *(["-f"] if kind == "container" else []), found)


def _volumes(base: Path, conditions: Conditions, writable: Sequence[str]) -> list[str]:
    if not conditions.read_only:
        volumes = [f"{base}:/opt/ml"]
    else:
        volumes = [f"{base}:/opt/ml:ro", *(f"{base}/{name}:/opt/ml/{name}" for name in writable if (base / name).is_dir())]
    if conditions.read_only_input and (base / "input").is_dir():
        volumes.append(f"{base}/input:/opt/ml/input:ro")
    return [part for volume in volumes for part in ("-v", volume)]
