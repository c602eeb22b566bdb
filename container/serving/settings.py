"""What the environment asks of the server, read and checked once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from sagemaker_inference import parameters

from container.cpus import usable_cpus

BIND_ADDRESS_ENV = "SAGEMAKER_BIND_ADDRESS"
QUEUE_SIZE_ENV = "MMS_JOB_QUEUE_SIZE"
MEGABYTE = 1024 * 1024
MAX_PAYLOAD_MB = 100  # the largest MaxPayloadInMB of batch transform; its 0 means "no limit"
# SageMaker waits 30 s between SIGTERM and SIGKILL.
DRAIN_SECONDS = 25
_LEVELS = {"10": "debug", "20": "info", "30": "warn", "40": "error", "50": "fatal", "warning": "warn", "critical": "fatal"}
_LEVEL_NAMES = ("debug", "info", "warn", "error", "fatal")


class StartError(Exception):
    """The server can't start. The message is one line for the person who reads the log: what was found, and what to do."""


@dataclass(frozen=True)
class Settings:
    """How to serve. Sizes in bytes, times in seconds."""

    host: str
    port: int
    workers: int
    timeout: int
    queue_size: int
    max_payload: int
    default_accept: str | None
    log_level: str
    jvm_flags: tuple[str, ...]
    multi_model: bool = False

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Raises ``StartError`` that names every variable that is wrong."""
        reader = _Reader(environment)
        settings = cls(
            host=environment.get(BIND_ADDRESS_ENV) or "0.0.0.0",
            port=reader.whole(parameters.BIND_TO_PORT_ENV, 8080, 1, 65535),
            workers=reader.whole(parameters.MODEL_SERVER_WORKERS_ENV, usable_cpus(), 1, 256),
            timeout=reader.whole(
                parameters.MODEL_SERVER_TIMEOUT_SECONDS_ENV, reader.whole(parameters.MODEL_SERVER_TIMEOUT_ENV, 60, 1, 3600), 1, 3600
            ),
            queue_size=reader.whole(QUEUE_SIZE_ENV, 100, 1, 100_000),
            max_payload=(reader.whole(parameters.MAX_REQUEST_SIZE, 6, 0, MAX_PAYLOAD_MB) or MAX_PAYLOAD_MB) * MEGABYTE,
            default_accept=environment.get(parameters.DEFAULT_INVOCATIONS_ACCEPT_ENV) or None,
            log_level=reader.level(parameters.LOG_LEVEL_ENV),
            jvm_flags=tuple(environment.get(parameters.MODEL_SERVER_VMARGS, "").split()),
            multi_model=reader.flag(parameters.MULTI_MODEL_ENV),
        )
        if reader.mistakes:
            raise StartError("; ".join(reader.mistakes))
        return settings

    @property
    def max_response(self) -> int:
        """The largest answer that a worker gives."""
        return self.max_payload

    @property
    def max_seconds(self) -> float:
        """How long a worker works on one body: well below what multi-model-server waits for it."""
        return 0.75 * self.timeout

    def execution_parameters(self) -> str:
        """Returns what batch transform is told by ``GET /execution-parameters``."""
        payload_mb = self.max_payload // MEGABYTE
        return json.dumps({"MaxConcurrentTransforms": self.workers, "BatchStrategy": "SINGLE_RECORD", "MaxPayloadInMB": payload_mb})


class _Reader:
    """Reads variables and collects what is wrong with them."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment
        self.mistakes: list[str] = []

    def whole(self, name: str, default: int, low: int, high: int) -> int:
        text = self.environment.get(name, "").strip()
        if not text:
            return default
        if text.isascii() and text.isdigit() and low <= int(text[:12]) <= high:
            return int(text)
        self.mistakes.append(f"{name}={text[:40]!r} is not a whole number from {low} to {high}")
        return default

    def flag(self, name: str) -> bool:
        text = self.environment.get(name, "").strip().lower() or "false"
        if text not in ("true", "false"):
            self.mistakes.append(f"{name}={text[:40]!r} is not true or false")
        return text == "true"

    def level(self, name: str) -> str:
        text = self.environment.get(name, "").strip().lower() or "info"
        level = _LEVELS.get(text, text)
        if level not in _LEVEL_NAMES:
            self.mistakes.append(f"{name}={text[:40]!r} is not one of {', '.join(_LEVEL_NAMES)}, or 10 to 50")
            return "info"
        return level
