"""One batch transform job: a server of its own, and every object below a prefix sent through it."""

from __future__ import annotations

import gzip
import http.client
import json
import threading
import time
import traceback
import zlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import PurePosixPath
from typing import Any

from scripts.local_aws.context import Context
from scripts.local_aws.errors import JobError
from scripts.local_aws.records import Records
from scripts.local_aws.servings import serving_of
from scripts.local_aws.storage import find_manifest, find_prefix, read, under, write
from scripts.local_aws.transform_records import MEGABYTE, Processing, Splitting, assemble, body_of

DEFAULTS = {"MaxConcurrentTransforms": 1, "BatchStrategy": "MULTI_RECORD", "MaxPayloadInMB": 6}
STRATEGIES = {"MultiRecord": "MULTI_RECORD", "SingleRecord": "SINGLE_RECORD"}
DEFAULT_TIMEOUT_SECONDS, DEFAULT_RETRIES = 600, 3
PING_TIMEOUT = 2.0
MOST_REASON = 1024  # characters of FailureReason


class StopRequestedError(Exception):
    """StopTransformJob was called."""


class TransformRun:
    """``request``: what CreateTransformJob was asked, checked; ``model``: what CreateModel was asked for its model."""

    def __init__(
        self, context: Context, records: Records, request: Mapping[str, Any], model: Mapping[str, Any], processing: Processing
    ) -> None:
        self._context, self._records, self._request, self._processing = context, records, request, processing
        self.name: str = request["TransformJobName"]
        self._stop = threading.Event()
        log = context.log("TransformJobs", f"{self.name}/i-local-{int(time.time())}")
        base = context.folder / "transform" / self.name
        self._server = serving_of(context, model, base, log, f"transform job {self.name}", self._variables())
        self._thread = threading.Thread(target=self._run, name=f"transform {self.name}")

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()

    def kill(self) -> None:
        self._stop.set()
        self._server.kill()

    def join(self) -> None:
        if self._thread.is_alive():
            self._thread.join()

    def _variables(self) -> dict[str, str]:
        asked, given = self._request, {"SAGEMAKER_BATCH": "true"}
        if "MaxPayloadInMB" in asked:
            given["SAGEMAKER_MAX_PAYLOAD_IN_MB"] = str(asked["MaxPayloadInMB"])
        if "BatchStrategy" in asked:
            given["SAGEMAKER_BATCH_STRATEGY"] = STRATEGIES[asked["BatchStrategy"]]
        if "MaxConcurrentTransforms" in asked:
            given["SAGEMAKER_MAX_CONCURRENT_TRANSFORMS"] = str(asked["MaxConcurrentTransforms"])
        return {**asked.get("Environment", {}), **given}

    def _run(self) -> None:
        self._context.say(f"transform job {self.name}: InProgress")
        status, reason = "Completed", None
        try:
            self._transform()
        except StopRequestedError:
            status = "Stopped"
        except JobError as error:
            status, reason = "Failed", str(error)[:MOST_REASON]
        except Exception as error:
            traceback.print_exc()
            status, reason = "Failed", f"InternalServerError: {type(error).__name__}: {error}"[:MOST_REASON]
        finally:
            self._server.stop()
            self._server.join()  # now its log is complete, too
        self._records.change(self.name, TransformJobStatus=status, TransformEndTime=time.time(), FailureReason=reason)
        self._context.say(f"transform job {self.name}: {status}" + (f": {reason}" if reason else ""))

    def _transform(self) -> None:
        source = self._request["TransformInput"]["DataSource"]["S3DataSource"]
        find = find_manifest if source["S3DataType"] == "ManifestFile" else find_prefix
        place = find(self._context.s3, source["S3Uri"])
        self._server.start()
        if problem := self._server.wait():
            raise JobError(problem)
        self._records.change(self.name, TransformStartTime=time.time())
        settings = self._settings()
        failed = [reason for one in place.objects if (reason := self._object(place.bucket, one.key, one.path, settings))]
        if failed:
            raise JobError("; ".join(failed))

    def _settings(self) -> dict[str, Any]:
        """What the request says goes before what the container says, and that before the defaults."""
        connection = http.client.HTTPConnection(*self._server.address, timeout=PING_TIMEOUT)
        try:
            connection.request("GET", "/execution-parameters")
            answer = connection.getresponse()
            body = answer.read()
            said = json.loads(body) if answer.status == 200 else {}
        except (OSError, http.client.HTTPException, ValueError):
            said = {}
        finally:
            connection.close()
        asked = {name: self._request[name] for name in DEFAULTS if name in self._request}
        if "BatchStrategy" in asked:
            asked["BatchStrategy"] = STRATEGIES[asked["BatchStrategy"]]
        settings = {**DEFAULTS, **{name: value for name, value in said.items() if name in DEFAULTS}, **asked}
        told = {name: settings[name] for name in ("MaxConcurrentTransforms", "MaxPayloadInMB")}
        strategy = {value: name for name, value in STRATEGIES.items()}.get(settings["BatchStrategy"])
        self._records.change(self.name, **told, BatchStrategy=strategy)
        return settings

    def _object(self, bucket: str, key: str, path: PurePosixPath, settings: Mapping[str, Any]) -> str:
        """Sends one object and writes ``<its path>.out``. Returns why it could not, or ""; the other objects go on."""
        source, target = self._request["TransformInput"], self._request["TransformOutput"]
        by_line = source.get("SplitType", "None") == "Line"
        limit = settings["MaxPayloadInMB"] * MEGABYTE or None
        splitting = Splitting(by_line, settings["BatchStrategy"] == "MULTI_RECORD", limit)
        uri = f"s3://{bucket}/{key}"
        try:
            content = read(self._context.s3, uri)
            if source.get("CompressionType") == "Gzip":
                content = _unpacked(content, uri)
            with ThreadPoolExecutor(settings["MaxConcurrentTransforms"], thread_name_prefix="transform") as pool:
                answers = list(pool.map(lambda records: self._ask(records, by_line, uri), splitting.bodies(content)))
            output = assemble(answers, target.get("AssembleWith", "None") == "Line")
            write(self._context.s3, under(target["S3OutputPath"], f"{path}.out"), output, target.get("Accept", ""))
        except JobError as error:
            return f"{uri}: {error}"
        return ""

    def _ask(self, records: list[bytes], by_line: bool, uri: str) -> bytes:
        source, target, client = (self._request.get(part, {}) for part in ("TransformInput", "TransformOutput", "ModelClientConfig"))
        named = {"Content-Type": source.get("ContentType"), "Accept": target.get("Accept")}
        headers = {name: value for name, value in named.items() if value}
        body = body_of(self._processing.sent(records), by_line)
        seconds = client.get("InvocationsTimeoutInSeconds", DEFAULT_TIMEOUT_SECONDS)
        for again in range(client.get("InvocationsMaxRetries", DEFAULT_RETRIES), -1, -1):
            if self._stop.is_set():
                raise StopRequestedError
            answer = self._server.ask(body, headers, seconds)
            if answer.good:
                return self._processing.received(records, answer.body)
            if again and (answer.status == 0 or answer.status >= 500):
                self._stop.wait(0.2)
                continue
            break
        said = answer.body.decode("utf-8", "replace")
        raise JobError(f"ClientError: the container answered {answer.status} to a part of {uri}: {said}")


def _unpacked(content: bytes, uri: str) -> bytes:
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise JobError(f"ClientError: {uri} is not gzip: {error}") from None
