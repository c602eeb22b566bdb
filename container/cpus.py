"""How many CPUs this process may use, and telling the linear algebra so before it starts its threads."""

from __future__ import annotations

import math
import os
from pathlib import Path

_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def usable_cpus(cgroup: Path = Path("/sys/fs/cgroup")) -> int:
    """Returns the CPUs that the scheduler and the container's quota (cgroup v2 or v1) leave to this process; at least 1.

    BLAS libraries see the machine's cores but not a quota (``docker run --cpus 2``), and start far too many threads.
    """
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = (cgroup / "cpu.max").read_text().split()
    except (OSError, ValueError):
        try:
            quota, period = ((cgroup / "cpu" / f"cpu.cfs_{name}_us").read_text().strip() for name in ("quota", "period"))
        except OSError:
            return cpus
    if quota.isdigit() and period.isdigit() and int(period) > 0:
        cpus = min(cpus, math.ceil(int(quota) / int(period)))
    return max(cpus, 1)


def limit_threads(threads: int) -> None:
    """Sets the variables that BLAS reads when numpy is first imported. 0 means all usable CPUs, unless the caller has set them."""
    for variable in _VARIABLES:
        if threads or not os.environ.get(variable):
            os.environ[variable] = str(threads or usable_cpus())
