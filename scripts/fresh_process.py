"""Runs a module in a process of its own and measures it from outside: its time, and the memory of it and of all that it starts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.command_line import CommandError
from scripts.process_memory import descendants, resident_bytes

ROOT = Path(__file__).resolve().parent.parent
SECONDS_BETWEEN = 0.05
PEAK = "peak_bytes"


@dataclass(frozen=True)
class Measured:
    """``seconds`` of the whole process, with its start; ``answer``: the JSON object in the last line that it printed."""

    seconds: float
    peak_bytes: int
    answer: dict[str, Any]


def measured(module: str, arguments: Sequence[str], python: str | Path = sys.executable) -> Measured:
    """Runs ``python -m module arguments``. Raises ``CommandError`` with its last words if it fails.

    The peak is the larger of what is seen every 50 ms of the process and all its descendants together, and of what the process says of
    itself under ``PEAK`` in its answer, where nothing is missed.
    """
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))}
    begin = time.perf_counter()
    process = subprocess.Popen(
        [str(python), "-P", "-m", module, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )
    seen, ended = [0], threading.Event()
    watch = threading.Thread(target=_watch, args=(process.pid, seen, ended), daemon=True)
    watch.start()
    try:
        out, errors = process.communicate()
    finally:
        process.kill()
        ended.set()
        watch.join()
    seconds = time.perf_counter() - begin
    if process.returncode:
        raise CommandError(f"{module} failed with exit code {process.returncode}: {' '.join((errors or out).strip().splitlines()[-1:])}")
    answer = json.loads(out.strip().splitlines()[-1])
    return Measured(seconds, max(seen[0], int(answer.get(PEAK, 0))), answer)


def _watch(root: int, seen: list[int], ended: threading.Event) -> None:
    while not ended.wait(SECONDS_BETWEEN):
        seen[0] = max(seen[0], resident_bytes([root, *descendants(root)]))
