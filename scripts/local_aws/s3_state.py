"""The buckets of moto, which live in memory, kept in a folder from one run to the next."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

INDEX = "index.json"
KEPT = ("ContentType", "ContentEncoding", "Metadata")


def save(s3: Any, folder: Path) -> int:
    """Writes every object of every bucket, and returns how many there are. What was saved before and is the same stays as it is."""
    count, used = 0, set()
    index: dict[str, dict[str, Any]] = {}
    for bucket in s3.list_buckets()["Buckets"]:
        objects: dict[str, Any] = {}
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket["Name"]):
            for one in page.get("Contents", []):
                answer = s3.get_object(Bucket=bucket["Name"], Key=one["Key"])
                name = _keep(folder, answer["Body"])
                used.add(name)
                objects[one["Key"]] = {"file": name, **{fact: answer[fact] for fact in KEPT if answer.get(fact)}}
                count += 1
        index[bucket["Name"]] = objects
    partial = folder / f"{INDEX}.partial"
    partial.write_text(json.dumps(index, indent=1), encoding="utf-8")
    partial.replace(folder / INDEX)
    for path in folder.iterdir():
        if path.name not in used | {INDEX}:
            path.unlink()
    return count


def load(s3: Any, folder: Path, region: str) -> None:
    """Makes the buckets and objects that were saved."""
    if not (folder / INDEX).exists():
        return
    place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    for bucket, objects in json.loads((folder / INDEX).read_text(encoding="utf-8")).items():
        s3.create_bucket(Bucket=bucket, **place)
        for key, facts in objects.items():
            with (folder / facts.pop("file")).open("rb") as content:
                s3.put_object(Bucket=bucket, Key=key, Body=content, **facts)


def _keep(folder: Path, body: Any) -> str:
    """Writes the bytes to a file that is called by their hash, and returns its name."""
    digest = hashlib.sha256()
    partial = folder / "writing.partial"
    with partial.open("wb") as file:
        for chunk in body.iter_chunks(1 << 20):
            digest.update(chunk)
            file.write(chunk)
    name = digest.hexdigest()
    partial.replace(folder / name)
    return name
