"""What CreateTrainingJob is asked for, as plain data: built and checked here without talking to AWS."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from scripts.aws_options import NAME, ROLE, ROLE_FORM, S3_ADDRESS, S3_FORM
from training.channels import ARCHIVES, MODEL
from training.config import ConfigError, TrainingConfig
from training.evaluation.text import metric_definitions

CHANNELS = ("interactions", "items", "users", "test", MODEL)


@dataclass(frozen=True)
class TrainingJob:
    """A training job as a person describes it. ``channels`` are S3 addresses; times are in seconds, the disk in GB.

    ``vpc``: ``{"VpcConfig": …}`` or nothing; ``tags`` in the form of the API; ``kms_key`` is for the disks and the model.
    """

    name: str
    image: str
    role: str
    output: str
    channels: Mapping[str, str]
    hyperparameters: Mapping[str, str] = field(default_factory=dict)
    instance_type: str = "ml.m5.xlarge"
    instance_count: int = 1
    volume_gb: int = 30
    max_runtime: int = 3600
    spot: bool = False
    max_wait: int | None = None
    checkpoints: str | None = None
    input_mode: str = "File"
    sharded: Collection[str] = ()
    network_isolation: bool = False
    vpc: Mapping[str, Any] = field(default_factory=dict)
    kms_key: str | None = None
    tags: Sequence[Mapping[str, str]] = ()

    def mistakes(self) -> list[str]:
        """Returns everything that AWS, or the container a few minutes later, would refuse; a sentence each."""
        found = list(hyperparameter_mistakes(self.hyperparameters))
        if not {"interactions", "items"} & self.channels.keys():
            found.append("there is nothing to train on: give --interactions, --items, or both")
        places = {**self.channels, "output": self.output} | ({"checkpoints": self.checkpoints} if self.checkpoints else {})
        for name, address in places.items():
            if not S3_ADDRESS.fullmatch(address):
                found.append(f"--{name} {address}: {S3_FORM}")
        if not NAME.fullmatch(self.name):
            found.append(f"--name {self.name}: letters, digits and single hyphens inside, at most 63")
        if not ROLE.fullmatch(self.role):
            found.append(f"--role {self.role}: {ROLE_FORM}")
        if self.max_wait is not None and not self.spot:
            found.append("--max-wait is for --spot only")
        if self.max_wait is not None and self.max_wait < self.max_runtime:
            found.append(f"--max-wait {self.max_wait} is below --max-runtime {self.max_runtime}: it counts the run too")
        for name in self.sharded:
            if name not in self.channels:
                found.append(f"--shard {name}: there is no such channel; give --{name}")
            elif self.input_mode == "Pipe" and self.instance_count > 1:
                found.append(f"--shard {name}: pipes are read by one host; use --input-mode File or FastFile")
        for option in ("instance_count", "volume_gb", "max_runtime"):
            if getattr(self, option) < 1:
                found.append(f"--{option.replace('_', '-')} {getattr(self, option)}: at least 1")
        return found

    def request(self) -> dict[str, Any]:
        """Returns the request of boto3's ``create_training_job``. Raises ``ConfigError`` for hyperparameters that are wrong."""
        config = TrainingConfig.from_hyperparameters(self.hyperparameters)
        stopping = {"MaxRuntimeInSeconds": self.max_runtime}
        if self.spot:
            stopping["MaxWaitTimeInSeconds"] = self.max_wait or 2 * self.max_runtime
        key = {"KmsKeyId": self.kms_key} if self.kms_key else {}
        disk_key = {"VolumeKmsKeyId": self.kms_key} if self.kms_key else {}
        return {
            "TrainingJobName": self.name,
            "RoleArn": self.role,
            "AlgorithmSpecification": {
                "TrainingImage": self.image,
                "TrainingInputMode": self.input_mode,
                "MetricDefinitions": metric_definitions(config),
            },
            "HyperParameters": dict(self.hyperparameters),
            "InputDataConfig": [self._channel(name) for name in CHANNELS if name in self.channels],
            "OutputDataConfig": {"S3OutputPath": self.output, **key},
            "ResourceConfig": {
                "InstanceType": self.instance_type,
                "InstanceCount": self.instance_count,
                "VolumeSizeInGB": self.volume_gb,
                **disk_key,
            },
            "StoppingCondition": stopping,
            "EnableManagedSpotTraining": self.spot,
            "EnableNetworkIsolation": self.network_isolation,
            **({"CheckpointConfig": {"S3Uri": self.checkpoints}} if self.checkpoints else {}),
            **self.vpc,
            "Tags": list(self.tags),
        }

    def _channel(self, name: str) -> dict[str, Any]:
        distribution = "ShardedByS3Key" if name in self.sharded else "FullyReplicated"
        source = {"S3DataType": "S3Prefix", "S3Uri": self.channels[name], "S3DataDistributionType": distribution}
        channel = {"ChannelName": name, "DataSource": {"S3DataSource": source}, "InputMode": self.input_mode}
        return channel if name != MODEL else {**channel, "InputMode": "File", "ContentType": ARCHIVES[0]}  # a model is no stream


def hyperparameter_mistakes(hyperparameters: Mapping[str, str]) -> tuple[str, ...]:
    """Returns what the container would say about these hyperparameters, before a machine is paid for."""
    try:
        TrainingConfig.from_hyperparameters(hyperparameters)
    except ConfigError as error:
        return tuple(f"-p {mistake}" for mistake in error.mistakes)
    return ()
