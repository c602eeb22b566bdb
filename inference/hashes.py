"""The sha256 of many files, by several threads ahead of whoever asks: of a large model one CPU takes seconds, while others rest."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

MOST_THREADS = 4


def sha256(path: Path) -> str:
    """Returns the hash of a file, as hexadecimal digits. Raises ``OSError``."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Hashes:
    """The hashes of ``paths``, made in their order from the moment it is entered; when it is left, what is not begun is not made."""

    def __init__(self, paths: Iterable[Path]) -> None:
        self._paths = list(paths)
        self._found: dict[Path, Future[str]] = {}

    def __enter__(self) -> Self:
        if self._paths:
            usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
            self._threads = ThreadPoolExecutor(min(usable, MOST_THREADS, len(self._paths)), "hashes")
            self._found = {path: self._threads.submit(sha256, path) for path in self._paths}
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._found:
            self._threads.shutdown(wait=True, cancel_futures=True)

    def of(self, path: Path) -> str:
        """Waits for the hash of one file. Raises ``OSError``."""
        return self._found[path].result() if path in self._found else sha256(path)
