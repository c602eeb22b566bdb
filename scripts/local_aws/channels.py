"""The input of a training job, from the request to folders and pipes of one host."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.local_aws.errors import JobError, invalid, not_here
from scripts.local_aws.fifos import Pipe
from scripts.local_aws.storage import fetch, find_manifest, find_prefix, part_for
from scripts.s3_channels import S3Place


@dataclass(frozen=True)
class Channel:
    """One entry of ``InputDataConfig``, defaults filled in."""

    name: str
    mode: str
    uri: str
    manifest: bool
    sharded: bool
    content_type: str | None
    record_io: bool
    gzip: bool
    seed: int | None
    groups: tuple[str, ...]

    @classmethod
    def of(cls, entry: Mapping[str, Any], mode_of_job: str) -> Channel:
        """Raises ``ApiError`` for what SageMaker refuses, and what is not done here."""
        name, source = entry["ChannelName"], entry["DataSource"].get("S3DataSource")
        mode = entry.get("InputMode", mode_of_job)
        if source is None:
            raise not_here(f"channels that do not come from S3 ({name})")
        kind = source["S3DataType"]
        if kind not in ("S3Prefix", "ManifestFile"):
            raise not_here(f"S3DataType {kind} ({name})", "It takes S3Prefix and ManifestFile.")
        if kind == "ManifestFile" and mode == "FastFile":
            raise invalid(f"FastFile mode takes S3Prefix only: the channel {name} has a ManifestFile.")
        record_io, gzip = entry.get("RecordWrapperType") == "RecordIO", entry.get("CompressionType") == "Gzip"
        if (record_io or gzip) and mode != "Pipe":
            raise invalid(f"RecordWrapperType and CompressionType are for Pipe mode: the channel {name} is in {mode} mode.")
        return cls(
            name=name,
            mode=mode,
            uri=source["S3Uri"],
            manifest=kind == "ManifestFile",
            sharded=source.get("S3DataDistributionType") == "ShardedByS3Key",
            content_type=entry.get("ContentType"),
            record_io=record_io,
            gzip=gzip,
            seed=entry["ShuffleConfig"]["Seed"] if "ShuffleConfig" in entry else None,
            groups=tuple(source.get("InstanceGroupNames", ())),
        )

    def description(self) -> dict[str, str]:
        """Returns what ``inputdataconfig.json`` says of it."""
        return {
            **({"ContentType": self.content_type} if self.content_type else {}),
            "TrainingInputMode": self.mode,
            "S3DistributionType": "ShardedByS3Key" if self.sharded else "FullyReplicated",
            "RecordWrapperType": "RecordIO" if self.record_io else "None",
        }

    def find(self, s3: Any) -> S3Place:
        """Returns its objects, in the order in which they are delivered. Raises ``JobError`` if there are none."""
        place = find_manifest(s3, self.uri) if self.manifest else find_prefix(s3, self.uri)
        if self.seed is None or self.mode == "Pipe":  # a pipe's are shuffled anew each epoch
            return place
        return S3Place(place.url, place.bucket, tuple(random.Random(self.seed).sample(place.objects, len(place.objects))))

    def deliver(self, s3: Any, place: S3Place, data: Path, host: int, hosts: int) -> Pipe | None:
        """Puts one host's part below ``data``. Returns the pipe, to be started with the job, if it is one."""
        if self.sharded:
            place = part_for(place, host, hosts)
        if self.mode == "Pipe":
            return Pipe(s3, place, data / self.name, self.gzip, self.record_io, self.seed)
        folder = data / self.name
        folder.mkdir(parents=True, exist_ok=True)
        try:
            fetch(s3, place, folder)
        except OSError as error:
            raise JobError(f"ClientError: Data download failed: {error}") from None
        if self.mode == "FastFile":
            for path in [*folder.rglob("*"), folder]:
                path.chmod(0o555 if path.is_dir() else 0o444)
        return None
