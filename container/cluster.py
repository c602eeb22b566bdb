"""Who takes part in a training job. This version trains on one host; the others of a cluster say so, and end well."""

from __future__ import annotations

from dataclasses import dataclass

from container import paths


@dataclass(frozen=True)
class Cluster:
    """The hosts of the job (sorted names) and which of them this is."""

    current: str
    hosts: tuple[str, ...]

    @property
    def leader(self) -> str:
        """Returns the host that trains: the first by name."""
        return self.hosts[0]

    @property
    def is_leader(self) -> bool:
        return self.current == self.leader


def read_cluster() -> Cluster:
    """Returns the cluster that ``resourceconfig.json`` describes; without the file, this host alone.

    Raises ``SettingsError`` if several hosts each got a part of a channel: the leader alone would train on that part only.
    """
    resources = paths.resource_config()
    hosts = resources.get("hosts")
    if not isinstance(hosts, list) or not hosts:
        return Cluster("localhost", ("localhost",))
    names = tuple(sorted(str(host) for host in hosts))
    cluster = Cluster(str(resources.get("current_host", names[0])), names)
    if len(names) > 1:
        _refuse_shards(names)
    return cluster


def _refuse_shards(hosts: tuple[str, ...]) -> None:
    for name, how in paths.input_data_config().items():
        if isinstance(how, dict) and how.get("S3DistributionType") == "ShardedByS3Key":
            raise paths.SettingsError(
                f"Set InstanceCount to 1, or S3DataDistributionType of the channel '{name}' to FullyReplicated: {hosts[0]} trains alone, "
                f"and with ShardedByS3Key it would see a part of the data only."
            )
