"""The image starts no shell: where each is replaced by a program that only tells when it is started, it trains and serves just the same."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from scripts.build_and_push import ROOT
from tests.integration.containers import STRICT, Container, docker, make_base, serving
from tests.integration.serving import ENGINES, make_model

pytestmark = [pytest.mark.docker, pytest.mark.timeout(900)]

SHELLS = ("/usr/bin/dash", "/usr/bin/bash")  # /bin/sh leads to the first
NO_SHELL = """#!/opt/venv/bin/python3 -IS
import sys
with open("/was-started/words", "a") as file:
    print(*sys.argv, file=file)
sys.exit(99)
"""


@pytest.fixture
def started(tmp_path: Path) -> Path:
    """Where a shell that was started leaves a line with its arguments."""
    folder = tmp_path / "was-started"
    folder.mkdir()
    folder.chmod(0o777)
    return folder


@pytest.fixture
def no_shell(tmp_path: Path, started: Path) -> list[str]:
    """Options of `docker run`."""
    program = tmp_path / "no-shell"
    program.write_text(NO_SHELL)
    program.chmod(0o755)
    return [*(word for shell in SHELLS for word in ("-v", f"{program}:{shell}:ro")), "-v", f"{started}:/was-started"]


def found(started: Path) -> list[str]:
    return [line for path in started.iterdir() for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_shell_that_is_started_would_be_noticed(image: str, no_shell: list[str], started: Path) -> None:
    for number, shell in enumerate(("sh", "/bin/sh", "bash", "/usr/bin/env bash", "/bin/dash"), 1):
        program, *rest = shell.split()
        finished = docker("run", "--rm", *STRICT, *no_shell, "--entrypoint", program, image, *rest, "-c", "true", check=False)
        assert (finished.returncode, len(found(started))) == (99, number), finished.stderr
    script = "import subprocess; subprocess.run('true', shell=True)"
    docker("run", "--rm", *STRICT, *no_shell, image, "python3", "-c", script)
    assert any("-c true" in words for words in found(started))


def test_there_is_no_other_shell_in_the_image(image: str) -> None:
    names = "sh bash dash ash ksh mksh zsh csh tcsh fish busybox"
    script = f"for name in {names}; do readlink -f $(command -v $name); done | sort -u"
    assert docker("run", "--rm", image, "bash", "-c", script).stdout.split() == sorted(SHELLS)


@pytest.mark.parametrize("engine", ["pandas", "dask"])
def test_it_trains_without_a_shell(image: str, no_shell: list[str], started: Path, tmp_path: Path, engine: str) -> None:
    sizes = "--songs 200 --listeners 100 --events-per-listener 20".split()
    command = [str(ROOT / "scripts" / "make_dataset"), str(tmp_path / "data"), *sizes]
    subprocess.run(command, check=True, capture_output=True)
    settings = {"als_factors": "16", "split_min_listener_items": "3", "data_engine": engine}
    base = make_base(tmp_path / "ml", tmp_path / "data", settings)
    finished = docker("run", "--rm", *STRICT, *no_shell, "--network", "none", "-v", f"{base}:/opt/ml", image, "train", check=False)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert (base / "model" / "model.json").is_file()
    assert found(started) == []


@pytest.fixture(params=[*ENGINES, "many models"])
def server(image: str, no_shell: list[str], request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Container]:
    many = request.param == "many models"
    make_model(tmp_path / "ml" / ("models/m0/model" if many else "model"))
    (tmp_path / "ml").chmod(0o755)
    choice = ["-e", "SAGEMAKER_MULTI_MODEL=true"] if many else ["-e", f"SERVING_ENGINE={request.param}"]
    with serving(image, tmp_path / "ml", *no_shell, *choice, "-e", "SAGEMAKER_MODEL_SERVER_WORKERS=2") as container:
        container.wait_until_healthy()
        if many:
            assert container.ask(json.dumps({"model_name": "m0", "url": "/opt/ml/models/m0/model"}).encode(), path="/models")[0] == 200
        yield container


def kill_a_worker(container: Container) -> None:
    processes = docker("top", container.name, "-eo", "pid,args").stdout.splitlines()
    workers = [int(line.split()[0]) for line in processes if "model_service_worker" in line or "serving.asgi.parent" in line]
    os.kill(max(workers), signal.SIGKILL)


def test_it_serves_replaces_a_worker_and_stops_without_a_shell(server: Container, started: Path) -> None:
    path = "/models/m0/invoke" if server.ask(None, path="/models")[0] == 200 else "/invocations"

    def ask(body: bytes, content_type: str = "application/json") -> int:
        return server.ask(body, content_type, path)[0]

    assert ask(b'{"user_id": "u0", "explain": true}') == 200
    assert ask(b'{"user_id": "u0"}\n' * 2000, "application/jsonlines") == 200
    assert ask(b"{") == 400
    kill_a_worker(server)
    time.sleep(3)
    server.wait_until_healthy()
    with ThreadPoolExecutor(4) as callers:
        assert list(callers.map(ask, [b'{"user_id": "u1"}'] * 40)) == [200] * 40
    for other in ("/metrics", "/execution-parameters"):
        assert server.ask(None, path=other)[0] == 200
    docker("stop", "-t", "30", server.name)
    assert server.exit_code() == 0
    assert found(started) == []
