"""Brings channels from S3 to this machine as the platform does: all objects whose keys begin with a prefix, in their folders."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from boto3.s3.transfer import ProgressCallbackInvoker, TransferConfig, create_transfer_manager
from botocore.config import Config
from botocore.exceptions import ClientError
from tqdm import tqdm

from scripts import aws
from scripts.command_line import CommandError, size_text

SCHEME = "s3://"
BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
LONGEST_NAME = 255  # bytes of a file's name
AT_ONCE = 16  # requests under way, over all files
DENIED = ("AccessDenied", "403", "AllAccessDisabled", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken")


@dataclass(frozen=True)
class S3Object:
    """``path``: where the object goes below the folder of its place. ``size`` in bytes."""

    key: str
    path: PurePosixPath
    size: int


@dataclass(frozen=True)
class S3Place:
    """The objects of one ``s3://bucket/prefix``, found but not fetched."""

    url: str
    bucket: str
    objects: tuple[S3Object, ...]

    @property
    def size(self) -> int:
        return sum(one.size for one in self.objects)


def is_s3(place: str) -> bool:
    return place.startswith(SCHEME)


def connect(endpoint_url: str | None = None) -> Any:
    """Returns an S3 client. boto3 itself reads ``AWS_ENDPOINT_URL_S3`` and ``AWS_ENDPOINT_URL``, when ``endpoint_url`` is None."""
    other_server = endpoint_url or os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    # Servers other than Amazon's seldom know their buckets as host names.
    style = {"addressing_style": "path"} if other_server else {}
    return aws.client("s3", endpoint_url=endpoint_url, config=Config(s3=style, max_pool_connections=AT_ONCE))


def find(s3: Any, url: str) -> S3Place:
    """Returns what lies under ``s3://bucket/prefix``: any key that begins with the prefix, folders kept.

    Raises ``CommandError`` if there is no such bucket, no right to look, nothing there, or a key that is no path for a file.
    """
    bucket, _, prefix = url.removeprefix(SCHEME).partition("/")
    if not BUCKET.fullmatch(bucket):
        raise CommandError(f'{url}: "{bucket}" is no name of a bucket; write s3://bucket/prefix')
    objects = []
    with _sentences(url, bucket):
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            objects += [(one["Key"], one["Size"]) for one in page.get("Contents", []) if not one["Key"].endswith("/")]
    if not objects:
        raise CommandError(f"{url}: the bucket has no object whose key begins so")
    return S3Place(url, bucket, tuple(_placed(url, prefix, objects)))


def _placed(url: str, prefix: str, objects: Sequence[tuple[str, int]]) -> list[S3Object]:
    placed: dict[PurePosixPath, S3Object] = {}
    for key, size in objects:
        rest = key[len(prefix) :]
        if not rest.startswith("/") and prefix and not prefix.endswith("/"):  # the prefix ends within a name
            rest = key[prefix.rfind("/") + 1 :]
        path = PurePosixPath(*[part for part in rest.split("/") if part])
        too_long = any(len(part.encode()) > LONGEST_NAME for part in path.parts)
        if ".." in path.parts or "\0" in rest or too_long or not path.parts or path == PurePosixPath("."):
            raise CommandError(f"{url}: the key {key!r} is no path for a file; rename the object")
        if path in placed:
            raise CommandError(f"{url}: the keys {placed[path].key!r} and {key!r} are one path for a file; rename one of them")
        placed[path] = S3Object(key, path, size)
    if folders := {parent for path in placed for parent in path.parents} & placed.keys():
        raise CommandError(
            f"{url}: {placed[min(folders)].key!r} is an object and a folder of others; name one of them with a longer prefix"
        )
    return list(placed.values())


def download(s3: Any, places: Sequence[tuple[S3Place, Path]]) -> None:
    """Fetches each place into its folder, many objects at once, with a bar at a terminal.

    Raises ``CommandError`` if there is no room for all of it, an object can't be fetched, or it has another size than it was listed with.
    """
    if not places:
        return
    total = sum(place.size for place, _ in places)
    count = sum(len(place.objects) for place, _ in places)
    _check_room(total, places[0][1])
    print(f"downloading {count} object(s), {size_text(total)}", flush=True)
    bar = tqdm(total=total, unit="B", unit_scale=True, file=sys.stderr, disable=not sys.stderr.isatty(), leave=False)
    with bar, create_transfer_manager(s3, TransferConfig(max_concurrency=AT_ONCE)) as manager:
        under_way = []
        for place, folder in places:
            for one in place.objects:
                target = folder / one.path
                target.parent.mkdir(parents=True, exist_ok=True)
                progress = [ProgressCallbackInvoker(bar.update)]
                under_way.append((place, one, target, manager.download(place.bucket, one.key, str(target), subscribers=progress)))
        for place, one, target, future in under_way:
            with _sentences(f"{SCHEME}{place.bucket}/{one.key}", place.bucket):
                future.result()
            if target.stat().st_size != one.size:
                raise CommandError(f"{SCHEME}{place.bucket}/{one.key} changed while it was fetched; run the command again")


def _check_room(size: int, folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if size > free:
        raise CommandError(
            f"{size / 1e9:.1f} GB are to be fetched, but {folder} has room for {free / 1e9:.1f} GB; set TMPDIR to a larger disk"
        )


@contextlib.contextmanager
def _sentences(url: str, bucket: str) -> Iterator[None]:
    """Turns what S3 answers about a place into a sentence that names it."""
    with aws.readable_errors():
        try:
            yield
        except ClientError as error:
            code = aws.error_code(error)
            if code == "NoSuchBucket":
                raise CommandError(f"{url}: there is no bucket {bucket}") from None
            if code in DENIED:
                remedy = "use credentials that may s3:ListBucket and s3:GetObject here (AWS_PROFILE, or the AWS_* variables)"
                raise CommandError(f"{url}: access is denied ({code}); {remedy}") from None
            if code in ("NoSuchKey", "404"):
                raise CommandError(f"{url} was removed while it was to be fetched; run the command again") from None
            raise
