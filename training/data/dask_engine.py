"""Pieces of work done by Dask: by worker processes on this machine, or on all hosts of a cluster. Writes nothing but in TMPDIR."""

from __future__ import annotations

import socket
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import dask
from distributed import Client, Future, KilledWorker, Scheduler, SpecCluster, wait
from distributed.gc import disable_gc_diagnosis

from training.data.dask_processes import EngineError, WorkerProcesses
from training.data.dask_worker import NO_DASHBOARD, SETTINGS, host_resource, job_done, quiet
from training.progress import log

Item = TypeVar("Item")
Result = TypeVar("Result")
LOOPBACK = "127.0.0.1"
ANY_PORT = "0"
WORKER_PORTS = "8790:8989"  # one is taken by each worker process of a host
PER_WORKER = 2  # pieces under way for each worker: one in work, one waiting
POLL_SECONDS = 1.0
GATHER_SECONDS = 60.0
GONE_SECONDS = 30.0  # a host without workers for so long is gone; before, its workers may be starting again
START_SECONDS = 120.0


class DaskEngine:
    """Does pieces on the workers of a Dask cluster. ``hosts``: the names of all hosts, "" where there is only this one.

    Any worker may die: its pieces are done again elsewhere, unless only its host has the file.
    """

    name = "dask"

    def __init__(self, client: Client, host: str, hosts: Sequence[str], own_workers: WorkerProcesses) -> None:
        self.client, self.host, self.hosts = client, host, tuple(hosts)
        self._own_workers = own_workers
        self._seen = dict.fromkeys(hosts, time.monotonic())  # when a host last had a worker
        self._workers = 1
        self._looked = 0.0
        self._absent: set[str] = set()

    def map(
        self, function: Callable[[Item], Result], items: Iterable[Item], where: Callable[[Item], str | None] | None = None
    ) -> Iterator[Result]:
        """Yields the results in order. Raises ``EngineError`` if a host is gone that alone has the file of an item."""
        waiting: deque[tuple[Future, str | None]] = deque()
        try:
            for item in items:
                host = where(item) if where else None
                waiting.append((self._submit(function, item, host), host))
                if len(waiting) > PER_WORKER * self._workers:
                    yield self._result(*waiting.popleft())
            while waiting:
                yield self._result(*waiting.popleft())
        finally:
            if waiting:
                self.client.cancel([future for future, _ in waiting])

    def on_each_host(self, function: Callable[[], Result]) -> dict[str, Result]:
        """Calls the function on a worker of every host."""
        futures = {host: self._submit(_call, function, host) for host in self.hosts}
        return {host: self._result(future, host) for host, future in futures.items()}

    def wait_for_hosts(self, seconds: float) -> None:
        """Waits until every host has a worker. Raises ``EngineError`` that names those that have none by then."""
        deadline = time.monotonic() + seconds
        while missing := [host for host in self.hosts if host not in self._look()]:
            if time.monotonic() > deadline:
                raise EngineError(_missing(missing, seconds, len(self.hosts)))
            time.sleep(POLL_SECONDS / 10)
        self._seen = dict.fromkeys(self.hosts, time.monotonic())
        log("workers_ready", hosts=len(self.hosts), workers=self._workers)

    def dismiss(self) -> None:
        """Tells all workers that the job is done, so that their hosts end well."""
        self.client.run(job_done, on_error="ignore")

    def _submit(self, function: Callable[[Any], Any], item: Any, host: str | None) -> Future:
        self._check(host)
        resources = {host_resource(host): 1} if host is not None else None
        return self.client.submit(function, item, resources=resources, pure=False)

    def _result(self, future: Future, host: str | None) -> Any:
        while True:
            self._check(host)
            try:
                wait(future, timeout=POLL_SECONDS)
                return future.result(timeout=GATHER_SECONDS)  # the worker that has it may die now: then it is done again
            except TimeoutError:
                if future.status == "error":  # it is the piece that timed out
                    raise
            except KilledWorker as error:
                raise EngineError(
                    f"{SETTINGS['distributed.scheduler.allowed-failures'] + 1} worker processes died over the same piece of the data; if "
                    "memory ran out, choose a machine with more of it, or lower data_partition_mb"
                ) from error

    def _check(self, host: str | None) -> None:
        """Looks after the cluster, once a second. Raises ``EngineError`` if ``host``, or every worker, is gone for good."""
        now = time.monotonic()
        if now - self._looked >= POLL_SECONDS:
            present = self._look()
            self._seen |= dict.fromkeys(present, now)
            absent = set(self.hosts) - present
            for name in sorted(absent - self._absent):
                log("host_left", host=name, hosts_present=len(present))
            for name in sorted(self._absent - absent):
                log("host_back", host=name, hosts_present=len(present))
            self._absent = absent
        gone = {name for name, seen in self._seen.items() if now - seen > GONE_SECONDS}
        if host in gone:
            raise EngineError(f"host {host} is gone, and only it has its part of a channel that is ShardedByS3Key; start the job again")
        if len(gone) == len(self.hosts):
            raise EngineError("all worker processes are gone; the log of their hosts says why")

    def _look(self) -> set[str]:
        """The hosts that have a worker now. Starts this host's workers again that have ended."""
        self._own_workers.look_after()
        workers = self.client.scheduler_info(n_workers=-1)["workers"].values()
        self._looked, self._workers = time.monotonic(), max(1, len(workers))
        return {str(worker["name"]).rpartition("/")[0] for worker in workers}


