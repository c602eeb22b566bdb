"""What stands before a command so that it runs as another user, on read-only disks or without a network, as in a container."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from tests.conformance import memory_group
from tests.conformance.container import Conditions

# File systems that a container has of its own, and may write, even where its root may not be written.
OF_THE_KERNEL = "proc|sysfs|tmpfs|devtmpfs|devpts|mqueue|cgroup|cgroup2|pstore|bpf|debugfs|tracefs|securityfs|fusectl|configfs"
LOOPBACK_UP = "ip link set lo up"
ROOT_READ_ONLY = f"""
mount --bind /tmp /tmp
while read -r _ place kind _; do
    case "$kind" in {OF_THE_KERNEL}) continue ;; esac
    case "$kind:$place" in *:/tmp | nsfs:* | overlay:/?*) continue ;; esac  # the roots of other containers are none of ours
    mount -n -o remount,bind,ro "$place"
done < /proc/self/mounts
mount -n -o remount,bind,rw /tmp
"""


def _read_only(folder: Path, writable: Sequence[str]) -> str:
    lines = [f"mount -n --bind '{folder}' '{folder}'", f"mount -n -o remount,bind,ro '{folder}'"]
    for name in writable:
        if (folder / name).is_dir():
            lines += [f"mount -n --bind '{folder}/{name}' '{folder}/{name}'", f"mount -n -o remount,bind,rw '{folder}/{name}'"]
    return "\n".join(lines)


def prefix(conditions: Conditions, base: Path, writable: Sequence[str], group: Path | None = None) -> list[str]:
    """Returns the words before the command. It stays one process: what the words start becomes the command.

    ``writable``: folders in ``base`` that may be written on a read-only disk. ``group``: the control group that it shall be in.
    """
    steps, spaces = ["set -e"], []
    if group is not None:
        steps.append(f"echo $$ > '{group}/cgroup.procs'")
    if not conditions.network:
        spaces.append("--net")
        steps.append(LOOPBACK_UP)
    if conditions.read_only or conditions.read_only_input:
        spaces.append("--mount")
        if conditions.read_only:
            steps += [ROOT_READ_ONLY, _read_only(base, writable)]
        if conditions.read_only_input and (base / "input").is_dir():
            steps.append(_read_only(base / "input", ()))
    words = ["setpriv", "--pdeathsig", "KILL", "--no-new-privs"]
    if conditions.user is not None:
        # It may write nothing of ours. It may read everything, so that a command below somebody's home folder can be tested so.
        words += [f"--reuid={conditions.user}", f"--regid={conditions.user}", "--clear-groups"]
        words += ["--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search", "--bounding-set=-all,+dac_read_search"]
    if not spaces:
        return words if group is None else ["sh", "-c", "\n".join([*steps, 'exec "$@"']), "sh", *words]
    mapped = [] if os.geteuid() == 0 else ["--map-root-user"]
    return ["unshare", *mapped, *spaces, "sh", "-c", "\n".join([*steps, 'exec "$@"']), "sh", *words]


@lru_cache
def unable(conditions: Conditions) -> str:
    """Returns "" if a command can be run so on this machine, otherwise why not."""
    if conditions.memory_mb is not None and (reason := memory_group.unable()):
        return reason
    if conditions.user is not None and os.geteuid() != 0:
        return "only root can run a command as another user"
    tools = [tool for tool in ("setpriv", "unshare", "ip") if shutil.which(tool) is None]
    if tools:
        return f"needs {', '.join(tools)} (util-linux, iproute2)"
    tried = subprocess.run([*prefix(conditions, Path("/tmp"), ()), "true"], capture_output=True, text=True, check=False)
    return "" if tried.returncode == 0 else f"this machine allows no name spaces: {tried.stderr.strip()}"
