"""What CreateTransformJob is asked for, as plain data, and what its answers say."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from scripts.command_line import CommandError

CONTENT_TYPES = {".json": "application/json", ".jsonl": "application/jsonlines", ".csv": "text/csv"}
GZIP = ".gz"
CSV = "text/csv"


@dataclass(frozen=True)
class TransformJob:
    """A transform job as a person describes it. ``model``: its name at SageMaker; ``source`` and ``output`` are S3 prefixes."""

    name: str
    model: str
    source: str
    output: str
    content_type: str
    packed: bool = False
    accept: str | None = None
    join: bool = False
    input_filter: str | None = None
    output_filter: str | None = None
    instance_type: str = "ml.m5.large"
    instance_count: int = 1
    max_payload_mb: int | None = None
    max_concurrent: int | None = None
    kms_key: str | None = None
    tags: Sequence[Mapping[str, str]] = field(default_factory=tuple)

    def request(self) -> dict[str, Any]:
        """Returns the request of boto3's ``create_transform_job``. A line is a record, and a line of the output is its answer."""
        key = {"KmsKeyId": self.kms_key} if self.kms_key else {}
        disk_key = {"VolumeKmsKeyId": self.kms_key} if self.kms_key else {}
        source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": self.source}}
        filters = {"InputFilter": self.input_filter, "OutputFilter": self.output_filter}
        processing = {name: value for name, value in filters.items() if value} | ({"JoinSource": "Input"} if self.join else {})
        limits = {"MaxPayloadInMB": self.max_payload_mb, "MaxConcurrentTransforms": self.max_concurrent}
        accept = self.accept or (CSV if self.content_type == CSV else CONTENT_TYPES[".jsonl"])
        return {
            "TransformJobName": self.name,
            "ModelName": self.model,
            "BatchStrategy": "SingleRecord",
            "TransformInput": {
                "DataSource": source,
                "ContentType": self.content_type,
                "SplitType": "Line",
                "CompressionType": "Gzip" if self.packed else "None",
            },
            "TransformOutput": {"S3OutputPath": self.output, "Accept": accept, "AssembleWith": "Line", **key},
            "TransformResources": {"InstanceType": self.instance_type, "InstanceCount": self.instance_count, **disk_key},
            **({"DataProcessing": processing} if processing else {}),
            **{name: value for name, value in limits.items() if value is not None},
            "Tags": list(self.tags),
        }


def content_type_of(paths: Iterable[PurePosixPath]) -> tuple[str, bool]:
    """Returns the one media type that the endings of all files say, and whether they are packed by gzip. Raises ``CommandError``."""
    found = set()
    for path in paths:
        packed = path.suffix == GZIP
        ending = PurePosixPath(path.stem).suffix if packed else path.suffix
        if ending not in CONTENT_TYPES:
            raise CommandError(f"{path}: the ending must be one of {', '.join(CONTENT_TYPES)}, with or without .gz; or give --content-type")
        found.add((CONTENT_TYPES[ending], packed))
    if len(found) != 1:
        raise CommandError("one job reads files of one kind: these have different endings; make a job of each kind")
    return found.pop()


@dataclass
class Tally:
    """How many lines were answered, and how many of these with an error; ``example`` is the first of those."""

    lines: int = 0
    errors: int = 0
    example: str = ""

    def count(self, path: Path, called: str) -> None:
        """Adds the lines of one file of answers, which is ``called`` so where it is told of."""
        before = self.lines
        with path.open("rb") as file:
            for line in file:
                self.lines += 1
                if b'"error"' in line or line.startswith(b"ERROR,"):
                    self._look_at(line, f"{called}, line {self.lines - before}")

    def _look_at(self, line: bytes, where: str) -> None:
        said = line.decode("utf-8", "replace").strip()
        if not said.startswith("ERROR,"):
            try:
                answer = json.loads(said)
            except ValueError:
                return
            answer = answer.get("SageMakerOutput", answer) if isinstance(answer, dict) else {}
            if not isinstance(answer, dict) or answer.get("status") != "error":
                return
        self.errors += 1
        self.example = self.example or f"{where}: {said[:300]}"
