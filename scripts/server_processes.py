"""The processes of the container's server, of either engine, found through /proc: for whoever kills some, or looks whether any is left."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from scripts.process_memory import PROC, descendants

_FORKED = ("model_service_worker", "serving.asgi.parent")  # the parent of the workers, and the workers, are called so
_JAVA = "serving.Server"


@dataclass
class ServerProcesses:
    """``process``: `serve`, which has started all others."""

    process: subprocess.Popen[bytes]

    def processes(self) -> dict[int, str]:
        """Returns the command lines, by process id, of the server and of everything below it."""
        table = {}
        for pid in (self.process.pid, *descendants(self.process.pid)):
            with suppress(OSError):  # it has ended since
                table[pid] = (PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        return table

    def java(self) -> int:
        """Returns the process id of multi-model-server; 0 where there is none."""
        return next((pid for pid, command in self.processes().items() if _JAVA in command), 0)

    def parent_of_workers(self) -> int:
        """Returns the process that has loaded the model and forks the workers; 0 where there is none. Not the one with the smallest id:
        ids begin anew when they are used up."""
        forked = self._forked()
        return next((pid for pid in forked if _parent(pid) not in forked), 0)

    def workers(self) -> list[int]:
        """Returns the process ids of the workers: the children of the one that has loaded the model."""
        parent = self.parent_of_workers()
        return sorted(pid for pid in self._forked() if parent and _parent(pid) == parent)

    def _forked(self) -> list[int]:
        return [pid for pid, command in self.processes().items() if any(word in command for word in _FORKED)]

    def end(self, seconds: float) -> None:
        """Asks the server to end, and kills it and all that it has started where it has not after so many seconds."""
        family = list(self.processes()) if self.process.poll() is None else []
        self.process.terminate()
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            for pid in family:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.process.wait(seconds)


def alive(pids: Iterable[int]) -> list[int]:
    """Returns which of these processes still run; zombies don't."""
    return [pid for pid in pids if _stat(pid)[:1] not in ([], ["Z"])]


def _parent(pid: int) -> int:
    return int((_stat(pid) or ["", "0"])[1])


def _stat(pid: int) -> list[str]:
    """Returns the state of a process, a letter, its parent's id, and what else Linux says of it; nothing where it has ended."""
    try:
        return (PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return []
