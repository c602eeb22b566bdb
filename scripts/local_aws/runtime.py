"""The SageMaker Runtime API: a request goes to the container as the platform hands it on, and its answer comes back as the platform does.

Signatures are not checked.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from scripts.local_aws.asking import PREFIX, REQUEST_HEADERS, Answer
from scripts.local_aws.endpoints import Endpoints
from scripts.local_aws.errors import ApiError
from scripts.local_aws.variants import Variant


def invoke(endpoints: Endpoints, name: str, headers: Mapping[str, str], body: bytes) -> Answer:
    """Returns what InvokeEndpoint answers. ``headers`` are found in any case. Raises ``ApiError``: ValidationError, ModelError."""
    with endpoints.request(name) as deployment:
        if deployment.asynchronous is not None:
            raise ApiError("ValidationError", f"Endpoint {name} is asynchronous: use InvokeEndpointAsync.")
        if headers.get(f"{PREFIX}Inference-Component"):
            raise ApiError("ValidationError", f"Endpoint {name} has no inference components: leave out InferenceComponentName.")
        variant = deployment.pick(headers.get(f"{PREFIX}Target-Variant"))
        check_size(variant, len(body))
        answer = deployment.ask(variant, body, {one: headers[one] for one in REQUEST_HEADERS if one in headers})
    if not answer.good:
        raise model_error(name, answer.source or variant.name, answer.status, answer.body.decode("utf-8", "replace"))
    if len(answer.body) > variant.max_body:
        said = f"the answer has {len(answer.body)} bytes; at most {variant.max_body} are allowed"
        raise model_error(name, variant.name, answer.status, said)
    return dataclasses.replace(answer, status=200, headers={**answer.headers, "x-Amzn-Invoked-Production-Variant": variant.name})


def check_size(variant: Variant, length: int) -> None:
    if length > variant.max_body:
        raise ApiError("ValidationError", f"Request has oversize body: at most {variant.max_body} bytes are allowed.")


def model_error(endpoint: str, source: str, status: int, message: str) -> ApiError:
    """Returns the error of a container that did not answer with a 2xx, in the platform's words around the container's own."""
    side = "client" if 400 <= status < 500 else "server"
    summary = f'Received {side} error ({status}) from {source} with message "{message}".'
    arn = f"arn:aws:logs:local:000000000000:log-group:/aws/sagemaker/Endpoints/{endpoint}"
    return ApiError("ModelError", summary, 424, OriginalStatusCode=status, OriginalMessage=message, LogStreamArn=arn)
