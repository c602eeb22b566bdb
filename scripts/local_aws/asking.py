"""HTTP to a container: what it may see of a caller's request, and what a caller may see of its answer."""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

TIMEOUT_SECONDS = 60
PREFIX = "X-Amzn-SageMaker-"
TARGET_MODEL = f"{PREFIX}Target-Model"
TARGET_CONTAINER = f"{PREFIX}Target-Container-Hostname"
INFERENCE_ID = f"{PREFIX}Inference-Id"
CUSTOM_ATTRIBUTES = f"{PREFIX}Custom-Attributes"
# Of the request's headers, those of the API that a container may see; no signature, and nothing that a client made up.
REQUEST_HEADERS = (
    "Content-Type",
    "Accept",
    CUSTOM_ATTRIBUTES,
    TARGET_MODEL,
    f"{PREFIX}Target-Variant",
    TARGET_CONTAINER,
    INFERENCE_ID,
    f"{PREFIX}Enable-Explanations",
    f"{PREFIX}Session-Id",
)
ANSWER_HEADERS = ("Content-Type", CUSTOM_ATTRIBUTES, f"{PREFIX}New-Session-Id", f"{PREFIX}Closed-Session-Id")


@dataclass(frozen=True)
class Answer:
    """An HTTP answer of a container, or to the client. ``status`` 0: the container gave none, and ``body`` says why.

    ``source``: which of several containers it is of.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    source: str = ""

    @property
    def good(self) -> bool:
        return 200 <= self.status < 300


class Serving(Protocol):
    """What a variant runs: one container or several."""

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of the container, or of the first one."""

    def start(self) -> None:
        """Starts it, without waiting."""

    def wait(self) -> str:
        """Returns "" once it is healthy, or why it cannot be."""

    def ask(self, body: bytes, headers: Mapping[str, str], seconds: float = TIMEOUT_SECONDS) -> Answer:
        """Asks it for an inference. ``headers``: those of ``REQUEST_HEADERS``. Raises ``ApiError`` for what never reaches a container."""

    def stop(self) -> None:
        """SIGTERM; SIGKILL follows 30 s later. Does not wait."""

    def kill(self) -> None:
        """Ends it now."""

    def join(self) -> None:
        """Waits until it has ended."""


def ask(
    address: tuple[str, int], body: bytes, headers: Mapping[str, str], seconds: float = TIMEOUT_SECONDS, path: str = "/invocations"
) -> Answer:
    """Posts to a container."""
    return call(address, "POST", path, body, headers, seconds)


def call(address: tuple[str, int], method: str, path: str, body: bytes, headers: Mapping[str, str], seconds: float) -> Answer:
    """Sends one request to a container. An answer that does not come is one of status 0."""
    connection = http.client.HTTPConnection(*address, timeout=seconds)
    try:
        connection.request(method, path, body, dict(headers))
        answer = connection.getresponse()
        content = answer.read()
    except (OSError, http.client.HTTPException) as error:
        return Answer(0, {}, f"{type(error).__name__}: the container did not answer within {seconds:g} s: {error}".encode())
    finally:
        connection.close()
    return Answer(answer.status, {name: answer.headers[name] for name in ANSWER_HEADERS if name in answer.headers}, content)
