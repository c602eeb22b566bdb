"""What the kernel knows of the processes of a container: the ports where they listen, the memory they take, the files they hold."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pytest

LISTENING = "0A"


class Address(NamedTuple):
    """Where a socket listens. ``reach``: "all" interfaces, "loopback", or the address as the kernel writes it."""

    port: int
    reach: str


def seen(pids: Iterable[int]) -> list[int]:
    """Returns the processes; skips the test where they run in a machine of their own, or belong to somebody else."""
    found = list(pids)
    assert found, "it has no process"
    for pid in found[:1]:
        try:
            os.scandir(f"/proc/{pid}/fd").close()
        except OSError as error:
            pytest.skip(f"its processes cannot be looked at from here ({error})")
    return found


def listening(pids: Iterable[int]) -> set[Address]:
    """Returns where these processes, which share a network, take TCP connections."""
    found = seen(pids)
    theirs = {target for pid in found for target in _open_files(pid) if target.startswith("socket:")}
    addresses = set()
    for table in ("tcp", "tcp6"):
        for line in _lines(Path(f"/proc/{found[0]}/net/{table}"))[1:]:
            fields = line.split()
            if fields[3] == LISTENING and f"socket:[{fields[9]}]" in theirs:
                address, port = fields[1].split(":")
                addresses.add(Address(int(port, 16), _reach(address)))
    return addresses


def memory(pids: Iterable[int]) -> int:
    """Returns the bytes that these processes take together; what they share counts once."""
    total = 0
    for pid in seen(pids):
        for line in _lines(Path(f"/proc/{pid}/smaps_rollup")):
            if line.startswith("Pss:"):
                total += int(line.split()[1]) * 1024
    return total


def held_files(pids: Iterable[int], folder: str) -> set[str]:
    """Returns the files below a path (as the processes see it) that are open or mapped."""
    held: set[str] = set()
    for pid in seen(pids):
        held |= {target for target in _open_files(pid) if target.startswith(f"{folder}/")}
        held |= {f"{folder}/{line.partition(f'{folder}/')[2]}" for line in _lines(Path(f"/proc/{pid}/maps")) if f" {folder}/" in line}
    return held


def catches(number: int, pid: int) -> bool:
    """Whether a process has a handler for a signal."""
    seen([pid])
    masks = [line.split()[1] for line in _lines(Path(f"/proc/{pid}/status")) if line.startswith("SigCgt:")]
    return any(int(mask, 16) >> (number - 1) & 1 for mask in masks)


def _open_files(pid: int) -> Iterator[str]:
    with suppress(OSError):
        for entry in os.scandir(f"/proc/{pid}/fd"):
            with suppress(OSError):
                yield str(Path(entry.path).readlink())


def _lines(path: Path) -> list[str]:
    with suppress(OSError):
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    return []


def _reach(address: str) -> str:
    if not address.strip("0"):
        return "all"
    # IPv4 in the byte order of the machine, alone or inside an IPv6 address; ::1.
    loopback = address[-8:-6] == "7F" or address[-8:].endswith("7F") or address == "00000000000000000000000001000000"
    return "loopback" if loopback else address
