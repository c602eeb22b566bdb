"""The one directory that the server writes into: private, temporary, and gone afterwards."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from container.paths import models_dir
from container.serving.settings import DRAIN_SECONDS, MEGABYTE, Settings, StartError

HANDLER = "container.serving.handler:handle"
MODEL_NAME = "model"
MARKERS_ENV = "SERVING_MODEL_MARKERS"
MARKERS = "models"  # in the workspace; see container/serving/models.py
METRICS_ENV = "SERVING_METRICS"
METRICS = "metrics"  # in the workspace; see container/serving/metrics.py
_LONGEST_PATH = 70  # of the directory; the path of a socket in it may have 107 bytes in all


@contextmanager
def workspace(environment: Mapping[str, str]) -> Iterator[Path]:
    """Yields a new directory under ``TMPDIR``, or ``/tmp``, and removes it. Raises ``StartError`` where none can be made."""
    wanted = environment.get("TMPDIR") or "/tmp"
    parent = wanted if len(wanted.encode()) <= _LONGEST_PATH else "/tmp"
    try:
        directory = Path(tempfile.mkdtemp(prefix="serving-", dir=parent))
    except OSError as error:
        raise StartError(f"can't write in {parent} ({error.strerror}): make it writable, or set TMPDIR to a directory that is") from None
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def write_model_shim(directory: Path) -> Path:
    """Writes a model store of our own and returns it: multi-model-server never looks into the real model, whatever files that holds."""
    store = directory / "store"
    manifest = store / MODEL_NAME / "MAR-INF" / "MANIFEST.json"
    manifest.parent.mkdir(parents=True)
    content = {
        "specificationVersion": "1.0",
        "implementationVersion": "1.0",
        "modelServerVersion": "1.0",
        "runtime": "python",
        "model": {"modelName": MODEL_NAME, "handler": HANDLER},
    }
    manifest.write_text(json.dumps(content), encoding="ascii")
    return store


def write_properties(directory: Path, settings: Settings, store: Path, model_version: str | None = None, *, json_log: bool = True) -> Path:
    """Writes multi-model-server's configuration and returns its path. ``model_version``: of the one model, for the answers' attributes;
    ``json_log``: for programs, not for people."""
    values = {
        # Both addresses are the same and never bound: see Server.java, which binds serving_host and serving_port.
        "inference_address": "http://127.0.0.1:1",
        "management_address": "http://127.0.0.1:1",
        "serving_host": settings.host,
        "serving_port": settings.port,
        "serving_drain_seconds": DRAIN_SECONDS,
        "serving_execution_parameters": settings.execution_parameters(),
        "serving_batch_size": settings.batch_size,
        "number_of_netty_threads": settings.netty_threads,
        "serving_metrics": directory / METRICS,
        "serving_log": "json" if json_log else "text",
        "model_store": store,
        "load_models": f"{MODEL_NAME}={MODEL_NAME}",
        # The parent of the workers loads the model once and forks them.
        "preload_model": "true",
        "default_workers_per_model": settings.workers,
        "default_response_timeout_seconds": settings.timeout,
        "job_queue_size": settings.queue_size,
        "max_request_size": settings.max_payload,
        # Well above what the handler lets through, for a frame over this limit ends the worker.
        "max_response_size": settings.max_response + MEGABYTE,
        "decode_input_request": "false",
        "PYTHON_EXECUTABLE": sys.executable,
    }
    if model_version is not None:
        values["serving_model_version"] = model_version
    if settings.multi_model:
        markers = directory / MARKERS
        markers.mkdir()
        values |= {"serving_models": models_dir(), "serving_markers": markers}
    path = directory / "server.properties"
    path.write_text("".join(f"{key}={_escaped(str(value))}\n" for key, value in values.items()), encoding="ascii")
    return path


def _escaped(value: str) -> str:
    """Returns ``value`` as a Java properties file wants it: ASCII, backslashes doubled."""
    units = value.replace("\\", "\\\\").encode("utf-16-be")
    codes = [int.from_bytes(units[i : i + 2], "big") for i in range(0, len(units), 2)]
    return "".join(chr(code) if 0x20 <= code < 0x7F else f"\\u{code:04x}" for code in codes)
