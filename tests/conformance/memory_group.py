"""A control group of the kernel (v1 or v2) with a limit on memory, as a container has one."""

from __future__ import annotations

import time
import uuid
from functools import lru_cache
from pathlib import Path

MEGABYTE = 1024 * 1024
V1, V2 = Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup")


def make(megabytes: int) -> Path:
    """Returns a new group: a process is in it that writes its id into ``cgroup.procs``. Raises ``OSError`` where that is not allowed."""
    root, limit = (V1, "memory.limit_in_bytes") if V1.is_dir() else (V2, "memory.max")
    group = root / f"conformance-{uuid.uuid4().hex[:12]}"
    group.mkdir()
    try:
        (group / limit).write_text(str(megabytes * MEGABYTE))
    except OSError:
        group.rmdir()
        raise
    return group


def remove(group: Path) -> None:
    """Removes a group that nobody is in; the kernel takes a moment to notice."""
    for _ in range(100):
        try:
            group.rmdir()
        except OSError:
            time.sleep(0.05)
        else:
            return


@lru_cache
def unable() -> str:
    """Returns "" if groups can be made on this machine, otherwise why not."""
    try:
        remove(make(64))
    except OSError as error:
        return f"no control group can be made here ({error})"
    return ""
