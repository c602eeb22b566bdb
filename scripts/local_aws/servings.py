"""What is run for a model: a container, one with many models, or several containers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scripts.local_aws.asking import Serving
from scripts.local_aws.context import Context
from scripts.local_aws.logs import LogStream
from scripts.local_aws.model_server import DEFAULT_START_SECONDS, ModelServer
from scripts.local_aws.multi_model import MULTI_MODEL, MultiModelServer
from scripts.local_aws.pipeline import DirectContainers, Pipeline, ports_for

ONE_WORKER = {"SAGEMAKER_MODEL_SERVER_WORKERS": "1"}


def containers_of(model: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Returns the definitions of the containers of a model, as CreateModel has it; those of several have a ContainerHostname."""
    if "PrimaryContainer" in model:
        return [model["PrimaryContainer"]]
    given = model.get("Containers", [])
    if len(given) == 1:
        return list(given)
    return [{"ContainerHostname": f"container-{number}", **one} for number, one in enumerate(given, 1)]


def is_multi_model(model: Mapping[str, Any]) -> bool:
    return any(one.get("Mode") == "MultiModel" for one in containers_of(model))


def serving_of(
    context: Context,
    model: Mapping[str, Any],
    base: Path,
    log: LogStream,
    title: str,
    variables: Mapping[str, str] | None = None,
    start_seconds: float = DEFAULT_START_SECONDS,
    memory_mb: int | None = None,
) -> Serving:
    """Returns what runs a model, not started. ``base``: for the folders that stand for /opt/ml. ``memory_mb``: of a serverless endpoint,
    which has the memory and the processor for one worker. For the rest see ``ModelServer``."""
    containers = containers_of(model)
    given = dict(variables or {})
    if len(containers) > 1:
        servers = {}
        for container, (port, told) in zip(containers, ports_for(len(containers)), strict=True):
            name = container["ContainerHostname"]
            servers[name] = ModelServer(context, container, base / name, log, title, {**given, **told}, start_seconds, port)
        direct = model.get("InferenceExecutionConfig", {}).get("Mode", "Serial") == "Direct"
        return DirectContainers(servers) if direct else Pipeline(servers)
    (container,) = containers
    if is_multi_model(model):
        server = ModelServer(context, container, base, log, title, {**given, **MULTI_MODEL}, start_seconds)
        return MultiModelServer(context, container, base, server)
    if memory_mb:
        container = {**container, "Environment": {**ONE_WORKER, **container.get("Environment", {})}}
    return ModelServer(context, container, base, log, title, given, start_seconds, memory_mb=memory_mb)
