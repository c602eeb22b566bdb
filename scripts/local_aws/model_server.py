"""One running `serve`: from the model in S3 to an address that answers, started again when it ends by itself."""

from __future__ import annotations

import shutil
import socket
import threading
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scripts.command_line import CommandError
from scripts.local_aws import asking
from scripts.local_aws.asking import TIMEOUT_SECONDS, Answer
from scripts.local_aws.children import Child
from scripts.local_aws.context import Context
from scripts.local_aws.errors import JobError, invalid, not_here
from scripts.local_aws.logs import LogStream
from scripts.local_aws.storage import fetch, find_prefix, split_uri, under
from scripts.local_server import unpack

PING_SECONDS, PING_TIMEOUT = 0.1, 2.0
AGAIN_SECONDS = 1.0
DEFAULT_START_SECONDS = 240


class ModelServer:
    """``container``: the ContainerDefinition of a model. ``title`` names it in messages, as "production variant AllTraffic".

    ``port``: a free one that it is to listen at; None chooses one. ``memory_mb``: of a serverless endpoint.
    """

    def __init__(
        self,
        context: Context,
        container: Mapping[str, Any],
        base: Path,
        log: LogStream,
        title: str,
        variables: Mapping[str, str] | None = None,
        start_seconds: float = DEFAULT_START_SECONDS,
        port: int | None = None,
        memory_mb: int | None = None,
    ) -> None:
        self._context, self._container, self._base, self._log, self._title = context, container, base, log, title
        region = {"AWS_REGION": context.region, "AWS_DEFAULT_REGION": context.region}
        self._variables = {**region, **container.get("Environment", {}), **(variables or {})}
        self._start_seconds = start_seconds
        self._port = port or free_port()
        self._memory_mb = memory_mb
        self._child: Child | None = None
        self._stopping = threading.Event()
        self._settled = threading.Event()  # it is healthy, or never will be
        self._problem = ""
        self._thread = threading.Thread(target=self._run, name=title)

    @property
    def address(self) -> tuple[str, int]:
        return ("127.0.0.1", self._port)

    def start(self) -> None:
        self._thread.start()

    def wait(self) -> str:
        """Returns "" once it is healthy, or why it cannot be."""
        self._settled.wait()
        return self._problem

    def ask(self, body: bytes, headers: Mapping[str, str], seconds: float = TIMEOUT_SECONDS) -> Answer:
        return asking.ask(self.address, body, headers, seconds)

    def stop(self) -> None:
        """SIGTERM; SIGKILL follows 30 s later. Does not wait."""
        self._stopping.set()
        if self._child:
            self._child.stop()

    def kill(self) -> None:
        self._stopping.set()
        if self._child:
            self._child.kill()

    def join(self) -> None:
        if self._thread.is_alive():  # not so where it never was started
            self._thread.join()

    def _run(self) -> None:
        try:
            self._fetch_model()
            self._serve()
        except JobError as error:
            self._problem = str(error)
        except Exception as error:
            self._problem = f"InternalServerError: {type(error).__name__}: {error}"
            raise
        finally:
            self._settled.set()
            if not self._context.keep:
                shutil.rmtree(self._base, ignore_errors=True)

    def _serve(self) -> None:
        while not self._stopping.is_set():
            self._child = child = self._context.launcher.serve(self._base, self._port, self._variables, self._memory_mb)
            if self._stopping.is_set():  # asked while it was being made
                child.stop()
            reader = self._log.follow(child.output)
            if self._wait_until_healthy(child):
                self._settled.set()
            else:
                child.stop()
            code = child.wait()
            reader.join(5)
            if self._stopping.is_set():
                return
            if not self._settled.is_set():  # it never was healthy: the platform would go on trying, and not say why
                name = self._container.get("ContainerHostname", "primary")
                raise JobError(
                    f"The {name} container for {self._title} did not pass the ping health check. "
                    f"It ended with exit code {code}; the last line of its log: {self._log.last_line()}"
                )
            self._context.say(f"{self._title}: the server ended with exit code {code}, and is started again")
            self._stopping.wait(AGAIN_SECONDS)

    def _wait_until_healthy(self, child: Child) -> bool:
        host, port = self.address
        deadline = time.monotonic() + self._start_seconds
        while child.exit_code is None and not self._stopping.is_set() and time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"http://{host}:{port}/ping", timeout=PING_TIMEOUT):
                    return True
            except OSError:  # nobody listens yet, or 503: not yet
                time.sleep(PING_SECONDS)
        return False

    def _fetch_model(self) -> None:
        shutil.rmtree(self._base, ignore_errors=True)  # kept of an earlier run, maybe
        (self._base / "model").mkdir(parents=True)
        source = source_of(self._container)
        if source is None:
            return
        if source["packed"]:
            fetch_packed(self._context.s3, source["uri"], self._base / "model")
        else:
            fetch(self._context.s3, find_prefix(self._context.s3, source["uri"]), self._base / "model")


def fetch_packed(s3: Any, uri: str, folder: Path) -> None:
    """Unpacks a ``model.tar.gz`` of S3 into a folder that is there. Raises ``JobError``."""
    archive = folder.with_name(f"{folder.name}.tar.gz")
    bucket, key = split_uri(uri)
    place = find_prefix(s3, uri)
    if key not in [one.key for one in place.objects]:
        raise JobError(f'Could not find model data at "{uri}". Please ensure that the object exists.')
    s3.download_file(bucket, key, str(archive))
    try:
        unpack(archive, folder)
    except CommandError as error:
        raise JobError(f"Failed to extract model data archive {uri}: {error}") from None
    archive.unlink()


def source_of(container: Mapping[str, Any]) -> dict[str, Any] | None:
    """Returns where the model lies and whether it is packed, or None for a container without one (or with many). Raises ``ApiError``."""
    if container.get("Mode") == "MultiModel":
        return None
    if "ModelDataUrl" in container and "ModelDataSource" in container:
        raise invalid("Give ModelDataUrl or ModelDataSource, not both.")
    if "ModelDataUrl" in container:
        if not container["ModelDataUrl"].endswith(".tar.gz"):
            raise invalid("ModelDataUrl must end with .tar.gz.")
        return {"uri": container["ModelDataUrl"], "packed": True}
    if "ModelDataSource" not in container:
        return None
    source = container["ModelDataSource"].get("S3DataSource")
    if not source:
        raise not_here("a ModelDataSource that is not in S3")
    packed, whole = source["CompressionType"] == "Gzip", source["S3DataType"] == "S3Object"
    if packed != whole:
        raise not_here("a packed S3Prefix, or a plain S3Object, as ModelDataSource", "It takes S3Object with Gzip, or S3Prefix with None.")
    return {"uri": source["S3Uri"] if packed else under(source["S3Uri"], ""), "packed": packed}


def free_port() -> int:
    """Returns a port of loopback that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
