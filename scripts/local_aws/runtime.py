"""The SageMaker Runtime API: a request goes to the container as the platform hands it on, and its answer comes back as the platform does.

Signatures are not checked.
"""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from dataclasses import dataclass

from scripts.local_aws.endpoints import Endpoints
from scripts.local_aws.errors import ApiError
from scripts.local_aws.variants import Variant

TIMEOUT_SECONDS = 60
PREFIX = "X-Amzn-SageMaker-"
# Of the request's headers, those of the API that a container may see; no signature, and nothing that a client made up.
REQUEST_HEADERS = (
    "Content-Type",
    "Accept",
    f"{PREFIX}Custom-Attributes",
    f"{PREFIX}Target-Model",
    f"{PREFIX}Target-Variant",
    f"{PREFIX}Target-Container-Hostname",
    f"{PREFIX}Inference-Id",
    f"{PREFIX}Enable-Explanations",
    f"{PREFIX}Session-Id",
)
ANSWER_HEADERS = ("Content-Type", f"{PREFIX}Custom-Attributes", f"{PREFIX}New-Session-Id", f"{PREFIX}Closed-Session-Id")


@dataclass(frozen=True)
class Answer:
    """An HTTP answer of a container, or to the client. ``status`` 0: the container gave none, and ``body`` says why."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def good(self) -> bool:
        return 200 <= self.status < 300


def ask(address: tuple[str, int], body: bytes, headers: Mapping[str, str], seconds: float = TIMEOUT_SECONDS) -> Answer:
    """Posts to a container's ``/invocations``."""
    connection = http.client.HTTPConnection(*address, timeout=seconds)
    try:
        connection.request("POST", "/invocations", body, dict(headers))
        answer = connection.getresponse()
        content = answer.read()
    except (OSError, http.client.HTTPException) as error:
        return Answer(0, {}, f"{type(error).__name__}: the container did not answer within {seconds:g} s: {error}".encode())
    finally:
        connection.close()
    return Answer(answer.status, {name: answer.headers[name] for name in ANSWER_HEADERS if name in answer.headers}, content)


def invoke(endpoints: Endpoints, name: str, headers: Mapping[str, str], body: bytes) -> Answer:
    """Returns what InvokeEndpoint answers. ``headers`` are found in any case. Raises ``ApiError``: ValidationError, ModelError."""
    with endpoints.request(name) as deployment:
        if deployment.asynchronous is not None:
            raise ApiError("ValidationError", f"Endpoint {name} is asynchronous: use InvokeEndpointAsync.")
        variant = deployment.pick(headers.get(f"{PREFIX}Target-Variant"))
        check_size(variant, len(body))
        if headers.get(f"{PREFIX}Target-Model"):
            raise ApiError("ValidationError", f"Endpoint {name} is not a multi-model endpoint: TargetModel cannot be given.")
        answer = ask(variant.server.address, body, {one: headers[one] for one in REQUEST_HEADERS if one in headers})
    if not answer.good:
        raise model_error(name, variant.name, answer.status, answer.body.decode("utf-8", "replace"))
    if len(answer.body) > variant.max_body:
        said = f"the answer has {len(answer.body)} bytes; at most {variant.max_body} are allowed"
        raise model_error(name, variant.name, answer.status, said)
    return Answer(200, {**answer.headers, "x-Amzn-Invoked-Production-Variant": variant.name}, answer.body)


def check_size(variant: Variant, length: int) -> None:
    if length > variant.max_body:
        raise ApiError("ValidationError", f"Request has oversize body: at most {variant.max_body} bytes are allowed.")


def model_error(endpoint: str, variant: str, status: int, message: str) -> ApiError:
    """Returns the error of a container that did not answer with a 2xx, in the platform's words around the container's own."""
    side = "client" if 400 <= status < 500 else "server"
    summary = f'Received {side} error ({status}) from {variant} with message "{message}".'
    arn = f"arn:aws:logs:local:000000000000:log-group:/aws/sagemaker/Endpoints/{endpoint}"
    return ApiError("ModelError", summary, 424, OriginalStatusCode=status, OriginalMessage=message, LogStreamArn=arn)
