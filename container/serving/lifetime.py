"""Children that end when they should: on SIGTERM, with their parent, and with everything that they started."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType

_PR_SET_PDEATHSIG = 1


def die_with_parent(signal_number: int = signal.SIGKILL) -> None:
    """Asks Linux to send this process a signal when its parent ends, however that happens. Elsewhere does nothing."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal_number))


class Lifetime:
    """Runs children one after the other, each with a process group of its own, and hands SIGTERM, SIGINT and SIGHUP on as SIGTERM.

    A child that is still there ``patience`` seconds later, or when a second signal comes, is killed with its group.
    """

    def __init__(self, patience: int) -> None:
        self.stopping = False
        self._patience = patience
        self._child: subprocess.Popen[bytes] | None = None
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # the terminal is closed; nohup has it ignored
            signal.signal(signal.SIGHUP, self._stop)
        signal.signal(signal.SIGALRM, lambda *_: self._kill_group())

    def run(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        directory: Path | None = None,
        stdout: int | None = subprocess.DEVNULL,
        beside: Callable[[int], None] | None = None,
    ) -> int:
        """Returns the exit code of ``command``, minus the signal's number if one ended it. Nothing of its group survives.

        ``beside`` is called in a thread with the id of the process; it may go on for ever.
        ``stdout``: None is ours. multi-model-server says everything worth reading on stderr; log4j prints a needless warning to stdout.
        """
        self._child = subprocess.Popen(
            command,
            env=dict(environment),
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            start_new_session=True,
            preexec_fn=lambda: die_with_parent(signal.SIGTERM),
        )
        if beside is not None:
            threading.Thread(target=beside, args=(self._child.pid,), daemon=True).start()
        if self.stopping:  # the signal came while the child was being made
            self._ask_to_end(self._child)
        # Left unreaped until its group is dead, for until then nobody else can get its id.
        os.waitid(os.P_PID, self._child.pid, os.WEXITED | os.WNOWAIT)
        self._kill_group()
        code, self._child = self._child.wait(), None
        return code

    def _stop(self, signal_number: int, frame: FrameType | None) -> None:
        again, self.stopping = self.stopping, True
        if self._child is None:
            return
        if again:
            self._kill_group()
        else:
            self._ask_to_end(self._child)

    def _ask_to_end(self, child: subprocess.Popen[bytes]) -> None:
        child.terminate()
        signal.alarm(self._patience)

    def _kill_group(self) -> None:
        if self._child is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._child.pid, signal.SIGKILL)
