"""A model made by hand and a real server on it, for the tests that speak to one."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from inference.artifact import save
from inference.history import EventWeighting
from inference.recommender import Recommender
from inference.scorers import HybridScorer, ItemToItemScorer, PopularityScorer
from inference.sparse import SparseRows
from inference.vocabulary import Vocabulary
from scripts.server_processes import ServerProcesses
from tests.integration.prometheus import parse

ROOT = Path(__file__).resolve().parents[2]
SERVE = ROOT / "container" / "bin" / "serve"
ENGINES = ("multi-model-server", "uvicorn")  # what they are called in SERVING_ENGINE
JSON = {"Content-Type": "application/json"}
KNOWN = {"user_id": "u0", "num_recommendations": 3}


def make_model(directory: Path, *, songs: int = 40, neighbours: int = 4) -> Path:
    """Saves a model in which song i leads to the next few songs, and listener u<i> has played song i. Returns ``directory``."""
    offsets = np.arange(1, neighbours + 1)
    indices = np.sort((np.arange(songs)[:, None] + offsets) % songs, axis=1).astype(np.int32)
    indptr = np.arange(songs + 1, dtype=np.int64) * neighbours
    neighbour = ItemToItemScorer(SparseRows(indptr, indices.ravel(), np.ones(songs * neighbours, np.float32), songs))
    popularity = PopularityScorer(np.linspace(1.0, 0.1, songs, dtype=np.float32))
    played = SparseRows(np.arange(songs + 1), np.arange(songs, dtype=np.int32), np.ones(songs, np.float32), songs)
    scorers = {"popularity": popularity, "item_knn": neighbour}
    recommender = Recommender(
        items=Vocabulary.of([f"s{i}" for i in range(songs)]),
        users=Vocabulary.of([f"u{i}" for i in range(songs)]),
        user_items=played,
        listeners=np.ones(songs, np.int32),
        scorers=scorers,
        hybrid=HybridScorer(scorers, {"item_knn": 1.0}),
        weighting=EventWeighting(),
        version="made-by-hand",
    )
    save(recommender, directory, {})
    return directory


def free_port() -> int:
    """Returns a port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Response:
    """An HTTP answer; ``headers`` have small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Server(ServerProcesses):
    """A running server, and what it has logged so far."""

    port: int
    log_path: Path
    temporary: Path

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None, timeout: float = 20
    ) -> Response:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, body=body, headers=dict(headers or {}))
            response = connection.getresponse()
            return Response(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        finally:
            connection.close()

    def post(self, path: str, content: Any, more: Mapping[str, str] | None = None) -> Response:
        return self.request("POST", path, json.dumps(content).encode(), JSON | dict(more or {}))

    def invoke(self, content: Any, headers: Mapping[str, str] = JSON) -> Response:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        return self.request("POST", "/invocations", body, headers)

    def ping(self) -> int | None:
        """Returns the status of a ping, or None where nobody listens."""
        try:
            return self.request("GET", "/ping", timeout=5).status
        except (ConnectionError, TimeoutError):
            return None

    def log(self) -> str:
        return self.log_path.read_text(encoding="utf-8", errors="replace")

    def records(self) -> list[dict[str, Any]]:
        """Returns what the lines of requests in the log say."""
        return [json.loads(line) for line in self.log().splitlines() if line.startswith("{")]

    def metrics(self) -> dict[str, float]:
        """Returns each sample that ``/metrics`` gives, by its name with its labels."""
        response = self.request("GET", "/metrics", timeout=5)
        assert (response.status, response.headers["content-type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
        return parse(response.body.decode())

    def wait_until_healthy(self, seconds: float = 30) -> Server:
        deadline = time.monotonic() + seconds
        while self.ping() != 200:
            assert self.process.poll() is None, f"the server ended with {self.process.returncode}:\n{self.log()}"
            assert time.monotonic() < deadline, f"not healthy in {seconds} s:\n{self.log()}"
            time.sleep(0.05)
        return self


def environment(model_parent: Path, temporary: Path, port: int, **more: str) -> dict[str, str]:
    """Returns an environment that serves ``model_parent``/model on loopback, with nothing of this process's SageMaker variables."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SAGEMAKER_", "MMS_", "PYTEST_"))}
    return kept | {
        "SAGEMAKER_BASE_DIR": str(model_parent),
        "SAGEMAKER_BIND_TO_PORT": str(port),
        "SAGEMAKER_BIND_ADDRESS": "127.0.0.1",
        "SAGEMAKER_MODEL_SERVER_WORKERS": "2",
        "TMPDIR": str(temporary),
        **more,
    }


@contextmanager
def serving(model_parent: Path, command: tuple[str, ...] = (), *, stderr: int = subprocess.STDOUT, **more: str) -> Iterator[Server]:
    """Starts a server with ``more`` variables, behind the words of ``command``, and ends it at the end, with all that it started."""
    # Not pytest's own directory: the path of a socket may have 107 bytes.
    with tempfile.TemporaryDirectory(prefix="t-", dir="/tmp") as holder, Path(holder, "log").open("wb") as log:
        temporary = Path(holder, "tmp")
        for directory in (Path(holder), temporary):
            directory.mkdir(exist_ok=True)
            directory.chmod(0o777)
        port = free_port()
        variables = environment(model_parent, temporary, port, **more)
        process = subprocess.Popen([*command, str(SERVE)], env=variables, stdout=log, stderr=stderr)
        server = Server(process, port, Path(holder, "log"), temporary)
        try:
            yield server
        finally:
            server.end(10)
