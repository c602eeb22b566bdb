"""One worker process of a Dask cluster. It ends with its leader's job, with its parent, or when it cannot reach the leader."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence
from typing import Any

import dask
from distributed import Worker

# How a worker process ends by itself. Any other code, and any signal, is an accident, after which it is worth starting again.
FINISHED = 0  # the leader has said that the job is done
LOST = 3  # the connection to the leader broke
UNREACHED = 4  # the leader did not answer in time

SETTINGS: dict[str, Any] = {
    "distributed.worker.memory.target": False,  # pieces are small, and what they become is sent at once: nothing is spilled or paused
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": False,
    "distributed.worker.profile.enabled": False,
    "distributed.worker.http.routes": [],
    "distributed.scheduler.http.routes": [],
    "distributed.scheduler.allowed-failures": 3,
    "distributed.scheduler.active-memory-manager.start": False,
    "distributed.admin.large-graph-warning-threshold": "1 GB",
    "distributed.admin.system-monitor.gil.enabled": False,
    "distributed.comm.timeouts.tcp": "30s",
}
NO_DASHBOARD: dict[str, Any] = {
    "dashboard": False,
    "dashboard_address": "127.0.0.1:0",
}  # an HTTP server starts anyway: without pages, and on loopback


def quiet() -> None:
    """Leaves what Dask says about joining and leaving to our own log, which says it in sentences."""
    for name in (
        "distributed",
        "distributed.client",
        "distributed.worker",
        "distributed.core",
        "tornado",
        "tornado.application",
        "asyncio",
    ):
        logging.getLogger(name).setLevel(logging.CRITICAL)


class JobWorker(Worker):
    """A worker that can be told that the job is done, to know a good end from a lost leader."""

    job_done = False


def job_done(dask_worker: JobWorker) -> None:
    """Run on each worker by the leader, before it closes the cluster."""
    dask_worker.job_done = True


def main(arguments: Sequence[str]) -> int:
    """Works for the scheduler until the job is done, and returns one of the codes above."""
    parser = argparse.ArgumentParser()
    for name in ("scheduler", "name", "host", "address", "ports", "folder"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--wait-seconds", type=float, required=True)
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process of a terminal; the parent ends this one
    threading.Thread(target=_end_with_parent, daemon=True).start()
    quiet()
    with dask.config.set({**SETTINGS, "temporary-directory": options.folder}):
        return asyncio.run(_work(options))


async def _work(options: argparse.Namespace) -> int:
    worker = JobWorker(
        options.scheduler,
        name=options.name,
        nthreads=1,
        resources={host_resource(options.host): 1},
        memory_limit=0,
        host=options.address,
        port=options.ports,
        local_directory=options.folder,
        death_timeout=options.wait_seconds,
        **NO_DASHBOARD,
    )
    try:
        await worker
    except TimeoutError:
        return UNREACHED
    await worker.finished()
    return FINISHED if worker.job_done else LOST


def host_resource(host: str) -> str:
    """What a piece asks for that only one host may do."""
    return f"host {host}"


def _end_with_parent() -> None:
    """The parent holds the other end of stdin and never writes: it ends when the parent does, however that came about."""
    os.read(sys.stdin.fileno(), 1)  # and not sys.stdin.read(), whose lock the interpreter misses when it ends
    os._exit(LOST)
