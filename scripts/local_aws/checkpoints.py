"""Checkpoints: those in S3 are there before the job starts; from then on what changes in the folder is copied to S3, deletions too."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from scripts.local_aws.errors import JobError
from scripts.local_aws.storage import fetch, find_prefix, split_uri, under

SECONDS = 1.0


class Checkpoints:
    """One host's folder and the prefix that all hosts share: those who write the same name overwrite each other, as on the platform."""

    def __init__(self, s3: Any, folder: Path, uri: str) -> None:
        self._s3, self._folder, self._uri = s3, folder, uri
        self._known: dict[str, tuple[int, int]] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True, name="checkpoints")

    def restore(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            fetch(self._s3, find_prefix(self._s3, f"{self._uri.rstrip('/')}/"), self._folder)
        except JobError:
            pass  # nothing there: the first start
        except ClientError as error:
            raise JobError(f"ClientError: the checkpoints of {self._uri} cannot be read: {error}") from None
        self._known = self._present()

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        """Copies what has changed since the last time, and stops watching. Raises ``JobError`` if S3 refuses."""
        self._ended.set()
        self._thread.join()
        try:
            self._copy()
        except (ClientError, BotoCoreError) as error:
            raise JobError(f"ClientError: the checkpoints cannot be written to {self._uri}: {error}") from None

    def _watch(self) -> None:
        while not self._ended.wait(SECONDS):
            try:
                self._copy()
            except (ClientError, BotoCoreError) as error:
                print(f"local_sagemaker: the checkpoints cannot be written to {self._uri}: {error}", flush=True)

    def _present(self) -> dict[str, tuple[int, int]]:
        found = {}
        for path in self._folder.rglob("*"):
            try:
                if path.is_file():
                    found[path.relative_to(self._folder).as_posix()] = (path.stat().st_size, path.stat().st_mtime_ns)
            except FileNotFoundError:  # renamed meanwhile
                continue
        return found

    def _copy(self) -> None:
        present = self._present()
        for name, state in present.items():
            if self._known.get(name) != state:
                bucket, key = split_uri(under(self._uri, name))
                try:
                    self._s3.upload_file(str(self._folder / name), bucket, key)
                    self._known[name] = state
                except FileNotFoundError:  # removed meanwhile
                    continue
        for name in self._known.keys() - present.keys():
            bucket, key = split_uri(under(self._uri, name))
            self._s3.delete_object(Bucket=bucket, Key=key)
            del self._known[name]
