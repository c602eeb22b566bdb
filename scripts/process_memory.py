"""How much memory processes take, read from Linux's /proc."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")


def descendants(root: int | None = None) -> list[int]:
    """Returns the ids of all processes below ``root`` (this process where it is None), without itself; none where there is no /proc."""
    parents = {}
    for path in PROC.glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended since
            parents[int(path.parent.name)] = int(path.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[1])
    family = {os.getpid() if root is None else root}
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    return sorted(family - {os.getpid() if root is None else root})


def proportional_bytes(pids: Iterable[int], kind: str = "Pss") -> int | None:
    """Returns the sum of what the processes take (PSS): a page that several share counts in parts, so that it counts once in all.

    ``kind``: all of it, or ``Pss_Anon``, ``Pss_File`` (mapped files) or ``Pss_Shmem``. None where the system does not tell.
    """
    found = []
    for pid in pids:
        with suppress(OSError):
            if match := re.search(rf"^{kind}:\s+(\d+) kB$", (PROC / str(pid) / "smaps_rollup").read_text(encoding="ascii"), re.MULTILINE):
                found.append(1024 * int(match[1]))
    return sum(found) if found else None


def resident_bytes(pids: Iterable[int]) -> int:
    """Returns the sum of what the processes have in memory (RSS); cheap to ask for, but a page that several share counts for each."""
    pages = 0
    for pid in pids:
        with suppress(OSError, IndexError):  # it has ended since
            pages += int((PROC / str(pid) / "statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def own_peak_bytes() -> int:
    """Returns the most that this process ever had in memory since it was started, as the kernel has counted; 0 where it does not tell."""
    # not getrusage: its ru_maxrss begins with what the parent had
    with suppress(OSError):
        if match := re.search(r"^VmHWM:\s+(\d+) kB$", (PROC / "self" / "status").read_text(encoding="ascii"), re.MULTILINE):
            return 1024 * int(match[1])
    return 0
