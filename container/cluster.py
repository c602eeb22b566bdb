"""Who takes part in a training job, and how they find each other. The first host leads; it alone writes the model."""

from __future__ import annotations

import os
import socket
import time
from dataclasses import dataclass

import psutil

from container import paths
from container.paths import SettingsError

WAIT_VARIABLE = "CLUSTER_TIMEOUT_SECONDS"
DEFAULT_WAIT_SECONDS = 300.0
JOB_VARIABLES = {"jobName": "TRAINING_JOB_NAME", "jobArn": "TRAINING_JOB_ARN", "region": "AWS_REGION"}
JOB_RESOURCES = {"instanceType": "current_instance_type", "instanceGroup": "current_group_name"}
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0  # between two look-ups of a name


@dataclass(frozen=True)
class Cluster:
    """The hosts of the job (sorted names), which of them this is, and the network interface that they talk over ("" if not known)."""

    current: str
    hosts: tuple[str, ...]
    interface: str = ""

    @property
    def leader(self) -> str:
        """Returns the host that trains: the first by name."""
        return self.hosts[0]

    @property
    def is_leader(self) -> bool:
        return self.current == self.leader


def read_cluster() -> Cluster:
    """Returns the cluster that ``resourceconfig.json`` describes; without the file, this host alone.

    Raises ``SettingsError`` if this host is not one of the cluster.
    """
    resources = paths.resource_config()
    hosts = resources.get("hosts")
    if not isinstance(hosts, list) or not hosts:
        return Cluster("localhost", ("localhost",))
    names = tuple(sorted({str(host) for host in hosts}))
    current = str(resources.get("current_host") or (names[0] if len(names) == 1 else ""))
    if current not in names:
        raise SettingsError(f"Correct resourceconfig.json: current_host is '{current}', which is none of its hosts ({', '.join(names)}).")
    return Cluster(current, names, str(resources.get("network_interface_name") or ""))


def job_facts() -> dict[str, str]:
    """Returns what the platform says of the job and its machines, by the names that it is kept under; empty outside of it."""
    resources = paths.resource_config()
    told = {name: os.environ.get(variable, "") for name, variable in JOB_VARIABLES.items()}
    told |= {name: str(resources.get(key) or "") for name, key in JOB_RESOURCES.items()}
    if isinstance(hosts := resources.get("hosts"), list):
        told["hosts"] = ",".join(sorted(map(str, hosts)))
    return {name: value for name, value in told.items() if value}


def wait_seconds() -> float:
    """Returns for how long the hosts wait for each other. Raises ``SettingsError`` if the variable is not a positive number."""
    given = os.environ.get(WAIT_VARIABLE) or str(DEFAULT_WAIT_SECONDS)
    try:
        seconds = float(given)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise SettingsError(f'Set the variable {WAIT_VARIABLE} to a number of seconds: "{given}" is none.')
    return seconds


def own_address(cluster: Cluster, deadline: float) -> str:
    """Returns this host's IPv4 address: of the cluster's network interface, or, if it has none, what its name stands for."""
    for address in psutil.net_if_addrs().get(cluster.interface, []):
        if address.family == socket.AF_INET:
            return address.address
    return address_of(cluster.current, deadline)


def address_of(host: str, deadline: float) -> str:
    """Returns the IPv4 address of a host. A name may take a while to be known; it is asked for until ``deadline`` (``time.monotonic``).

    Raises ``SettingsError`` if it is not known by then.
    """
    pause = FIRST_PAUSE
    while True:
        try:
            return str(socket.getaddrinfo(host, None, socket.AF_INET, socket.SOCK_STREAM)[0][4][0])
        except OSError as error:
            if time.monotonic() + pause > deadline:
                raise SettingsError(
                    f"Start the job again, or let its hosts look up each other's names: the name of the host {host} was not known in "
                    f"time ({error.strerror})."
                ) from None
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)
