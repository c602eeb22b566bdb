"""The promises that a soak saw broken: by whom, when, with what, and what the server had to say at that moment."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

_WITH_LOG = 3  # the first ones tell most
_LOG_LINES = 12
_LOG_BYTES = 16_384
_LONGEST_LINE = 400


class Broken:
    """``lines``: one for each promise that was not kept. May be told from any thread."""

    def __init__(self, log: Path) -> None:
        self.lines: list[str] = []
        self._log, self._begin, self._lock = log, time.monotonic(), threading.Lock()

    def add(self, who: str, what: str) -> None:
        with self._lock:
            line = f"after {time.monotonic() - self._begin:.1f} s, {who}: {what}"
            if len(self.lines) < _WITH_LOG:
                line += "".join(f"\n    log: {last[:_LONGEST_LINE]}" for last in last_lines(self._log))
            self.lines.append(line)


def last_lines(path: Path) -> list[str]:
    """Returns the last lines of a log, which may be large; none where it cannot be read."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _LOG_BYTES))
            return file.read().decode("utf-8", "replace").splitlines()[-_LOG_LINES:]
    except OSError:
        return []