def _call(function: Callable[[], Result]) -> Result:
    return function()


@contextmanager
def dask_on_this_machine(processes: int) -> Iterator[DaskEngine]:
    """Worker processes that talk over the loopback address only; they end with the block."""
    with _leading("", [""], LOOPBACK, 0, ANY_PORT, processes, START_SECONDS) as engine:
        yield engine


@contextmanager
def dask_over_hosts(host: str, hosts: Sequence[str], address: str, port: int, processes: int, wait_seconds: float) -> Iterator[DaskEngine]:
    """A cluster whose scheduler listens on ``address`` of this ``host``; the others join by themselves (``join``), and end with the block.

    Raises ``EngineError`` that names the hosts that have not joined within ``wait_seconds``, or if the port is taken.
    """
    with _leading(host, hosts, address, port, WORKER_PORTS, processes, wait_seconds) as engine:
        yield engine


@contextmanager
def _leading(
    host: str, hosts: Sequence[str], address: str, port: int, worker_ports: str, processes: int, wait_seconds: float
) -> Iterator[DaskEngine]:
    quiet()
    with (
        tempfile.TemporaryDirectory(prefix="dask-") as folder,
        dask.config.set({**SETTINGS, "temporary-directory": folder}),
        _scheduler(address, port) as cluster,
        Client(cluster, direct_to_workers=True) as client,
        WorkerProcesses(cluster.scheduler_address, host, address, worker_ports, processes, wait_seconds) as own_workers,
    ):
        engine = DaskEngine(client, host, hosts, own_workers)
        try:
            engine.wait_for_hosts(wait_seconds)
            yield engine
        finally:
            engine.dismiss()


def _scheduler(address: str, port: int) -> SpecCluster:
    options = {"host": address, "port": port, "protocol": "tcp://", **NO_DASHBOARD}
    with socket.socket() as probe:  # Dask itself leaves a socket behind when it fails
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            raise EngineError(f"the Dask scheduler cannot listen on {address}:{port}: {error.strerror}") from error
    cluster = SpecCluster(scheduler={"cls": Scheduler, "options": options}, workers={}, silence_logs=False)
    disable_gc_diagnosis(force=True)  # it measures in callbacks of the garbage collector, where Python drops the exception of a SIGTERM
    return cluster


def _missing(hosts: Sequence[str], seconds: float, expected: int) -> str:
    if hosts == [""]:
        return f"no worker process started within {seconds:g} s; set data_engine to pandas, and see the log for what they said"
    return (
        f"{len(hosts)} of {expected} hosts did not join the Dask cluster within {seconds:g} s: {', '.join(hosts)}. See the log of "
        "each, and let the hosts of the job connect to each other (security groups of its VPC)"
    )
