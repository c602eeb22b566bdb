"""Data capture: what is asked and answered, in JSON Lines to S3, as Model Monitor reads it."""

from __future__ import annotations

import base64
import json
import random
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from scripts.local_aws.asking import CUSTOM_ATTRIBUTES, INFERENCE_ID, Answer
from scripts.local_aws.context import Context
from scripts.local_aws.errors import JobError
from scripts.local_aws.storage import under, write

FLUSH_SECONDS = 60.0
MOST_BYTES = 8 << 20  # that wait to be written; then they are, whatever the time
DEFAULT_TYPE = "application/octet-stream"
MODES = {"Input": {"Input"}, "Output": {"Output"}, "InputAndOutput": {"Input", "Output"}}
SHADOW = {"invocationSource": "ShadowExperiment"}


class DataCapture:
    """``config``: the DataCaptureConfig. Files are called ``endpoint/variant/yyyy/mm/dd/hh/mm-ss-mmm-UUID.jsonl``, by UTC."""

    def __init__(self, context: Context, endpoint: str, config: Mapping[str, Any], flush_seconds: float = FLUSH_SECONDS) -> None:
        self._context, self._config, self._endpoint = context, config, endpoint
        types = config.get("CaptureContentTypeHeader", {})
        self._csv, self._json = _lower(types.get("CsvContentTypes")), _lower(types.get("JsonContentTypes"))
        self._modes = set().union(*(MODES[option["CaptureMode"]] for option in config["CaptureOptions"]))
        self._waiting: dict[str, list[str]] = defaultdict(list)  # by folder: variant and hour
        self._size = 0
        self._lock, self._writing = threading.Lock(), threading.Lock()
        self._full, self._ended = threading.Event(), False
        self._seconds = flush_seconds
        threading.Thread(target=self._run, daemon=True, name=f"data capture of {endpoint}").start()

    def summary(self) -> dict[str, Any]:
        """Returns the DataCaptureConfigSummary of DescribeEndpoint."""
        return {
            "EnableCapture": True,
            "CaptureStatus": "Started",
            "CurrentSamplingPercentage": self._config["InitialSamplingPercentage"],
            "DestinationS3Uri": self._config["DestinationS3Uri"],
            "KmsKeyId": self._config.get("KmsKeyId", ""),
        }

    def chosen(self) -> bool:
        """Draws whether a request is one of the sampled ones."""
        return 100 * random.random() < self._config["InitialSamplingPercentage"]

    def keep(self, variant: str, body: bytes, headers: Mapping[str, str], answer: Answer, shadow: bool = False) -> None:
        """Keeps a request and its answer, to be written soon. Only what was answered with a 2xx is captured."""
        if not answer.good:
            return
        now = time.time()
        data = {}
        if "Input" in self._modes:
            data["endpointInput"] = self._part("INPUT", headers.get("Content-Type", DEFAULT_TYPE), body)
        if "Output" in self._modes:
            data["endpointOutput"] = self._part("OUTPUT", answer.headers.get("Content-Type", DEFAULT_TYPE), answer.body)
        metadata: dict[str, Any] = {"eventId": str(uuid.uuid4()), **(SHADOW if shadow else {})}
        if attributes := headers.get(CUSTOM_ATTRIBUTES):
            metadata["customAttributes"] = [attributes]
        if inference_id := headers.get(INFERENCE_ID):
            metadata["inferenceId"] = inference_id
        metadata["inferenceTime"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))
        line = json.dumps({"captureData": data, "eventMetadata": metadata, "eventVersion": "0"}, separators=(",", ":"))
        with self._lock:
            self._waiting[f"{self._endpoint}/{variant}/{time.strftime('%Y/%m/%d/%H', time.gmtime(now))}"].append(line)
            self._size += len(line)
            if self._size > MOST_BYTES:
                self._full.set()

    def close(self) -> None:
        """Writes what is left, and ends. May be called again."""
        self._ended = True
        self._full.set()
        self._flush()

    def _run(self) -> None:
        while not self._ended:
            self._full.wait(self._seconds)
            self._full.clear()
            self._flush()

    def _flush(self) -> None:
        with self._writing:  # who closes returns only when another thread's writing is done, too
            with self._lock:
                waiting, self._waiting, self._size = self._waiting, defaultdict(list), 0
            for folder, lines in waiting.items():
                now = time.time()
                name = f"{time.strftime('%M-%S', time.gmtime(now))}-{int(1000 * now) % 1000:03d}-{uuid.uuid4()}.jsonl"
                body = "".join(f"{line}\n" for line in lines).encode()
                try:
                    write(self._context.s3, under(self._config["DestinationS3Uri"], folder, name), body, "application/jsonl")
                except JobError as error:
                    self._context.say(f"endpoint {self._endpoint}: {len(lines)} captured requests are lost: {error}")

    def _part(self, mode: str, content_type: str, body: bytes) -> dict[str, str]:
        encoding, data = self._encoded(content_type, body)
        return {"observedContentType": content_type, "mode": mode, "data": data, "encoding": encoding}

    def _encoded(self, content_type: str, body: bytes) -> tuple[str, str]:
        plain = content_type.partition(";")[0].strip().lower()
        if plain in self._csv or plain in self._json:
            try:
                return "CSV" if plain in self._csv else "JSON", body.decode("utf-8")
            except UnicodeDecodeError:
                pass
        return "BASE64", base64.b64encode(body).decode("ascii")


def _lower(types: list[str] | None) -> frozenset[str]:
    return frozenset(one.lower() for one in types or ())
