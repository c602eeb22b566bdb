from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from container.memory import MEGABYTE, free_memory, memory_limit, memory_with_session, reserve

GIGABYTE = 1024 * MEGABYTE
MEMINFO = "MemTotal: 8388608 kB\nMemFree: 100 kB\nMemAvailable: 4194304 kB\n"  # 8 GB, of which 4 are left


def make(tmp_path: Path, groups: str, files: dict[str, str]) -> dict[str, Path]:
    """Writes what the kernel would show; returns the arguments that make the functions look there."""
    (tmp_path / "proc" / "self").mkdir(parents=True)
    (tmp_path / "proc" / "self" / "cgroup").write_text(groups)
    (tmp_path / "proc" / "meminfo").write_text(MEMINFO)
    for name, text in files.items():
        path = tmp_path / "cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return {"cgroup": tmp_path / "cgroup", "proc": tmp_path / "proc"}


def v2(folder: str, limit: int | str, used: int, cached: int) -> dict[str, str]:
    stat = f"anon 5\nfile {cached}\ninactive_file {cached // 2}\nactive_file {cached - cached // 2}\n"
    return {f"{folder}memory.max": f"{limit}\n", f"{folder}memory.current": f"{used}\n", f"{folder}memory.stat": stat}


def v1(folder: str, limit: int, used: int, cached: int) -> dict[str, str]:
    stat = f"inactive_file 1\nactive_file 1\ntotal_inactive_file {cached}\ntotal_active_file 0"
    names = ("limit_in_bytes", "usage_in_bytes", "stat")
    return {f"memory/{folder}memory.{name}": f"{text}\n" for name, text in zip(names, (limit, used, stat), strict=True)}


def test_the_limit_of_the_container_counts_and_cached_files_are_free(tmp_path: Path) -> None:
    where = make(tmp_path, "0::/\n", v2("", GIGABYTE, 900 * MEGABYTE, 700 * MEGABYTE))
    assert memory_limit({}, **where) == GIGABYTE
    assert free_memory({}, **where) == GIGABYTE - 200 * MEGABYTE


def test_the_older_control_groups_say_it_in_other_words(tmp_path: Path) -> None:
    where = make(tmp_path, "4:memory:/docker/abc\n2:cpu:/\n", v1("", 2 * GIGABYTE, GIGABYTE, 600 * MEGABYTE))
    assert memory_limit({}, **where) == 2 * GIGABYTE
    assert free_memory({}, **where) == GIGABYTE + 600 * MEGABYTE


def test_a_group_around_the_group_counts_where_it_is_tighter(tmp_path: Path) -> None:
    groups = v2("", "max", 0, 0) | v2("pod/", GIGABYTE, 1000 * MEGABYTE, 0) | v2("pod/one/", 3 * GIGABYTE, MEGABYTE, 0)
    where = make(tmp_path, "0::/pod/one\n", groups)
    assert memory_limit({}, **where) == GIGABYTE
    assert free_memory({}, **where) == 24 * MEGABYTE


@pytest.mark.parametrize("groups", [v2("", "max", 5, 5), v1("", 9223372036854771712, 5, 5), {}])
def test_without_a_limit_the_machine_is_the_limit(tmp_path: Path, groups: dict[str, str]) -> None:
    where = make(tmp_path, "4:memory:/\n0::/\n", groups)
    assert memory_limit({}, **where) == 8 * GIGABYTE
    assert free_memory({}, **where) == 4 * GIGABYTE


def test_a_machine_that_says_nothing_limits_nothing(tmp_path: Path) -> None:
    where = {"cgroup": tmp_path / "none", "proc": tmp_path / "none"}
    assert memory_limit({}, **where) == free_memory({}, **where) == 2**63


def test_a_limit_of_ones_own_counts_what_the_processes_of_the_session_hold() -> None:
    code = (
        "from container.memory import free_memory; before = free_memory({'SERVING_MEMORY_LIMIT_MB': '500'});"
        "held = b'x' * 100_000_000; print(before, before - free_memory({'SERVING_MEMORY_LIMIT_MB': '500'}))"
    )
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-c", code]
    finished = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True, start_new_session=True)
    before, used = map(int, finished.stdout.split())
    assert 400 * MEGABYTE < before < 500 * MEGABYTE
    assert abs(used - 100_000_000) < 5_000_000


def test_what_is_kept_free_is_a_part_of_little_and_no_more_than_enough_of_much() -> None:
    assert reserve(GIGABYTE) == 128 * MEGABYTE
    assert reserve(100 * GIGABYTE) == 256 * MEGABYTE


def test_the_memory_of_a_session_is_its_processes_and_ours(tmp_path: Path) -> None:
    for process, session, pss in (("self", 1, 10), ("7", 7, 100), ("8", 7, 1000), ("9", 1, 5000)):
        folder = tmp_path / process
        folder.mkdir()
        (folder / "stat").write_text(f"{process} (a) name) S 1 7 {session} 0 -1\n")
        (folder / "smaps_rollup").write_text(
            f"5586-7ffd ---p 00000000 00:00 0    [rollup]\nRss:   {2 * pss} kB\nPss:   {pss} kB\nPss_Dirty: 4 kB\n"
        )
    (tmp_path / "10").mkdir()  # has ended since
    assert memory_with_session(7, tmp_path) == (2220 * 1024, 1110 * 1024)
