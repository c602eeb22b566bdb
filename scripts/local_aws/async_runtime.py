"""InvokeEndpointAsync: the request comes from S3, waits in a queue, and its answer or its failure goes to S3."""

from __future__ import annotations

import threading
import time
import traceback
import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from scripts.local_aws.asking import PREFIX, Answer
from scripts.local_aws.context import Context
from scripts.local_aws.endpoints import Endpoints
from scripts.local_aws.errors import ApiError, JobError
from scripts.local_aws.storage import read, under, write
from scripts.local_aws.variants import Deployment

MAX_INLINE_BYTES = 128_000
MAX_INPUT_BYTES = 1 << 30
DEFAULT_TIMEOUT_SECONDS, LONGEST_TIMEOUT_SECONDS = 900, 3600
DEFAULT_TTL_SECONDS = 21_600
DEFAULT_CONCURRENCY = 4  # where MaxConcurrentInvocationsPerInstance is not given; the platform chooses one by itself


@dataclass(frozen=True)
class _Task:
    endpoint: str
    headers: Mapping[str, str]
    location: str | None
    inline: bytes
    seconds: float
    expires: float
    output: str
    failure: str | None


class AsyncRuntime:
    """Each deployment has a queue of its own, worked on by as many threads as its configuration says."""

    def __init__(self, context: Context, endpoints: Endpoints) -> None:
        self._context, self._endpoints = context, endpoints
        self._queues: dict[int, tuple[Deployment, ThreadPoolExecutor]] = {}
        self._lock = threading.Lock()

    def invoke(self, name: str, headers: Mapping[str, str], body: bytes) -> tuple[Answer, str]:
        """Returns the answer's headers, as an ``Answer`` without a body, and the inference id. Raises ``ApiError``."""
        deployment = self._endpoints.deployment(name)
        if deployment.asynchronous is None:
            raise ApiError("ValidationError", f"Endpoint {name} has no AsyncInferenceConfig: use InvokeEndpoint.")
        location = headers.get(f"{PREFIX}InputLocation")
        if bool(location) == bool(body):
            raise ApiError("ValidationError", "Give either InputLocation or Body.")
        if location and not location.startswith("s3://"):
            raise ApiError("ValidationError", f"InputLocation {location} is not an address like s3://bucket/key.")
        if len(body) > MAX_INLINE_BYTES:
            raise ApiError("ValidationError", f"Body has {len(body)} bytes; at most {MAX_INLINE_BYTES} are allowed beside InputLocation.")
        for member in ("S3OutputPathExtension", "Filename"):
            if headers.get(f"{PREFIX}{member}"):
                raise ApiError("ValidationError", f"local_sagemaker does not do this: {member}.")
        seconds = _whole(headers, "InvocationTimeoutSeconds", DEFAULT_TIMEOUT_SECONDS, 1, LONGEST_TIMEOUT_SECONDS)
        lifetime = _whole(headers, "RequestTTLSeconds", DEFAULT_TTL_SECONDS, 60, 21_600)
        places, own = deployment.asynchronous["OutputConfig"], str(uuid.uuid4())
        output = under(places["S3OutputPath"], f"{own}.out")
        failure = under(places["S3FailurePath"], f"{own}-error.out") if "S3FailurePath" in places else None
        inference_id = headers.get(f"{PREFIX}Inference-Id") or own
        handed_on = {
            "Content-Type": headers.get(f"{PREFIX}Content-Type"),
            "Accept": headers.get(f"{PREFIX}Accept"),
            f"{PREFIX}Custom-Attributes": headers.get(f"{PREFIX}Custom-Attributes"),
            f"{PREFIX}Inference-Id": inference_id,
        }
        given = {one: value for one, value in handed_on.items() if value}
        expires = time.monotonic() + lifetime
        self._queue(deployment).submit(self._work, _Task(name, given, location, body, seconds, expires, output, failure))
        places_told = {f"{PREFIX}OutputLocation": output, **({f"{PREFIX}FailureLocation": failure} if failure else {})}
        return Answer(202, places_told, b""), inference_id

    def close(self) -> None:
        with self._lock:
            for _, queue in self._queues.values():
                queue.shutdown(wait=False, cancel_futures=True)

    def _queue(self, deployment: Deployment) -> ThreadPoolExecutor:
        with self._lock:
            if id(deployment) not in self._queues:
                client: Mapping[str, Any] = (deployment.asynchronous or {}).get("ClientConfig", {})
                size = client.get("MaxConcurrentInvocationsPerInstance", DEFAULT_CONCURRENCY)
                self._queues[id(deployment)] = (deployment, ThreadPoolExecutor(size, thread_name_prefix="asynchronous"))
            return self._queues[id(deployment)][1]

    def _work(self, task: _Task) -> None:
        try:
            content_type, body, failed = self._answer(task)
            place = task.failure if failed else task.output
            if place:
                write(self._context.s3, place, body, content_type)
            self._context.say(
                f"endpoint {task.endpoint}: asynchronous {'failure' if failed else 'answer'} at {place or 'no S3FailurePath'}"
            )
        except JobError as error:
            self._context.say(f"endpoint {task.endpoint}: {error}")
        except Exception:
            traceback.print_exc()

    def _answer(self, task: _Task) -> tuple[str, bytes, bool]:
        """Returns media type, body, and whether it is a failure."""
        if time.monotonic() > task.expires:
            return "text/plain", b"The request was not processed before RequestTTLSeconds expired.", True
        try:
            body = task.inline or read(self._context.s3, str(task.location))
        except JobError as error:
            return "text/plain", str(error).encode(), True
        if len(body) > MAX_INPUT_BYTES:
            return "text/plain", f"The input has {len(body)} bytes; at most {MAX_INPUT_BYTES} are allowed.".encode(), True
        try:
            with self._endpoints.request(task.endpoint) as now:  # it may have been updated while the request waited
                answer = now.pick(None).serving.ask(body, task.headers, task.seconds)
        except ApiError as error:
            return "text/plain", error.message.encode(), True
        return answer.headers.get("Content-Type", "text/plain"), answer.body, not answer.good


def _whole(headers: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = headers.get(f"{PREFIX}{name}")
    if text is None:
        return default
    if not text.isdecimal() or not low <= int(text) <= high:
        raise ApiError("ValidationError", f"{name} {text} is not a whole number from {low} to {high}.")
    return int(text)
