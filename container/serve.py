"""`serve`: starts a server on the model in /opt/ml/model, or without one on a multi-model endpoint, until it is told to stop.

    container/bin/serve

The environment variables are listed in README.md; `container/serving/settings.py` reads them.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

from container import exit_codes
from container.serving.java_runtime import find_java, java_command
from container.serving.launcher_counts import start_counting
from container.serving.lifetime import Lifetime
from container.serving.settings import DRAIN_SECONDS, UVICORN, Settings, StartError
from container.serving.workspace import MARKERS, MARKERS_ENV, METRICS, METRICS_ENV, workspace, write_model_shim, write_properties

ROOT = Path(__file__).resolve().parents[1]
ON_PATH = Path(__file__).resolve().parent / "serving" / "on_path"  # has a sitecustomize for the server's Python processes
# Between the end of draining and SageMaker's SIGKILL, 30 s after SIGTERM.
_MARGIN_SECONDS = 3


def main() -> int:
    """Returns 0 when told to stop, 2 where the model or the environment is wrong, 1 where the server ended by itself."""
    lifetime = Lifetime(DRAIN_SECONDS + _MARGIN_SECONDS)
    try:
        return serve(os.environ, lifetime)
    except StartError as error:
        _say(str(error))
        return exit_codes.USER_ERROR


def serve(environment: Mapping[str, str], lifetime: Lifetime) -> int:
    """Serves until ``lifetime`` is told to stop. Raises ``StartError`` before anything is started."""
    settings = Settings.from_environment(environment)
    java = None if settings.engine == UVICORN else find_java(environment)
    check_address(settings.host, settings.port)
    with workspace(environment) as directory:
        report = directory / "preflight.json"
        check = [sys.executable, "-P", "-m", "container.serving.preflight", "--report", str(report)]
        if lifetime.run(check, child_environment(environment, directory)) != 0:
            return exit_codes.DONE if lifetime.stopping else exit_codes.USER_ERROR
        model = json.loads(report.read_text(encoding="ascii"))
        version = model.get("model_version")
        watch = start_counting(directory / METRICS, settings.workers, version, model.get("written"))
        if java is None:
            command = [sys.executable, "-P", "-m", "container.serving.asgi.parent"]
        else:
            properties = write_properties(directory, settings, write_model_shim(directory), version, json_log=not sys.stderr.isatty())
            command = java_command(java, settings, directory, properties)
        code = (
            exit_codes.DONE
            if lifetime.stopping
            else lifetime.run(command, child_environment(environment, directory), directory, beside=watch)
        )
    if lifetime.stopping:
        return exit_codes.DONE
    _say(f"{settings.engine} ended by itself ({f'signal {-code}' if code < 0 else f'exit code {code}'}); the lines above may say why")
    return exit_codes.BUG


def check_address(host: str, port: int) -> None:
    """Raises ``StartError`` where nothing can listen at this address."""
    try:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        message = f"can't listen on {host}:{port} ({error.strerror or error})"
        raise StartError(f"{message}: stop what uses it, or set SAGEMAKER_BIND_TO_PORT or SAGEMAKER_BIND_ADDRESS") from None


def child_environment(environment: Mapping[str, str], directory: Path | None = None) -> dict[str, str]:
    """Returns the environment for Java and the workers; they write in ``directory``."""
    # These two would make multi-model-server read another configuration.
    child = {name: value for name, value in environment.items() if name not in ("MMS_CONFIG_FILE", "MODEL_SERVER_HOME")}
    # A worker has one request at a time: its threads would only fight with the other workers.
    threads = {name: child.get(name, "1") for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
    path = os.pathsep.join(filter(None, [str(ROOT), str(ON_PATH), child.get("PYTHONPATH")]))
    # Else malloc gives the vectors of a request, half a megabyte each, back to the system and asks for them anew: half of its time.
    sizes = {"MALLOC_MMAP_THRESHOLD_": "33554432", "MALLOC_TRIM_THRESHOLD_": "268435456"}
    allocator = {name: child.get(name, size) for name, size in sizes.items()}
    child |= threads | allocator | {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    if directory is not None:
        child |= dict.fromkeys(("TMPDIR", "TEMP", "TMP", "LOG_LOCATION", "METRICS_LOCATION"), str(directory))
        child |= {MARKERS_ENV: str(directory / MARKERS), METRICS_ENV: str(directory / METRICS)}
    return child


def _say(message: str) -> None:
    print(f"serve: {' '.join(message.split())}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
