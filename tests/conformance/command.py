"""The container under test as a command of this machine, which learns where its /opt/ml lies by ``SAGEMAKER_BASE_DIR``."""

from __future__ import annotations

import itertools
import os
import shlex
import signal
import socket
import subprocess
import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from tests.conformance import confined, memory_group
from tests.conformance.container import FREE, PORT, TRAIN_WRITES, Conditions, Hosts, Run

KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "JAVA_HOME")  # of our own environment, what a process needs to run at all
MARK = "CONFORMANCE_RUN"  # the variable by which everything that a command has started is found again
# The hosts of a job may tell each other paths, since /opt/ml is the same one on all of them; this one is, too.
OWN_FOLDER = "/proc/self/cwd"


def free_port() -> int:
    """Returns a port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class CommandRun(Run):
    """A process in a session of its own, and everything that it has started."""

    def __init__(self, process: subprocess.Popen[bytes], log_path: Path, mark: str, group: Path | None) -> None:
        super().__init__(process, log_path)
        self._group = group
        self._mark = f"{MARK}={mark}".encode()

    @property
    def pid(self) -> int:
        return self.process.pid

    def processes(self) -> list[int]:
        return list(self._family())

    def terminate(self, grace: float) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(grace)
        deadline = time.monotonic() + 1  # what ends by itself a moment later is not left
        while (left := self.processes()) and time.monotonic() < deadline:
            time.sleep(0.02)
        self.left = left
        self.kill()  # with a container's first process all others end

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()  # at once; looking for the others takes a while
        deadline = time.monotonic() + 10
        while (left := list(self._family())) and time.monotonic() < deadline:
            for pid in left:
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
            self.process.poll()
            time.sleep(0.01)
        if self._group is not None:
            memory_group.remove(self._group)
            self._group = None

    def _family(self) -> Iterator[int]:
        if self.process.poll() is None:
            yield self.process.pid
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit() and int(folder.name) not in (os.getpid(), self.process.pid):
                with suppress(OSError):
                    if self._mark in (folder / "environ").read_bytes().split(b"\0"):
                        yield int(folder.name)


class Command:
    """Runs ``command``, in which ``{}`` stands for the word train or serve; without it, the word is the last one."""

    _jobs = itertools.count(1)

    def __init__(self, command: str, folder: Path) -> None:
        """``folder``: where relative paths of the command start."""
        words = shlex.split(command)
        self._words = words if any("{}" in word for word in words) else [*words, "{}"]
        if "/" in self._words[0]:
            self._words[0] = str(folder / self._words[0])

    def unable(self, conditions: Conditions) -> str:
        return "" if conditions == FREE else confined.unable(conditions)

    def inside(self, base: Path) -> str:
        return str(base)

    def hosts(self, count: int) -> Hosts:
        """Names are addresses, since nobody could look up others; and no interface has them all."""
        job = f"127.{1 + os.getpid() % 250}.{next(self._jobs) % 250}"
        return Hosts(tuple(f"{job}.{number}" for number in range(1, count + 1)), "none")

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
        inside = str(base) if hosts is None else OWN_FOLDER
        return self._run("train", words, base, inside, log, variables, conditions, TRAIN_WRITES)

    def serve(
        self, base: Path, log: Path, *, variables: Mapping[str, str] = {}, conditions: Conditions = FREE, port: int | None = None
    ) -> tuple[Run, int]:
        if not conditions.network and port is None:  # in a network of its own nothing is in the way of what it does untold
            return self._run("serve", (), base, str(base), log, variables, conditions, ()), PORT
        port = port or free_port()
        bound = {"SAGEMAKER_BIND_TO_PORT": str(port), "SAGEMAKER_BIND_ADDRESS": "127.0.0.1"}
        return self._run("serve", (), base, str(base), log, {**bound, **variables}, conditions, ()), port

    def _run(
        self,
        word: str,
        more: Sequence[str],
        base: Path,
        inside: str,
        log: Path,
        variables: Mapping[str, str],
        conditions: Conditions,
        writable: Sequence[str],
    ) -> Run:
        mark = uuid.uuid4().hex
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        if conditions.user is not None:
            kept["HOME"] = "/"
        # Without setpriv it still runs; a guard against our own sudden end is all that is missing then.
        group = None if conditions.memory_mb is None else memory_group.make(conditions.memory_mb)
        before = [] if confined.unable(conditions) and conditions == FREE else confined.prefix(conditions, base, writable, group)
        command = [*before, *(part.replace("{}", word) for part in self._words), *more]
        environment = {**kept, MARK: mark, "SAGEMAKER_BASE_DIR": inside, **variables}
        assert threading.current_thread() is threading.main_thread(), "Linux takes the end of a thread for the end of its parent"
        with log.open("ab") as output:
            process = subprocess.Popen(
                command,
                env=environment,
                cwd=base,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return CommandRun(process, log, mark, group)

    def close(self) -> None:
        """There is nothing to give back."""
