"""Opens a model, checks its hashes and answers one request, before it is served. A process of its own: its memory goes with it, and a model
that ends it ends nothing else.

    python -m container.serving.preflight --report FILE                                    of /opt/ml/model, before the server starts
    python -m container.serving.preflight --report FILE --model DIR --reserved BYTES       before DIR joins the models of an endpoint

The report is JSON: {"status": 200, "model_version": ..., "bytes": ...}, or another status with "code" and "message".
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from container.memory import MEGABYTE, free_memory, memory_limit, reserve
from container.paths import model_dir
from container.serving.responder import JSON, Responder
from container.serving.settings import Settings
from inference.artifact import MODEL_JSON, load
from inference.errors import ArtifactError, RequestError
from inference.media_types import SUPPORTED, acceptable

# What an open model takes beside its arrays, in each worker: names, tables, and the first things that it caches.
OVERHEAD_PER_WORKER = 4 * MEGABYTE


def main(arguments: list[str] | None = None) -> int:
    """Returns 0, or 1 after one line on stderr."""
    parser = argparse.ArgumentParser(prog="preflight")
    parser.add_argument("--model", type=Path)
    parser.add_argument("--reserved", type=int, default=0, help="bytes of the models that are loaded already")
    parser.add_argument("--report", type=Path, required=True)
    options = parser.parse_args(arguments)
    settings = Settings.from_environment(os.environ)
    try:
        report = look_at_settings(settings)
        if options.model is not None:
            check_memory(options.model, options.reserved, settings.workers)
            report = look_at(options.model, settings)
        elif not settings.multi_model:
            report = look_at(found_model_dir(), settings)
    except RequestError as error:
        report = {"status": error.status, "code": error.code, "message": error.message}
        print(f"serve: {error.message}", file=sys.stderr)
    except ArtifactError as error:
        report = {"status": 422, "code": "broken_model", "message": RequestError(422, "", " ".join(str(error).split())).message}
        print(f"serve: {' '.join(str(error).split())}", file=sys.stderr)
    options.report.write_text(json.dumps(report), encoding="ascii")
    return 0 if report["status"] == 200 else 1


def look_at_settings(settings: Settings) -> dict[str, Any]:
    """Raises ``RequestError`` where every request would be refused."""
    try:
        acceptable(settings.default_accept, JSON)
    except RequestError:
        accept = f"SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT={settings.default_accept!r}"
        raise RequestError(406, "not_acceptable", f"{accept} is not one of {', '.join(SUPPORTED)}") from None
    return {"status": 200}


def found_model_dir() -> Path:
    """Returns the folder of the one model. Raises ``ArtifactError`` where there is none."""
    directory = model_dir()
    try:
        found = directory.is_dir()
    except OSError as error:
        message = f"can't look into {directory} ({error.strerror}): let this user read it, and the folders above it"
        raise ArtifactError(message) from None
    if not found:
        message = f"there is no model directory {directory}: train a model first, or set SAGEMAKER_BASE_DIR to the folder above model/"
        raise ArtifactError(message)
    return directory


def check_memory(directory: Path, reserved: int, workers: int) -> None:
    """Raises ``RequestError`` 507 where the model does not fit beside what is loaded; nothing of it is read."""
    needed = size(directory) + workers * OVERHEAD_PER_WORKER
    free = free_memory() - reserve(memory_limit()) - reserved
    if needed > free:
        sizes = f"The model needs {-(-needed // MEGABYTE)} MB; of {memory_limit() // MEGABYTE} MB {max(free, 0) // MEGABYTE} MB are left"
        raise RequestError(507, "out_of_memory", f"{sizes} beside the models that are loaded. Unload some, or take a larger machine.")


def look_at(directory: Path, settings: Settings) -> dict[str, Any]:
    """Returns the report on a good model. Raises ``ArtifactError``, or ``RequestError`` where it can't answer."""
    version = load(directory, verify=True).version
    reply = Responder.of(directory, settings).warm_up()
    if reply.status >= 500:
        raise RequestError(422, "broken_model", f"the model in {directory} loads, but can't answer: {reply.body.decode()}")
    written = (directory / MODEL_JSON).stat().st_mtime
    return {"status": 200, "model_version": version, "bytes": size(directory), "written": written}


def size(directory: Path) -> int:
    """Returns the bytes of all files below a folder."""
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())


if __name__ == "__main__":
    sys.exit(main())
