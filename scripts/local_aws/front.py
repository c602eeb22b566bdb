"""The one address: SageMaker and SageMaker Runtime are answered here, every other service by moto's WSGI application."""

from __future__ import annotations

import json
import re
import traceback
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import unquote

from scripts.local_aws import runtime, service_model
from scripts.local_aws.asking import Answer
from scripts.local_aws.async_runtime import MAX_INLINE_BYTES, AsyncRuntime
from scripts.local_aws.endpoints import Endpoints
from scripts.local_aws.errors import ApiError, invalid
from scripts.local_aws.variants import MAX_BODY_BYTES

Environment = dict[str, Any]
StartResponse = Callable[..., Any]
Operation = Callable[[Mapping[str, Any]], Mapping[str, Any]]

TARGET = "SageMaker."
RUNTIME_PATH = re.compile(r"/endpoints/([^/]+)/(invocations|async-invocations|invocations-response-stream)")
REASONS = {200: "OK", 202: "Accepted", 400: "Bad Request", 404: "Not Found", 424: "Failed Dependency", 500: "Internal Server Error"}
DRAIN = 1 << 20


class Front:
    """A WSGI application. ``operations``: by their names in botocore's model; ``others``: the application for the other services."""

    def __init__(
        self,
        region: str,
        operations: Mapping[str, Operation],
        endpoints: Endpoints,
        asynchronous: AsyncRuntime,
        others: Callable[..., Iterable[bytes]],
    ) -> None:
        self._region = region
        self._operations, self._endpoints, self._asynchronous, self._others = operations, endpoints, asynchronous, others

    def __call__(self, environment: Environment, start_response: StartResponse) -> Iterable[bytes]:
        target = environment.get("HTTP_X_AMZ_TARGET", "")
        match = RUNTIME_PATH.fullmatch(environment.get("PATH_INFO", "")) if _may_be_runtime(environment) else None
        if target.startswith(TARGET):
            answer = _answered(lambda: self._control(target.removeprefix(TARGET), environment), control=True)
        elif match:
            name, kind = unquote(match[1]), match[2]
            answer = _answered(lambda: self._runtime(name, kind, environment), control=False)
        else:
            return self._others(environment, start_response)
        reason = REASONS.get(answer.status, "Error")
        headers = {**answer.headers, "x-amzn-RequestId": str(uuid.uuid4()), "Content-Length": str(len(answer.body))}
        start_response(f"{answer.status} {reason}", list(headers.items()))
        return [answer.body]

    def _control(self, name: str, environment: Environment) -> Answer:
        try:
            request = json.loads(_body(environment, 1 << 24) or b"{}")
        except (ValueError, RecursionError):
            raise ApiError("SerializationException", "The request is not valid JSON.") from None
        _, region = _scope(environment)
        if region not in (None, self._region):  # moto keeps logs and more for each region, and they would look lost
            raise invalid(f"local_sagemaker is in {self._region}, not in {region}: set AWS_DEFAULT_REGION, or start it with --region.")
        checked = service_model.check_request(name, request)
        if name not in self._operations:
            done = ", ".join(sorted(self._operations))
            raise ApiError("UnknownOperationException", f"local_sagemaker does not do {name}. It does: {done}.")
        return Answer(200, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(self._operations[name](checked)).encode())

    def _runtime(self, name: str, kind: str, environment: Environment) -> Answer:
        headers = _Headers(environment)
        if kind == "invocations":
            return runtime.invoke(self._endpoints, name, headers, _body(environment, MAX_BODY_BYTES))
        if kind == "async-invocations":
            answer, inference_id = self._asynchronous.invoke(name, headers, _body(environment, MAX_INLINE_BYTES))
            return Answer(202, {"Content-Type": "application/json", **answer.headers}, json.dumps({"InferenceId": inference_id}).encode())
        _body(environment, MAX_BODY_BYTES)
        raise ApiError("ValidationError", "The container does not stream its answers: use InvokeEndpoint.")


class _Headers(dict[str, str]):
    """The request's headers by their usual names, in any case."""

    def __init__(self, environment: Environment) -> None:
        plain = {"CONTENT-TYPE": environment.get("CONTENT_TYPE")}
        sent = {name.removeprefix("HTTP_").replace("_", "-"): value for name, value in environment.items() if name.startswith("HTTP_")}
        super().__init__({name: value for name, value in {**plain, **sent}.items() if value})

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name.upper())

    def __contains__(self, name: object) -> bool:
        return super().__contains__(str(name).upper())

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name.upper(), default)


def _answered(work: Callable[[], Answer], control: bool) -> Answer:
    """Returns the answer, or the error in the form of the protocol: JSON 1.1 for SageMaker, REST with JSON for the runtime."""
    try:
        return work()
    except ApiError as error:
        refused = error
    except Exception as error:
        traceback.print_exc()
        refused = ApiError("InternalFailure", f"{type(error).__name__}: {error}", 500)
    headers = {"Content-Type": "application/x-amz-json-1.1" if control else "application/json", "x-amzn-ErrorType": refused.kind}
    named = {"__type": refused.kind, "message": refused.message} if control else {"ErrorCode": refused.kind, "Message": refused.message}
    return Answer(refused.status, headers, json.dumps({**named, **refused.members}).encode())


def _may_be_runtime(environment: Environment) -> bool:
    """A bucket may be called "endpoints", too: where there is a signature, it says which service is meant."""
    return environment.get("REQUEST_METHOD") == "POST" and _scope(environment)[0] in (None, "sagemaker")


def _scope(environment: Environment) -> tuple[str | None, str | None]:
    """Returns the service and the region that a request is signed for; None if it is not signed."""
    match = re.search(r"Credential=[^,]*/([^/,]+)/([^/,]+)/aws4_request", environment.get("HTTP_AUTHORIZATION", ""))
    return (match[2], match[1]) if match else (None, None)


def _body(environment: Environment, limit: int) -> bytes:
    """Returns the body. Raises ``ApiError`` if it is too large; that one is read to its end, so that the client can read the answer."""
    try:
        length = max(0, int(environment.get("CONTENT_LENGTH") or 0))
    except ValueError:
        length = 0
    source = environment["wsgi.input"]
    if length <= limit:
        return bytes(source.read(length))
    while length > 0 and (chunk := source.read(min(length, DRAIN))):
        length -= len(chunk)
    raise ApiError("ValidationError", f"Request has oversize body: at most {limit} bytes are allowed.")
