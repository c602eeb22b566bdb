"""The hosts of a training job: each has a folder like /opt/ml, filled as the platform fills it, and a process."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scripts.local_aws.channels import Channel
from scripts.local_aws.checkpoints import Checkpoints
from scripts.local_aws.children import Child
from scripts.local_aws.fifos import Pipe
from scripts.local_aws.logs import LogStream
from scripts.s3_channels import S3Place

ONE_GROUP = "homogeneousCluster"  # what a cluster without instance groups calls its only one


@dataclass(frozen=True)
class Machine:
    """A host as the request has it: its name, its group, and the type that it would be on AWS."""

    name: str
    group: str
    instance_type: str


@dataclass
class Host:
    """What runs on one host. ``base`` stands for /opt/ml."""

    machine: Machine
    base: Path
    log: LogStream
    pipes: list[Pipe] = field(default_factory=list)
    checkpoints: Checkpoints | None = None
    child: Child | None = None

    @property
    def model(self) -> Path:
        return self.base / "model"

    @property
    def output(self) -> Path:
        return self.base / "output" / "data"

    def failure(self) -> str:
        """Returns what the command wrote for the job's ``FailureReason``, or "" if it wrote nothing."""
        try:
            return (self.base / "output" / "failure").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""


def machines(resources: Mapping[str, Any], names: Sequence[str]) -> list[Machine]:
    """Returns the hosts of a ``ResourceConfig``, group by group."""
    groups = resources.get("InstanceGroups") or [{**resources, "InstanceGroupName": ONE_GROUP}]
    kinds = [(group["InstanceGroupName"], group["InstanceType"]) for group in groups for _ in range(group["InstanceCount"])]
    return [Machine(name, group, kind) for name, (group, kind) in zip(names, kinds, strict=True)]


def count_hosts(resources: Mapping[str, Any]) -> int:
    return sum(group.get("InstanceCount", 1) for group in resources.get("InstanceGroups") or [resources])


def write_config(
    base: Path,
    machine: Machine,
    cluster: Sequence[Machine],
    interface: str,
    hyperparameters: Mapping[str, str],
    channels: Sequence[Channel],
    checkpoints_inside: str | None,
) -> None:
    """Writes the files of ``input/config``, and makes the folders that the command may write to."""
    groups: dict[str, dict[str, Any]] = {}
    for one in cluster:
        entry = {"instance_group_name": one.group, "instance_type": one.instance_type, "hosts": []}
        groups.setdefault(one.group, entry)["hosts"].append(one.name)
    documents: dict[str, Any] = {
        "hyperparameters": dict(hyperparameters),
        "inputdataconfig": {channel.name: channel.description() for channel in channels},
        "resourceconfig": {
            "current_host": machine.name,
            "current_instance_type": machine.instance_type,
            "current_group_name": machine.group,
            "hosts": sorted(one.name for one in cluster),
            "instance_groups": list(groups.values()),
            "network_interface_name": interface,
        },
    }
    if checkpoints_inside is not None:
        documents["checkpointconfig"] = {"LocalPath": checkpoints_inside}
    for folder in ("input/config", "input/data", "model", "output/data"):
        (base / folder).mkdir(parents=True, exist_ok=True)
    for name, document in documents.items():
        (base / "input" / "config" / f"{name}.json").write_text(json.dumps(document), encoding="utf-8")


def seen_by(channel: Channel, machine: Machine, cluster: Sequence[Machine]) -> tuple[int, int] | None:
    """Returns which host of how many this one is for a channel, or None if the channel is for other instance groups."""
    sharing = [one for one in cluster if not channel.groups or one.group in channel.groups]
    return (sharing.index(machine), len(sharing)) if machine in sharing else None


def deliver(s3: Any, channels: Mapping[Channel, S3Place], host: Host, cluster: Sequence[Machine]) -> None:
    """Puts each channel's part for this host into its folder. Raises ``JobError``."""
    for channel, place in channels.items():
        if (share := seen_by(channel, host.machine, cluster)) is None:
            continue
        if pipe := channel.deliver(s3, place, host.base / "input" / "data", *share):
            host.pipes.append(pipe)
