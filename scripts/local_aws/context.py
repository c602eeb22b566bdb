"""What every part of the local SageMaker needs: where it is, where things may lie, and how to say something at the terminal."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from scripts.local_aws.children import Launcher
from scripts.local_aws.logs import LogStream
from scripts.local_aws.records import Records

ACCOUNT = "123456789012"  # moto's
DUMMY_KEY = "local"
LOCAL_ROLE = f"arn:aws:iam::{ACCOUNT}:role/local"  # no role is checked


@dataclass
class Context:
    """``folder``: for the folders that stand for /opt/ml; removed at the end unless ``keep``. ``records_folder``: None forgets."""

    region: str
    folder: Path
    launcher: Launcher
    records_folder: Path | None = None
    keep: bool = False
    interrupt_spot_after: Sequence[float] = ()  # seconds of training until a spot job's first start is interrupted, its second, …
    url: str = ""  # known once the server has its port
    ending: threading.Event = field(default_factory=threading.Event)

    def client(self, service: str) -> Any:
        """Returns a client of this very server. One client may be used by all threads."""
        session = boto3.Session(aws_access_key_id=DUMMY_KEY, aws_secret_access_key=DUMMY_KEY, region_name=self.region)
        config = Config(s3={"addressing_style": "path"}, max_pool_connections=32)
        return session.client(service, endpoint_url=self.url, config=config)

    @cached_property
    def s3(self) -> Any:
        return self.client("s3")

    @cached_property
    def _logs(self) -> Any:
        return self.client("logs")

    def log(self, group: str, stream: str) -> LogStream:
        return LogStream(self._logs, f"/aws/sagemaker/{group}", stream)

    def records(self, kind: str, summaries: str) -> Records:
        path = self.records_folder / f"{kind}.json" if self.records_folder else None
        return Records(kind, self.region, ACCOUNT, summaries, path)

    def say(self, text: str) -> None:
        print(f"{time.strftime('%H:%M:%S')}  {text}", flush=True)
