"""The processes that do the work: `train` and `serve`, those of this checkout or another container's, each under a guardian."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Protocol

from scripts.local_aws.errors import not_here

ROOT = Path(__file__).resolve().parents[2]
OURS = ROOT / "container" / "bin"
# The hosts of a job tell each other paths, and rely on /opt/ml being the same one on all of them. This one is: each host's processes
# start in the folder that stands for its own /opt/ml.
OWN_FOLDER = "/proc/self/cwd"
MEMORY_LIMIT = "SERVING_MEMORY_LIMIT_MB"
TRAIN_PATIENCE, SERVE_PATIENCE = 120, 30  # seconds from SIGTERM to SIGKILL, as on the platform
# Of our own environment, what a process needs to run at all. A container gets nothing of its host either.
KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "JAVA_HOME", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class Child:
    """A running command. The thread that makes it must outlive it: Linux takes the end of that thread for the end of its parent."""

    def __init__(
        self, command: Sequence[str], patience: int, variables: Mapping[str, str], folder: str = "/", afterwards: Sequence[str] = ()
    ) -> None:
        """``afterwards``: a command that is run when this one has ended, however it has."""
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        guarded = [
            sys.executable,
            "-P",
            "-m",
            "scripts.local_aws.guardian",
            str(os.getpid()),
            str(patience),
            json.dumps(afterwards),
            *command,
        ]
        self._lock = threading.Lock()
        self._asked = False
        self._process = subprocess.Popen(
            guarded,
            env={**kept, "PYTHONPATH": str(ROOT), **variables},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C at the terminal is for us; we tell the children
        )
        assert self._process.stdout is not None
        self.output: IO[bytes] = self._process.stdout

    @property
    def exit_code(self) -> int | None:
        return self._process.poll()

    def stop(self) -> None:
        """Sends SIGTERM, once; SIGKILL follows by itself when the patience is over."""
        with self._lock:
            if not self._asked:
                self._asked = True
                self._process.terminate()

    def kill(self) -> None:
        """Ends it now, with everything that it started."""
        self.stop()
        with suppress(ProcessLookupError):
            self._process.terminate()  # the second time, the guardian kills

    def vanish(self) -> None:
        """Kills everything of it without a warning, as a machine that fails does: exit code 137."""
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGALRM)  # what the guardian takes for: the patience is over

    def wait(self, seconds: float | None = None) -> int | None:
        """Returns the exit code, or None if it still runs after so many seconds."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None


class Launcher(Protocol):
    """How `train` and `serve` are run. ``base`` is the folder that stands for /opt/ml."""

    interface: str  # the network interface that the hosts of a job talk over

    def check_entry(self, entrypoint: Sequence[str]) -> None:
        """Raises ``ApiError`` for a ContainerEntrypoint that cannot be run."""

    def hosts(self, job: str, count: int) -> list[str]:
        """Returns names for the hosts of a job, by which they find each other."""

    def release(self, job: str) -> None:
        """Gives back what ``hosts`` has taken."""

    def path_inside(self, place: str) -> str:
        """Returns how the command of `train` knows a place below its /opt/ml."""

    def train(
        self, job: str, base: Path, host: str, variables: Mapping[str, str], entrypoint: Sequence[str], words: Sequence[str]
    ) -> Child:
        """Starts one host. ``words``: ContainerArguments."""

    def serve(self, base: Path, port: int, variables: Mapping[str, str], memory_mb: int | None = None) -> Child:
        """Starts a server, which answers on this port of loopback. ``memory_mb``: all that it may use."""

    def serving_path(self, base: Path, place: str) -> str:
        """Returns how the command of `serve` knows a place below its /opt/ml."""


class Processes:
    """Runs the commands of a folder as processes of this machine, which know their /opt/ml by ``SAGEMAKER_BASE_DIR``."""

    interface = "none"  # so that a host goes by the address that is its name

    def __init__(self, commands: Path = OURS) -> None:
        self._commands = commands
        self._jobs = itertools.count(1)

    def check_entry(self, entrypoint: Sequence[str]) -> None:
        if entrypoint:
            raise not_here("ContainerEntrypoint, without Docker", "Start it with --docker IMAGE.")

    def hosts(self, job: str, count: int) -> list[str]:
        """Where there are several, their names are addresses: nobody could look up others."""
        if count == 1:
            return ["algo-1"]
        number = next(self._jobs)
        return [f"127.{1 + number // 200 % 200}.{1 + number % 200}.{host}" for host in range(1, count + 1)]

    def release(self, job: str) -> None:
        """There is nothing to give back."""

    def path_inside(self, place: str) -> str:
        return f"{OWN_FOLDER}/{place}"

    def train(
        self, job: str, base: Path, host: str, variables: Mapping[str, str], entrypoint: Sequence[str], words: Sequence[str]
    ) -> Child:
        command = [str(self._commands / "train"), *words]
        return Child(command, TRAIN_PATIENCE, {**variables, "SAGEMAKER_BASE_DIR": OWN_FOLDER}, str(base))

    def serve(self, base: Path, port: int, variables: Mapping[str, str], memory_mb: int | None = None) -> Child:
        """A process has no memory limit of its own: it is told of it by the variable that ours goes by."""
        placed = {"SAGEMAKER_BASE_DIR": str(base), "SAGEMAKER_BIND_ADDRESS": "127.0.0.1", "SAGEMAKER_BIND_TO_PORT": str(port)}
        told = {MEMORY_LIMIT: str(memory_mb)} if memory_mb else {}
        return Child([str(self._commands / "serve")], SERVE_PATIENCE, {**told, **variables, **placed})

    def serving_path(self, base: Path, place: str) -> str:
        return str(base / place)
