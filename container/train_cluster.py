"""Who reads the data of a training job: this process, worker processes on this machine, or those of all hosts of the job."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from container import exit_codes
from container.cluster import Cluster, address_of, own_address, wait_seconds
from container.paths import SettingsError
from container.train_channels import size_of, together
from training.channels import KINDS
from training.data.config import DataConfig
from training.data.engine import Engine, LocalEngine
from training.data.pipe_channel import PipeChannel
from training.progress import log

SCHEDULER_PORT = 8786
MEGABYTE = 1 << 20


def engine_for(
    cluster: Cluster, channels: Mapping[str, Path | PipeChannel], sharded: Collection[str], config: DataConfig, cpus: int
) -> AbstractContextManager[Engine]:
    """Returns the engine of the host that leads, to be entered: several hosts share the work by Dask, unless pandas is asked for; one host
    does so from ``data_dask_from_mb`` on. The other hosts call ``follow`` meanwhile, and end with the block.

    Raises ``SettingsError`` for data that the leader would see a part of only, and, when entered, ``UserDataError`` that names the hosts
    that have not come.
    """
    _check(cluster, channels, sharded, config)
    name = _engine_name(cluster, channels, config)
    log("engine", name=name, hosts=len(cluster.hosts), processes_per_host=cpus if name == "dask" else 0)
    if name == "pandas":
        return _this_process(cpus)
    from training.data.dask_engine import dask_on_this_machine, dask_over_hosts  # imports numpy: not before it is needed

    if len(cluster.hosts) == 1:
        return dask_on_this_machine(cpus)
    seconds = wait_seconds()
    address = own_address(cluster, time.monotonic() + seconds)
    return dask_over_hosts(cluster.current, cluster.hosts, address, SCHEDULER_PORT, cpus, seconds)


def follow(cluster: Cluster, channels: Mapping[str, Path | PipeChannel], sharded: Collection[str], config: DataConfig, cpus: int) -> int:
    """Works for the leader until it closes the cluster, however its own job ends, and returns the exit code 0.

    Raises ``SettingsError`` or ``UserDataError`` if the leader cannot be found or reached in time, or vanishes.
    """
    _check(cluster, channels, sharded, config)
    if _engine_name(cluster, channels, config) == "pandas":
        log("nothing_to_do", reason=f"{cluster.leader} reads the data alone, because data_engine is pandas")
        return exit_codes.DONE
    from training.data.dask_engine import WORKER_PORTS
    from training.data.dask_processes import WorkerProcesses, work_for

    deadline = time.monotonic() + wait_seconds()
    leader = address_of(cluster.leader, deadline)
    address = own_address(cluster, deadline)
    left = max(1.0, deadline - time.monotonic())
    log("following", leader=cluster.leader, address=address, processes=cpus)
    with WorkerProcesses(f"tcp://{leader}:{SCHEDULER_PORT}", cluster.current, address, WORKER_PORTS, cpus, left) as workers:
        work_for(cluster.leader, workers)
    log("followed", leader=cluster.leader)
    return exit_codes.DONE


def _engine_name(cluster: Cluster, channels: Mapping[str, Path | PipeChannel], config: DataConfig) -> str:
    if config.engine != "auto":
        return config.engine
    large = len(cluster.hosts) > 1 or size_of(channels) >= config.dask_from_mb * MEGABYTE
    return "dask" if large else "pandas"


def _check(cluster: Cluster, channels: Mapping[str, Path | PipeChannel], sharded: Collection[str], config: DataConfig) -> None:
    """Refuses what the leader would read a part of only: each host has its own files, or its own pipe. All mistakes are told at once."""
    if len(cluster.hosts) == 1:
        return
    mistakes = []
    for name in sharded:
        instead = f"Set S3DataDistributionType of the channel '{name}' to FullyReplicated, or"
        part = f"with ShardedByS3Key {cluster.leader} has a part of it only, and"
        if name in KINDS and KINDS[name].whole:
            mistakes.append(f"Set S3DataDistributionType of the channel '{name}' to FullyReplicated: each host needs all of it.")
        elif isinstance(channels.get(name), PipeChannel):
            mistakes.append(f"{instead} its TrainingInputMode to File or FastFile: {part} pipes are read by one host.")
        elif config.engine == "pandas":
            mistakes.append(f"{instead} data_engine to dask, or InstanceCount to 1: {part} pandas reads the data on one host.")
    if mistakes:
        raise SettingsError(together(mistakes))


@contextmanager
def _this_process(threads: int) -> Iterator[Engine]:
    yield LocalEngine(threads)
