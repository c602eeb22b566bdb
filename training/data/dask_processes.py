"""The worker processes of one host: started, started again after an accident, and always ended."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType

from training.data.dask_worker import FINISHED, LOST, UNREACHED
from training.data.errors import UserDataError
from training.progress import log

ROOT = Path(__file__).resolve().parents[2]
START = "import sys; from training.data.dask_worker import main; sys.exit(main(sys.argv[1:]))"
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")  # there is a process per CPU
MAX_ACCIDENTS = 20  # of one host; more have one cause, and starting again does not remove it
RECONNECT_SECONDS = 20.0
STOP_SECONDS = 5.0
POLL_SECONDS = 0.2


class EngineError(UserDataError):
    """A worker or a host is gone, or never came. The message names it and says what to do."""


class WorkerProcesses:
    """``count`` workers of ``host`` for the ``scheduler`` ("tcp://10.0.0.7:8786"), which listen on ``address`` and one of ``ports``.

    ``wait_seconds``: how long each tries to reach the scheduler. They live as long as the ``with`` block, and never longer than this
    process.
    """

    def __init__(self, scheduler: str, host: str, address: str, ports: str, count: int, wait_seconds: float) -> None:
        self.host, self._count, self._accidents, self._starts = host, count, 0, 0
        self._options = ["--scheduler", scheduler, "--host", host, "--address", address, "--ports", ports]
        self._wait_seconds = wait_seconds
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> WorkerProcesses:
        self._folder = tempfile.TemporaryDirectory(prefix="dask-", ignore_cleanup_errors=True)
        try:
            for number in range(self._count):
                self._processes.append(self._start(number, self._wait_seconds))
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for process in self._processes:
            process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for process in self._processes:
            _end(process, deadline)
        self._folder.cleanup()

    @property
    def pids(self) -> list[int]:
        return [process.pid for process in self._processes]

    def look_after(self) -> None:
        """Starts again what has ended by accident. Raises ``EngineError`` if that happens too often."""
        for number, code in self.ended().items():
            self.restart(number, code)

    def ended(self) -> dict[int, int]:
        """The exit codes of the processes that have ended, by their number."""
        return {number: code for number, process in enumerate(self._processes) if (code := process.poll()) is not None}

    def restart(self, number: int, code: int) -> None:
        """Starts a process again that has ended with ``code``."""
        self._starts += 1
        self._accidents += code != LOST  # a leader that is gone shows when a process that was started again does not reach it
        if self._accidents > MAX_ACCIDENTS:
            raise EngineError(
                f"the worker processes of {self.host or 'this machine'} ended {MAX_ACCIDENTS} times (last with {_ending(code)}); if memory "
                "ran out, choose a machine with more of it, or lower data_partition_mb"
            )
        if code != LOST:
            log("worker_restarted", host=self.host, ended_with=_ending(code))
        _end(self._processes[number], 0)
        self._processes[number] = self._start(number, RECONNECT_SECONDS)

    def _start(self, number: int, wait_seconds: float) -> subprocess.Popen[bytes]:
        name = f"{self.host}/{number}.{self._starts}"  # a name may come twice only after the first has left
        options = [*self._options, "--name", name, "--folder", self._folder.name, "--wait-seconds", str(wait_seconds)]
        path = os.pathsep.join(part for part in (str(ROOT), os.environ.get("PYTHONPATH", "")) if part)
        environment = {**os.environ, **ONE_THREAD, "PYTHONPATH": path}
        return subprocess.Popen([sys.executable, "-P", "-c", START, *options], stdin=subprocess.PIPE, env=environment)


def work_for(leader: str, workers: WorkerProcesses) -> None:
    """Keeps the workers of this host going until the leader says that the job is done.

    Raises ``EngineError`` if the leader cannot be reached, at the start or later.
    """
    joined = False
    while True:
        ended = workers.ended()
        if FINISHED in ended.values():
            return
        joined |= any(code != UNREACHED for code in ended.values())
        if UNREACHED in ended.values():
            raise EngineError(_unreached(leader, workers, joined))
        workers.look_after()
        time.sleep(POLL_SECONDS)


def _unreached(leader: str, workers: WorkerProcesses, joined: bool) -> str:
    if joined:
        return f"the leading host {leader} is gone, and {workers.host} with nothing left to do; the log of {leader} says why"
    return (
        f"{workers.host} could not reach the leading host {leader} within {workers._wait_seconds:g} s; see its log, and let the hosts of "
        "the job connect to each other (security groups of its VPC)"
    )


def _end(process: subprocess.Popen[bytes], deadline: float) -> None:
    try:
        process.wait(timeout=max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdin is not None:
        process.stdin.close()


def _ending(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"code {code}"
