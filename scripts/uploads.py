"""Local files to S3, under the prefix that a channel of a training job reads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.command_line import CommandError, size_text


@dataclass(frozen=True)
class Upload:
    """Local files and the keys that they get in the bucket."""

    bucket: str
    files: tuple[tuple[Path, str], ...]

    def __str__(self) -> str:
        size = sum(path.stat().st_size for path, _ in self.files)
        return f"{len(self.files)} file(s), {size_text(size)}, to s3://{self.bucket}/{self.files[0][1]}" + (" …" if self.files[1:] else "")


def plan_upload(source: Path, bucket: str, prefix: str) -> Upload:
    """Returns what is to be uploaded for a file or folder, nested folders kept, hidden files left out.

    Raises ``CommandError`` if there is nothing.
    """
    if source.is_file():
        return Upload(bucket, ((source, f"{prefix}/{source.name}"),))
    inside = sorted(path for path in source.rglob("*") if path.is_file())
    visible = [path for path in inside if not any(part.startswith(".") for part in path.relative_to(source).parts)]
    if not visible:
        raise CommandError(f"{source} has no files to upload")
    return Upload(bucket, tuple((path, f"{prefix}/{path.relative_to(source).as_posix()}") for path in visible))


def upload(s3: Any, plan: Upload) -> None:
    print(f"uploading {plan}", flush=True)
    for path, key in plan.files:
        s3.upload_file(str(path), plan.bucket, key)
