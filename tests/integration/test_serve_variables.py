"""Each variable of the toolkit and the platform, by what a running server does with it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from container.cpus import usable_cpus
from tests.integration.memory_group import memory_group
from tests.integration.serving import JSON, KNOWN, Server, make_model, serving


@pytest.fixture(scope="module")
def parent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    parent = tmp_path_factory.mktemp("ml")
    make_model(parent / "model")
    return parent


def listening(server: Server) -> set[int]:
    family = server.processes()
    return {c.laddr.port for c in psutil.net_connections("inet") if c.status == psutil.CONN_LISTEN and c.pid in family}


def java_flags(server: Server) -> list[str]:
    return server.processes()[server.java()].split()


def test_port_workers_accept_timeout_and_log_level_are_those_of_the_variables(parent: Path) -> None:
    variables = {
        "SAGEMAKER_SAFE_PORT_RANGE": "41000-41999",
        "SAGEMAKER_MODEL_SERVER_WORKERS": "3",
        "SAGEMAKER_MODEL_SERVER_TIMEOUT": "1",
        "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "text/csv",
        "SAGEMAKER_CONTAINER_LOG_LEVEL": "40",
        "SAGEMAKER_MODEL_SERVER_VMARGS": "-Xmx99m",
    }
    with serving(parent, **variables) as server:
        workers = server.wait_until_healthy().workers()
        assert len(workers) == 3
        assert listening(server) == {server.port}  # nothing else is open, in the range or out of it
        assert [flag for flag in java_flags(server) if flag.startswith("-Xmx")][-1] == "-Xmx99m"
        for accept, content_type in (
            ({}, "text/csv"),
            ({"Accept": "*/*"}, "text/csv"),
            ({"Accept": JSON["Content-Type"]}, "application/json"),
        ):
            assert server.invoke(KNOWN, JSON | accept).headers["content-type"] == content_type
        assert server.records() == []
        for worker in workers:
            os.kill(worker, signal.SIGSTOP)
        start = time.monotonic()
        assert server.invoke(KNOWN).status == 500
        assert 0.8 < time.monotonic() - start < 5
        # An error is logged at this level, too.
        assert [record["lost"] for record in server.records()] == ["Worker did not answer in time."]


# The whole file system read-only but for a small /tmp of its own, as on a serverless endpoint.
READ_ONLY = ("unshare", "--mount", "sh", "-c", 'mount -o remount,bind,ro / && mount -t tmpfs -o size=20m none "$TMPDIR" && exec "$0" "$@"')


def test_on_a_serverless_endpoint_one_worker_and_a_small_heap_do_with_a_read_only_system(parent: Path, tmp_path: Path) -> None:
    if (
        shutil.which("unshare") is None
        or subprocess.run([*READ_ONLY, "true"], env={"TMPDIR": str(tmp_path)}, capture_output=True).returncode
    ):
        pytest.skip("a file system can't be mounted read-only here")
    with memory_group(512) as group:
        into_group = ("sh", "-c", f'echo $$ > {group}/cgroup.procs && exec "$0" "$@"')
        variables = {"SAGEMAKER_MODEL_SERVER_WORKERS": "", "PYTHONDONTWRITEBYTECODE": ""}
        with serving(parent, (*into_group, *READ_ONLY), **variables) as server:
            workers = server.wait_until_healthy().workers()
            assert len(workers) == 1
            assert "-Xmx128m" in java_flags(server)
            assert {server.invoke(KNOWN).status for _ in range(20)} == {200}
            assert server.workers() == workers


def test_with_memory_enough_there_is_a_worker_for_each_cpu(parent: Path) -> None:
    with serving(parent, SAGEMAKER_MODEL_SERVER_WORKERS="", SERVING_MEMORY_LIMIT_MB=str(usable_cpus() * 1024)) as server:
        assert len(server.wait_until_healthy().workers()) == usable_cpus()
