"""What the environment asks of the server, read and checked once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from sagemaker_inference import parameters

from container.cpus import usable_cpus
from container.memory import LIMIT_ENV, MEGABYTE, memory_limit

BIND_ADDRESS_ENV = "SAGEMAKER_BIND_ADDRESS"
QUEUE_SIZE_ENV = "MMS_JOB_QUEUE_SIZE"
WORKERS_PER_NETTY_THREAD = 2  # about as much as so many workers answer is read and written by one
MEMORY_PER_WORKER = 1024 * MEGABYTE  # on serverless endpoints, which have a CPU for about as much, but may show more CPUs
NETTY_THREADS_ENV = "MMS_NUMBER_OF_NETTY_THREADS"
CLASS_ARCHIVE_ENV = "SERVING_CLASS_ARCHIVE"
BATCH_SIZE_ENV = "SERVING_BATCH_SIZE"
ENGINE_ENV = "SERVING_ENGINE"
MULTI_MODEL_SERVER = "multi-model-server"
UVICORN = "uvicorn"
_ENGINES = {"MULTI-MODEL-SERVER": MULTI_MODEL_SERVER, "MMS": MULTI_MODEL_SERVER, "UVICORN": UVICORN}
BATCH_ENV = "SAGEMAKER_BATCH"
BATCH_STRATEGY_ENV = "SAGEMAKER_BATCH_STRATEGY"
CONCURRENT_TRANSFORMS_ENV = "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS"
BATCH_STRATEGIES = {
    "SINGLE_RECORD": "SINGLE_RECORD",
    "SINGLERECORD": "SINGLE_RECORD",
    "MULTI_RECORD": "MULTI_RECORD",
    "MULTIRECORD": "MULTI_RECORD",
}
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
    memory: int = 2**63  # that the container may use
    multi_model: bool = False
    batch: bool = False  # a batch transform job asks
    batch_strategy: str = "SINGLE_RECORD"
    transforms: int = 1  # of a batch transform job, at once
    engine: str = MULTI_MODEL_SERVER
    batch_size: int = 16  # how many waiting requests a worker of multi-model-server takes at once, at most
    class_archive: str | None = None  # a file with the classes that Java loads
    netty_threads: int = 1  # of Java, for the connections of callers and workers

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Raises ``StartError`` that names every variable that is wrong."""
        reader = _Reader(environment)
        asked = reader.whole(CONCURRENT_TRANSFORMS_ENV, 0, 1, 100_000)  # 0: the job leaves it to us
        reader.whole(LIMIT_ENV, 1, 1, 10**9)
        memory = memory_limit(environment)
        fitting = max(1, round(memory / MEMORY_PER_WORKER))
        workers = reader.whole(parameters.MODEL_SERVER_WORKERS_ENV, min(usable_cpus(), fitting, asked or 256), 1, 256)
        max_payload_mb = reader.whole(parameters.MAX_REQUEST_SIZE, 6, 0, MAX_PAYLOAD_MB) or MAX_PAYLOAD_MB
        # The platform allows the product of the two to be as large as the largest payload.
        transforms = asked or max(1, min(workers, MAX_PAYLOAD_MB // max_payload_mb))
        settings = cls(
            host=environment.get(BIND_ADDRESS_ENV) or "0.0.0.0",
            port=reader.whole(parameters.BIND_TO_PORT_ENV, 8080, 1, 65535),
            workers=workers,
            timeout=reader.whole(
                parameters.MODEL_SERVER_TIMEOUT_SECONDS_ENV, reader.whole(parameters.MODEL_SERVER_TIMEOUT_ENV, 60, 1, 3600), 1, 3600
            ),
            queue_size=reader.whole(QUEUE_SIZE_ENV, max(100, transforms), 1, 100_000),
            max_payload=max_payload_mb * MEGABYTE,
            default_accept=environment.get(parameters.DEFAULT_INVOCATIONS_ACCEPT_ENV) or None,
            log_level=reader.level(parameters.LOG_LEVEL_ENV),
            jvm_flags=tuple(environment.get(parameters.MODEL_SERVER_VMARGS, "").split()),
            memory=memory,
            multi_model=reader.flag(parameters.MULTI_MODEL_ENV),
            batch=reader.flag(BATCH_ENV),
            batch_strategy=reader.word(BATCH_STRATEGY_ENV, BATCH_STRATEGIES, "SINGLE_RECORD"),
            transforms=transforms,
            batch_size=reader.whole(BATCH_SIZE_ENV, 16, 1, 1000),
            class_archive=environment.get(CLASS_ARCHIVE_ENV) or None,
            netty_threads=reader.whole(NETTY_THREADS_ENV, max(1, workers // WORKERS_PER_NETTY_THREAD), 1, 64),
            engine=reader.word(ENGINE_ENV, _ENGINES, MULTI_MODEL_SERVER),
        )
        if settings.engine == UVICORN and settings.multi_model:
            reader.mistakes.append(
                f"{ENGINE_ENV}={UVICORN} serves one model: leave {parameters.MULTI_MODEL_ENV} out, or take {MULTI_MODEL_SERVER}"
            )
        if reader.mistakes:
            raise StartError("; ".join(sorted(reader.mistakes)))
        return settings

    @property
    def max_response(self) -> int:
        """The largest answer that a worker gives."""
        return self.max_payload

    @property
    def python_log_level(self) -> int:
        return {"debug": 10, "info": 20, "warn": 30, "error": 40, "fatal": 50}[self.log_level]

    @property
    def heap_mb(self) -> int:
        """Java's heap: a quarter of the memory at most, but as much as one body needs, which it holds up to four times on its way."""
        payload_mb = self.max_payload // MEGABYTE
        return max(64 + 4 * payload_mb, min(128 + 8 * payload_mb, self.memory // (4 * MEGABYTE)))

    @property
    def max_seconds(self) -> float:
        """How long a worker works on one body: well below what multi-model-server waits for it."""
        return 0.75 * self.timeout

    def execution_parameters(self) -> str:
        """Returns what batch transform is told by ``GET /execution-parameters``."""
        payload_mb = self.max_payload // MEGABYTE
        return json.dumps({"MaxConcurrentTransforms": self.transforms, "BatchStrategy": self.batch_strategy, "MaxPayloadInMB": payload_mb})


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
        return self.word(name, {"TRUE": "true", "FALSE": "false"}, "false") == "true"

    def word(self, name: str, words: Mapping[str, str], default: str) -> str:
        """Returns what ``words`` makes of the variable's text in capitals."""
        text = self.environment.get(name, "").strip()
        if not text:
            return default
        if text.upper() not in words:
            self.mistakes.append(f"{name}={text[:40]!r} is not one of {', '.join(sorted({*words.values()}))}")
        return words.get(text.upper(), default)

    def level(self, name: str) -> str:
        text = self.environment.get(name, "").strip().lower() or "info"
        level = _LEVELS.get(text, text)
        if level not in _LEVEL_NAMES:
            self.mistakes.append(f"{name}={text[:40]!r} is not one of {', '.join(_LEVEL_NAMES)}, or 10 to 50")
            return "info"
        return level
