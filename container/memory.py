"""How much memory this container may use, and how much of it is left, by its control group (cgroup v2 or v1) and the machine."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

MEGABYTE = 1024 * 1024
# For containers that share a machine without limits of their own: this server's processes together may use so much.
LIMIT_ENV = "SERVING_MEMORY_LIMIT_MB"
CGROUP = Path("/sys/fs/cgroup")
PROC = Path("/proc")
_V2 = ("memory.max", "memory.current", ("inactive_file", "active_file"))
_V1 = ("memory.limit_in_bytes", "memory.usage_in_bytes", ("total_inactive_file", "total_active_file"))


def memory_limit(environment: Mapping[str, str] | None = None, cgroup: Path = CGROUP, proc: Path = PROC) -> int:
    """Returns the bytes that this container may use: the smallest limit of its control groups, the machine's memory, and
    ``SERVING_MEMORY_LIMIT_MB``."""
    limits = [limit for limit, _ in _groups(cgroup, proc)]
    with suppress(KeyError):
        limits.append(_meminfo(proc)["MemTotal"])
    return min(limits + _own_limit(environment), default=2**63)


def free_memory(environment: Mapping[str, str] | None = None, cgroup: Path = CGROUP, proc: Path = PROC) -> int:
    """Returns the bytes that this container may still take. What the kernel keeps of files is free, models that are mapped into memory
    among it: the kernel takes their pages back when it needs them."""
    left = [limit - used for limit, used in _groups(cgroup, proc)]
    with suppress(KeyError):
        left.append(_meminfo(proc)["MemAvailable"])
    left += [limit - _used_by_session(proc) for limit in _own_limit(environment)]
    return min(left, default=2**63)


def reserve(limit: int) -> int:
    """Returns what models must leave free of ``limit``, for requests and for Java's heap to grow: an eighth, 256 MB at most."""
    return min(limit // 8, 256 * MEGABYTE)


def _own_limit(environment: Mapping[str, str] | None) -> list[int]:
    text = (os.environ if environment is None else environment).get(LIMIT_ENV, "").strip()
    return [int(text) * MEGABYTE] if text.isascii() and text.isdigit() and int(text[:12]) > 0 else []


def _groups(cgroup: Path, proc: Path) -> Iterator[tuple[int, int]]:
    """Yields limit and use, without the cache of files, of each control group around this process that has a limit."""
    for root, path, (limit_name, usage_name, cached) in _hierarchies(cgroup, proc):
        for directory in (root / path, *(root / path).parents):
            try:
                limit = int((directory / limit_name).read_text())
                stat = dict(line.split() for line in (directory / "memory.stat").read_text().splitlines())
                used = int((directory / usage_name).read_text()) - sum(int(stat.get(key, 0)) for key in cached)
            except (OSError, ValueError):  # no such level is visible here, or it says "max"
                pass
            else:
                if limit < 2**60:  # v1 says "no limit" by a number near 2**63
                    yield limit, used
            if directory == root:
                break


def _hierarchies(cgroup: Path, proc: Path) -> Iterator[tuple[Path, str, tuple[str, str, tuple[str, str]]]]:
    try:
        lines = (proc / "self" / "cgroup").read_text().splitlines()
    except OSError:
        lines = []
    paths = {controllers: path.strip("/") for _, controllers, path in (line.split(":", 2) for line in lines)}
    for controllers, path in paths.items():
        if controllers == "":
            yield cgroup, path, _V2
        elif "memory" in controllers.split(","):
            yield cgroup / "memory", path, _V1


def _meminfo(proc: Path) -> dict[str, int]:
    try:
        lines = (proc / "meminfo").read_text().splitlines()
    except OSError:
        return {}
    return {name: int(rest.split()[0]) * 1024 for name, _, rest in (line.partition(":") for line in lines)}


def memory_with_session(session: int, proc: Path = PROC) -> tuple[int, int]:
    """Returns what this process and those of a session have in memory, twice: what several share counted for each (RSS), and once in all
    (PSS). Both are 0 where the system does not tell."""
    resident = proportional = 0
    for process in (proc / "self", *_processes(session, proc)):
        with suppress(OSError, ValueError, KeyError):
            rollup = (process / "smaps_rollup").read_text().splitlines()[1:]
            kilobytes = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in rollup)}
            resident += kilobytes["Rss"] * 1024
            proportional += kilobytes["Pss"] * 1024
    return resident, proportional


def _used_by_session(proc: Path) -> int:
    """Returns what the processes of this session hold that is no file's; what forked processes share is counted for each."""
    used = 0
    for process in _processes(os.getsid(0), proc):
        with suppress(OSError, ValueError):
            lines = (process / "status").read_text().splitlines()
            used += sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(("RssAnon:", "RssShmem:")))
    return used


def _processes(session: int, proc: Path) -> Iterator[Path]:
    for stat in proc.glob("[0-9]*/stat"):
        with suppress(OSError, ValueError, IndexError):
            if int(stat.read_text().rpartition(")")[2].split()[3]) == session:
                yield stat.parent
