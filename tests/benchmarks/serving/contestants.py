"""Who is measured: ours with both engines, what the bare stack costs, and what a user would write instead around implicit."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from container.serving.java_runtime import find_java

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
PEERS = HERE / "peers"
SERVE = ROOT / "container" / "bin" / "serve"
SERVING = ROOT / ".venv-peers-serving" / "bin"
PLATFORMS = ROOT / ".venv-peers-serving-platforms" / "bin"
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
MODELS = {"item_knn": "item-kNN", "als_64": "ALS 64", "als_128": "ALS 128"}


@dataclass(frozen=True)
class Place:
    """Where a server runs: its ``port`` on loopback, how many ``workers``, an empty ``scratch`` folder of its own."""

    port: int
    workers: int
    scratch: Path


@dataclass(frozen=True)
class Launch:
    """What is started: a command line, its variables beside those of this process, and its folder."""

    command: list[str]
    variables: Mapping[str, str]
    folder: Path


@dataclass(frozen=True)
class Contestant:
    """``key`` chooses it on the command line, ``label`` is its row. ``family``: ours, bare (a handler that does nothing) or peer.
    ``program``: what must be installed for it. ``launch`` makes the folder of ``data.prepare`` served at a place."""

    key: str
    label: str
    family: str
    program: Path
    launch: Callable[[Path, Place], Launch]

    @property
    def installed(self) -> bool:
        return self.program.exists()


def contestants() -> list[Contestant]:
    """Returns all of them, in the order of the table; those that are not installed, too."""
    own = [
        Contestant("ours-mms", "ours, multi-model-server", "ours", SERVE, lambda data, place: _ours(data / "ours", place, "mms")),
        Contestant("ours-uvicorn", "ours, uvicorn", "ours", SERVE, lambda data, place: _ours(data / "ours", place, "uvicorn")),
        Contestant("noop-mms", "no-op, stock multi-model-server", "bare", SERVE, lambda data, place: _noop(place)),
    ]
    servers = [
        ("fastapi", "FastAPI", SERVING / "uvicorn", _fastapi),
        ("flask", "Flask", SERVING / "gunicorn", _flask),
        ("mlserver", "MLServer", PLATFORMS / "mlserver", _mlserver),
        ("bentoml", "BentoML", PLATFORMS / "bentoml", _bentoml),
    ]
    return own + [
        Contestant(f"{key}-{model}", f"{label}, {name}", "peer", program, _of_model(launch, model))
        for key, label, program, launch in servers
        for model, name in MODELS.items()
    ]


def ours_serving(model: Path, place: Place, engine: str) -> Launch:
    """Serves one model folder of ours, as a container would."""
    return _ours(model, place, engine)


def _of_model(launch: Callable[[Path, Place], Launch], model: str) -> Callable[[Path, Place], Launch]:
    return lambda data, place: launch(data / "peers" / model, place)


def _ours(model: Path, place: Place, engine: str) -> Launch:
    (place.scratch / "model").symlink_to(model)
    return Launch([str(SERVE)], _sagemaker(place) | {"SERVING_ENGINE": engine}, place.scratch)


def _noop(place: Place) -> Launch:
    model = place.scratch / "model"
    model.mkdir()
    (model / "code").symlink_to(PEERS / "noop" / "code")
    temporary = {name: str(place.scratch) for name in ("SCRATCH", "TMPDIR", "TEMP", "LOG_LOCATION", "METRICS_LOCATION")}
    java = str(Path(find_java(os.environ)).resolve().parents[1])
    return Launch([sys.executable, str(PEERS / "noop_serve.py")], _sagemaker(place) | temporary | {"JAVA_HOME": java}, place.scratch)


def _sagemaker(place: Place) -> dict[str, str]:
    return {
        "SAGEMAKER_BASE_DIR": str(place.scratch),
        "SAGEMAKER_BIND_ADDRESS": "127.0.0.1",
        "SAGEMAKER_BIND_TO_PORT": str(place.port),
        "SAGEMAKER_MODEL_SERVER_WORKERS": str(place.workers),
    }


def _fastapi(model: Path, place: Place) -> Launch:
    quiet = ["--no-access-log", "--log-level", "warning"]
    command = [str(SERVING / "uvicorn"), "fastapi_app:app", "--host", "127.0.0.1", "--port", str(place.port), *quiet]
    return Launch([*command, "--workers", str(place.workers)], _implicit(model), PEERS)


def _flask(model: Path, place: Place) -> Launch:
    where = ["--bind", f"127.0.0.1:{place.port}", "--workers", str(place.workers), "--worker-tmp-dir", str(place.scratch)]
    return Launch([str(SERVING / "gunicorn"), *where, "--preload", "--no-control-socket", "flask_app:app"], _implicit(model), PEERS)


def _mlserver(model: Path, place: Place) -> Launch:
    settings = {
        "host": "127.0.0.1",
        "http_port": place.port,
        "grpc_port": place.port + 1,
        "metrics_port": place.port + 2,
        "parallel_workers": place.workers,
        "debug": False,
    }
    (place.scratch / "settings.json").write_text(json.dumps(settings), encoding="ascii")
    (place.scratch / "model-settings.json").write_text(json.dumps({"name": "songs", "implementation": "mlserver_app.ImplicitRuntime"}))
    return Launch([str(PLATFORMS / "mlserver"), "start", str(place.scratch)], _implicit(model), place.scratch)


def _bentoml(model: Path, place: Place) -> Launch:
    command = [str(PLATFORMS / "bentoml"), "serve", "bentoml_app:Songs", "--host", "127.0.0.1", "--port", str(place.port)]
    more = {"WORKERS": str(place.workers), "BENTOML_HOME": str(place.scratch), "BENTOML_DO_NOT_TRACK": "True"}
    return Launch(command, _implicit(model) | more, PEERS)


def _implicit(model: Path) -> dict[str, str]:
    path = os.pathsep.join([str(PEERS), *filter(None, [os.environ.get("PYTHONPATH")])])
    return ONE_THREAD | {"MODEL": str(model), "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
