"""What a figure was measured on."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from container.cpus import usable_cpus

PACKAGES = ("numpy", "pandas", "pyarrow", "polars", "scikit-learn", "scipy")


def machine() -> dict[str, Any]:
    """CPUs, memory, how much else runs right now (the load average of the last minute), and the versions of what is compared."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "cpus": usable_cpus(),
        "memory_gb": round(pages / 1e9, 1),
        "load": round(os.getloadavg()[0], 2),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "packages": {name: found for name in PACKAGES if (found := _version(name))},
    }


def described(facts: dict[str, Any]) -> str:
    """The same in one line."""
    packages = " ".join(f"{name} {found}" for name, found in facts["packages"].items())
    return f"{facts['cpus']} CPUs, {facts['memory_gb']} GB, load {facts['load']}, Python {facts['python']}, {packages}"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
