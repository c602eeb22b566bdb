"""Between moto's S3 and folders: what a platform's agent does before, during and after a job."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError

from scripts.command_line import CommandError
from scripts.local_aws.errors import JobError
from scripts.pack import pack
from scripts.s3_channels import S3Object, S3Place, find

AT_ONCE = 8


def split_uri(uri: str) -> tuple[str, str]:
    """Returns bucket and key."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


def under(uri: str, *parts: str) -> str:
    return "/".join([uri.rstrip("/"), *parts])


def find_prefix(s3: Any, uri: str) -> S3Place:
    """Returns the objects whose keys begin so. Raises ``JobError`` if there are none."""
    try:
        return find(s3, uri)
    except CommandError as error:
        raise JobError(f"ClientError: Data download failed: {error}") from None


def find_manifest(s3: Any, uri: str) -> S3Place:
    """Returns the objects that a manifest lists: ``[{"prefix": "s3://bucket/folder/"}, "a.csv", "b/c.csv"]``. Raises ``JobError``."""
    wrong = f'ClientError: Data download failed: {uri} is no manifest like [{{"prefix": "s3://bucket/folder/"}}, "a.csv", …]'
    try:
        prefix, *names = json.loads(read(s3, uri))
        bucket, start = split_uri(prefix["prefix"])
        listed = [PurePosixPath(name) for name in names]
    except (ValueError, TypeError, KeyError):
        raise JobError(wrong) from None
    if not listed or any(path.is_absolute() or ".." in path.parts for path in listed):
        raise JobError(wrong)
    objects = [S3Object(f"{start}{name}", path, _size(s3, bucket, f"{start}{name}")) for name, path in zip(names, listed, strict=True)]
    return S3Place(uri, bucket, tuple(objects))


def _size(s3: Any, bucket: str, key: str) -> int:
    try:
        return int(s3.head_object(Bucket=bucket, Key=key)["ContentLength"])
    except ClientError as error:
        raise JobError(f"ClientError: Data download failed: s3://{bucket}/{key}: {error.response['Error']['Code']}") from None


def part_for(place: S3Place, host: int, hosts: int) -> S3Place:
    """Returns every ``hosts``-th object: what one host gets of a channel that is spread over all of them, maybe nothing."""
    return replace(place, objects=place.objects[host::hosts])


def fetch(s3: Any, place: S3Place, folder: Path) -> None:
    """Writes each object to its path below ``folder``."""

    def one(found: S3Object) -> None:
        target = folder / found.path
        target.parent.mkdir(parents=True, exist_ok=True)
        s3.download_file(place.bucket, found.key, str(target))

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(one, place.objects))


def read(s3: Any, uri: str) -> bytes:
    """Returns one object. Raises ``JobError`` if it cannot be read."""
    bucket, key = split_uri(uri)
    try:
        return bytes(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    except (ClientError, BotoCoreError) as error:
        raise JobError(f"ClientError: Data download failed: {uri} cannot be read: {error}") from None


def write(s3: Any, uri: str, body: bytes, content_type: str = "") -> None:
    """Raises ``JobError`` if it cannot be written."""
    bucket, key = split_uri(uri)
    try:
        s3.put_object(Bucket=bucket, Key=key, Body=body, **({"ContentType": content_type} if content_type else {}))
    except (ClientError, BotoCoreError) as error:
        raise JobError(f"ClientError: {uri} cannot be written: {error}") from None


def upload(s3: Any, folders: Sequence[Path], uri: str, compressed: bool) -> str | None:
    """Puts the files of all folders, a later one's over an earlier one's, to ``uri``.tar.gz, or one by one below ``uri``/.

    Returns where they are, or None if there is no file. Raises ``JobError`` if they cannot be written.
    """
    files = {path.relative_to(folder): path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()}
    if not files:
        return None
    bucket, key = split_uri(uri)
    try:
        if not compressed:
            for name, path in files.items():
                s3.upload_file(str(path), bucket, f"{key}/{name.as_posix()}")
            return f"{uri}/"
        with tempfile.TemporaryDirectory(prefix="lsm-") as holder:
            merged = Path(holder, "merged")
            for name, path in files.items():
                (merged / name).parent.mkdir(parents=True, exist_ok=True)
                (merged / name).symlink_to(path.resolve())
            pack(merged, Path(holder, "packed.tar.gz"))
            s3.upload_file(str(Path(holder, "packed.tar.gz")), bucket, f"{key}.tar.gz")
            return f"{uri}.tar.gz"
    except (ClientError, BotoCoreError, Boto3Error) as error:
        raise JobError(f"ClientError: the output cannot be written to {uri}: {error}") from None
