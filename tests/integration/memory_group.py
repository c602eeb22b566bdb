"""A control group of the kernel with a limit on memory, as a container has one."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def memory_group(megabytes: int) -> Iterator[Path]:
    """Makes a group (v1 or v2); skips the test where that is not allowed. What writes its id into `cgroup.procs` is in it."""
    v1 = Path("/sys/fs/cgroup/memory")
    root, limit = (v1, "memory.limit_in_bytes") if v1.is_dir() else (Path("/sys/fs/cgroup"), "memory.max")
    group = root / f"test-serving-{os.getpid()}"
    try:
        group.mkdir()
        (group / limit).write_text(str(megabytes * 1024 * 1024))
    except OSError as error:
        pytest.skip(f"no control group can be made here ({error})")
    try:
        yield group
    finally:
        for _ in range(100):
            try:
                group.rmdir()
                break
            except OSError:
                time.sleep(0.05)
