"""A local SageMaker in the test's own process, with a container whose commands are small scripts, and boto3's real clients."""

from __future__ import annotations

import io
import json
import tarfile
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from scripts.local_aws.children import Processes
from scripts.local_aws.context import Context
from scripts.local_aws.platform_server import platform_server

COMMANDS = Path(__file__).resolve().parent / "other_container"
ROLE = "arn:aws:iam::123456789012:role/anyone"


@dataclass
class Clients:
    """Unchanged boto3 clients; only the address is another."""

    url: str
    region: str = "us-east-1"
    _made: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        if service not in self._made:
            keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
            config = Config(retries={"max_attempts": 0}, parameter_validation=True)
            self._made[service] = boto3.client(service, endpoint_url=self.url, region_name=self.region, config=config, **keys)
        return self._made[service]

    @property
    def s3(self) -> Any:
        return self.client("s3")

    @property
    def sagemaker(self) -> Any:
        return self.client("sagemaker")

    @property
    def runtime(self) -> Any:
        return self.client("sagemaker-runtime")

    def close(self) -> None:
        for client in self._made.values():
            client.close()

    def put(self, **objects: bytes | str) -> None:
        for key, body in objects.items():
            self.s3.put_object(Bucket="local", Key=key, Body=body)

    def get(self, uri: str) -> bytes:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        return bytes(self.s3.get_object(Bucket=bucket, Key=key)["Body"].read())

    def keys(self, prefix: str) -> list[str]:
        return [one["Key"] for one in self.s3.list_objects_v2(Bucket="local", Prefix=prefix).get("Contents", [])]

    def unpacked(self, uri: str) -> dict[str, bytes]:
        """Returns the files of an archive."""
        with tarfile.open(fileobj=io.BytesIO(self.get(uri)), mode="r:gz") as archive:
            return {member.name: content.read() for member in archive if (content := archive.extractfile(member))}

    def train(self, name: str, act: str = "report", channels: list[dict[str, Any]] | None = None, **more: Any) -> None:
        """Starts a job of the other container."""
        request = {
            "TrainingJobName": name,
            "RoleArn": ROLE,
            "AlgorithmSpecification": {"TrainingImage": "any", "TrainingInputMode": "File"},
            "HyperParameters": {"act": act},
            "OutputDataConfig": {"S3OutputPath": "s3://local/out"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
            "StoppingCondition": {"MaxRuntimeInSeconds": 600},
            **({"InputDataConfig": channels} if channels else {}),
        }
        self.sagemaker.create_training_job(**{**request, **more})

    def trained(self, name: str, seconds: float = 60) -> dict[str, Any]:
        """Waits for the end of a job, and returns its description."""
        return until(
            lambda: self.sagemaker.describe_training_job(TrainingJobName=name),
            lambda job: job["TrainingJobStatus"] not in ("InProgress", "Stopping"),
            seconds,
        )

    def seen(self, job: dict[str, Any], host: int = 0) -> dict[str, Any]:
        """Returns what the other container was given."""
        return dict(json.loads(self.unpacked(job["ModelArtifacts"]["S3ModelArtifacts"])[f"seen-{host}.json"]))

    def log(self, group: str, prefix: str) -> str:
        logs = self.client("logs")
        if not logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
            return ""
        streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=prefix)["logStreams"]
        events = [
            event
            for stream in streams
            for event in logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True)["events"]
        ]
        return "\n".join(event["message"] for event in events)


def until(ask: Callable[[], Any], done: Callable[[Any], bool], seconds: float = 60) -> Any:
    """Asks again and again, and returns the first answer that will do."""
    deadline = time.monotonic() + seconds
    while not done(answer := ask()):
        assert time.monotonic() < deadline, f"after {seconds} s it still is {answer}"
        time.sleep(0.05)
    return answer


def channel(name: str, uri: str, mode: str = "File", distribution: str = "FullyReplicated", **more: Any) -> dict[str, Any]:
    kind = more.pop("S3DataType", "S3Prefix")
    source = {"S3DataType": kind, "S3Uri": uri, "S3DataDistributionType": distribution}
    return {"ChannelName": name, "InputMode": mode, "DataSource": {"S3DataSource": source}, **more}


@contextmanager
def local_platform(commands: Path = COMMANDS, keep: bool = False, interrupt_spot_after: Sequence[float] = ()) -> Iterator[Clients]:
    """Runs one, with an empty bucket "local"."""
    with tempfile.TemporaryDirectory(prefix="lsm-t-", dir="/tmp") as folder:
        context = Context("us-east-1", Path(folder), Processes(commands), keep=keep, interrupt_spot_after=interrupt_spot_after)
        with platform_server(context, 0):
            urllib.request.urlopen(f"{context.url}/moto-api/reset", data=b"").close()  # moto's state belongs to the process
            clients = Clients(context.url)
            clients.s3.create_bucket(Bucket="local")
            yield clients
            clients.close()
