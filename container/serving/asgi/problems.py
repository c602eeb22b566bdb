"""The errors that the HTTP front makes itself: those of `serving/java/src/serving/Problem.java`, which a test compares, and one more."""

from __future__ import annotations

from typing import NamedTuple


class Problem(NamedTuple):
    """An HTTP status, a word for programs and a sentence for people; no text of the caller goes into it."""

    status: int
    code: str
    sentence: str


BAD_HTTP = Problem(400, "bad_http", "This is not a well-formed HTTP/1.1 request, or its headers are longer than 8 KiB.")
ONE_MODEL = Problem(400, "no_multi_model_endpoint", "This endpoint has one model: leave X-Amzn-SageMaker-Target-Model out.")
NOT_FOUND = Problem(404, "not_found", "There is nothing at this path. Use POST /invocations, GET /ping, /metrics or /execution-parameters.")
USE_GET = Problem(405, "method_not_allowed", "This path answers GET only.")
USE_POST = Problem(405, "method_not_allowed", "This path answers POST only: send the request as the body.")
TOO_SLOW = Problem(408, "request_timeout", "The request did not arrive in time. Send its headers and its body without pauses.")
TOO_LARGE = Problem(
    413, "payload_too_large", "The request body is larger than the limit. Send smaller requests, or raise SAGEMAKER_MAX_PAYLOAD_IN_MB."
)
BAD_EXPECTATION = Problem(417, "bad_expectation", "The only expectation that is met is 100-continue.")
BUSY = Problem(429, "too_many_requests", "Too many requests are waiting. Try again in a second.")
WORKER_LOST = Problem(500, "internal_error", "The worker did not answer: it ran out of time or ended. The log of the server says more.")
NOT_READY = Problem(503, "not_ready", "The model is being loaded, or the server is stopping. Try again in a few seconds.")
