"""A model of several containers: an inference pipeline, or containers of which a request names one."""

from __future__ import annotations

import dataclasses
import random
import socket
from collections.abc import Mapping, Sequence
from contextlib import ExitStack

from scripts.local_aws.asking import TARGET_CONTAINER, TIMEOUT_SECONDS, Answer
from scripts.local_aws.errors import ApiError
from scripts.local_aws.model_server import ModelServer

SAFE_PORTS = 10  # for each container, beside the one that it listens at


class Pipeline:
    """``servers``: by the containers' names, in their order. The body and type of each one's answer are the request to the next."""

    def __init__(self, servers: Mapping[str, ModelServer]) -> None:
        self._servers = dict(servers)

    def start(self) -> None:
        for server in self._servers.values():
            server.start()

    def wait(self) -> str:
        return " ".join(filter(None, [server.wait() for server in self._servers.values()]))

    def stop(self) -> None:
        for server in self._servers.values():
            server.stop()

    def kill(self) -> None:
        for server in self._servers.values():
            server.kill()

    def join(self) -> None:
        for server in self._servers.values():
            server.join()

    @property
    def address(self) -> tuple[str, int]:
        """That of the first container."""
        return next(iter(self._servers.values())).address

    def ask(self, body: bytes, headers: Mapping[str, str], seconds: float = TIMEOUT_SECONDS) -> Answer:
        """Accept is for the last container only: what goes between them they choose by SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT."""
        if headers.get(TARGET_CONTAINER):
            raise ApiError("ValidationError", "The model's containers are a serial pipeline: TargetContainerHostname cannot be given.")
        between = {name: value for name, value in headers.items() if name != "Accept"}
        answer = Answer(200, {"Content-Type": headers["Content-Type"]} if "Content-Type" in headers else {}, body)
        *_, last = self._servers
        for name, server in self._servers.items():
            given = dict(headers if name == last else between)
            given.pop("Content-Type", None)
            if "Content-Type" in answer.headers:
                given["Content-Type"] = answer.headers["Content-Type"]
            answer = dataclasses.replace(server.ask(answer.body, given, seconds), source=name)
            if not answer.good:
                break
        return answer


class DirectContainers(Pipeline):
    """The same containers, of which each request names one."""

    def ask(self, body: bytes, headers: Mapping[str, str], seconds: float = TIMEOUT_SECONDS) -> Answer:
        name = headers.get(TARGET_CONTAINER)
        if name not in self._servers:
            known = ", ".join(self._servers)
            what = f"There is no container {name}" if name else "The request is missing a target container header"
            raise ApiError("ValidationError", f"{what}: TargetContainerHostname must be one of {known}.")
        return dataclasses.replace(self._servers[name].ask(body, headers, seconds), source=name)


def ports_for(containers: int) -> list[tuple[int, Mapping[str, str]]]:
    """Returns for each container its port, and the variables that tell it of that and of those that it may use inside."""
    blocks = _free_blocks(containers, 1 + SAFE_PORTS)
    bind, safe = "SAGEMAKER_BIND_TO_PORT", "SAGEMAKER_SAFE_PORT_RANGE"
    return [(first, {bind: str(first), safe: f"{first + 1}-{first + SAFE_PORTS}"}) for first in blocks]


def _free_blocks(count: int, length: int) -> Sequence[int]:
    """Returns the first ports of blocks of which nobody uses any. Below 32768: there the kernel gives none away by itself."""
    found: list[int] = []
    candidates = random.sample(range(12_000, 32_000, length), 200)
    for first in candidates:
        if len(found) < count and _is_free(range(first, first + length)):
            found.append(first)
    if len(found) < count:
        raise ApiError("InternalFailure", "There are no free ports left.", 500)
    return found


def _is_free(ports: range) -> bool:
    with ExitStack() as stack:
        try:
            for port in ports:
                stack.enter_context(socket.socket()).bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
