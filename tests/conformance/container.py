"""The container under test as the tests know it: something that is started to train or to serve, under conditions, and ended.

Nothing here knows what the container computes. ``command.py`` runs a command, ``image.py`` an image in Docker.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

PORT = 8080
TRAIN_GRACE, SERVE_GRACE = 120.0, 30.0  # seconds between SIGTERM and SIGKILL
TRAIN_WRITES = ("model", "output", "checkpoints")  # of /opt/ml, what training may write
NOBODY = 54321  # a user id that has no name


@dataclass(frozen=True)
class Conditions:
    """What the platform does to a container beside starting it.

    ``user``: a user id without a name, None for the one that the suite runs as, or that of the image. ``read_only``: only /tmp and the
    folders of the output may be written. ``read_only_input``: /opt/ml/input may not be, as in FastFile mode. ``network``: False for
    network isolation. ``memory_mb``: the limit of the control group.
    """

    user: int | None = None
    read_only: bool = False
    read_only_input: bool = False
    network: bool = True
    memory_mb: int | None = None


FREE = Conditions()


@dataclass(frozen=True)
class Hosts:
    """Names under which the hosts of one training job find each other, sorted, and the network interface that they are told."""

    names: tuple[str, ...]
    interface: str
    network: str = ""


class Run:
    """A running ``train`` or ``serve`` and its log (stdout and stderr together, as the platform takes them)."""

    def __init__(self, process: subprocess.Popen[bytes], log_path: Path) -> None:
        self.process, self.log_path = process, log_path
        self.left: list[int] = []  # processes that still ran when, after ``terminate``, the first one had ended

    @property
    def pid(self) -> int:
        """The process id, on this machine, of the container's first process."""
        raise NotImplementedError

    def processes(self) -> list[int]:
        """The ids, on this machine, of all its processes."""
        raise NotImplementedError

    def terminate(self, grace: float) -> None:
        """Asks it to end, and makes it end ``grace`` seconds later."""
        raise NotImplementedError

    def kill(self) -> None:
        """SIGKILL to all of it, without a warning, as when a spot machine goes. Does nothing where all has ended."""
        raise NotImplementedError

    def log(self) -> str:
        return self.log_path.read_text(encoding="utf-8", errors="replace")

    @property
    def ended(self) -> bool:
        return self.process.poll() is not None

    def wait(self, seconds: float) -> int:
        """Returns the exit code. Raises ``AssertionError`` with the log if it still runs after so many seconds."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {seconds} s:\n{self.log()}") from None

    def succeeds(self, seconds: float) -> str:
        """Waits for the end, which must be exit code 0, and returns the log."""
        code = self.wait(seconds)
        assert code == 0, f"exit code {code}:\n{self.log()}"
        return self.log()

    def fails(self, seconds: float) -> int:
        """Waits for the end, which must be an exit code from 1 to 255, and returns it."""
        code = self.wait(seconds)
        assert 1 <= code <= 255, f"exit code {code}:\n{self.log()}"
        return code

    def wait_for_line(self, words: str, seconds: float) -> None:
        """Waits until a line of the log holds ``words``."""
        deadline = time.monotonic() + seconds
        while words not in self.log():
            assert not self.ended or words in self.log(), f"ended with {self.process.returncode} and never said {words!r}:\n{self.log()}"
            assert time.monotonic() < deadline, f"did not say {words!r} in {seconds} s:\n{self.log()}"
            time.sleep(0.005)

    def stop(self, grace: float) -> tuple[int, float]:
        """SIGTERM, and SIGKILL after ``grace`` seconds, as ``docker stop -t``. Returns the exit code and the seconds it took."""
        begin = time.monotonic()
        self.terminate(grace)
        code = self.wait(30)
        return code, time.monotonic() - begin

    def end(self) -> None:
        """Leaves nothing of it, however it stands."""
        self.kill()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(30)


class Container(Protocol):
    """How the container under test is started. ``base`` is the folder that is its /opt/ml."""

    def unable(self, conditions: Conditions) -> str:
        """Returns "" if it can be run so on this machine, otherwise why not."""

    def inside(self, base: Path) -> str:
        """Returns where ``base`` lies for what runs in it."""

    def hosts(self, count: int) -> Hosts:
        """Returns names for the hosts of a new training job."""

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
        """Starts ``train``, ``words`` behind it. ``host``: which of ``hosts`` it is, where there are several."""

    def serve(
        self, base: Path, log: Path, *, variables: Mapping[str, str] = {}, conditions: Conditions = FREE, port: int | None = None
    ) -> tuple[Run, int]:
        """Starts ``serve`` and returns it with the port where it can be reached: on loopback of this machine, or, without a network, on
        loopback of its own (see ``http_client``). ``port``: what SAGEMAKER_BIND_TO_PORT says, if it is to say something."""

    def close(self) -> None:
        """Gives back everything (networks, containers)."""
