"""Whoever does the pieces, the results are the same and come in order; whatever happens to a worker, nothing is lost or left behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.training.data import pieces
from training.data import dask_engine, dask_processes
from training.data.dask_engine import DaskEngine, dask_on_this_machine, dask_over_hosts
from training.data.dask_processes import EngineError, WorkerProcesses, work_for
from training.data.engine import Engine, LocalEngine
from training.data.errors import UserDataError

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def engine() -> Iterator[DaskEngine]:
    with dask_on_this_machine(2) as engine:
        yield engine


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(numbers=st.lists(st.integers(-(10**12), 10**12), max_size=40))
def test_results_are_those_of_this_process_in_the_same_order(engine: DaskEngine, numbers: list[int]) -> None:
    others: Sequence[Engine] = (LocalEngine(1), LocalEngine(3), engine)
    assert [list(other.map(pieces.square, numbers)) for other in others] == [[number**2 for number in numbers]] * 3


def test_work_is_spread_over_processes_that_are_not_this_one(engine: DaskEngine) -> None:
    pids = set(engine.map(pieces.pid_of, range(40)))
    assert pids == set(engine._own_workers.pids)
    assert os.getpid() not in pids
    assert len(pids) == 2
    assert set(engine.map(pieces.threads_of_blas, range(4))) == {"1"}


def test_arrays_come_whole(engine: DaskEngine) -> None:
    sizes = [0, 1, 3_000_000]
    assert [array.sum() for array in engine.map(pieces.numbers, sizes)] == [size * (size - 1) // 2 for size in sizes]


def test_only_a_few_pieces_are_done_before_their_results_are_taken(engine: DaskEngine, tmp_path: Path) -> None:
    results = engine.map(pieces.touch, [(tmp_path, number) for number in range(50)])
    assert next(results) == 0
    time.sleep(1)
    done = len(list(tmp_path.iterdir()))
    assert 1 <= done <= 2 * dask_engine.PER_WORKER + 1
    assert list(results) == list(range(1, 50))


def test_what_a_piece_raises_arrives_as_it_was_raised(engine: DaskEngine) -> None:
    results = engine.map(pieces.refuse_seven, range(20))
    with pytest.raises(UserDataError, match=r"^events\.csv, row 7: no number$") as raised:
        list(results)
    assert type(raised.value) is UserDataError
    with pytest.raises(TimeoutError, match="the piece itself"):
        list(engine.map(pieces.time_out, [1]))
    assert list(engine.map(pieces.square, [3])) == [9]


def test_a_reader_that_stops_early_leaves_nothing_waiting(engine: DaskEngine) -> None:
    results = engine.map(pieces.slow_square, range(100))
    assert next(results) == 0
    results.close()  # type: ignore[attr-defined]
    begin = time.monotonic()
    assert list(engine.map(pieces.square, [2])) == [4]
    assert time.monotonic() - begin < 2


def test_on_one_machine_the_function_is_called_once(engine: DaskEngine) -> None:
    assert engine.on_each_host(pieces.pid_of).keys() == {""}


def test_nothing_listens_but_on_the_loopback_address(engine: DaskEngine) -> None:
    processes = [psutil.Process(), *map(psutil.Process, engine._own_workers.pids)]
    listening = [one.laddr.ip for process in processes for one in process.net_connections() if one.status == psutil.CONN_LISTEN]
    assert len(listening) >= 6  # a scheduler and two workers, with two sockets each
    assert set(listening) == {"127.0.0.1"}


def test_a_worker_that_dies_costs_nothing_but_time(tmp_path: Path) -> None:
    mark = tmp_path / "died"
    with dask_on_this_machine(2) as engine:
        assert list(engine.map(pieces.die_once, [(mark, number) for number in range(30)])) == [number**2 for number in range(30)]
        assert mark.exists()
        for pid in engine._own_workers.pids:
            os.kill(pid, signal.SIGKILL)
        assert list(engine.map(pieces.slow_square, range(60))) == [number**2 for number in range(60)]


def test_a_piece_that_kills_every_worker_ends_with_a_sentence() -> None:
    with dask_on_this_machine(2) as engine, pytest.raises(EngineError, match="died over the same piece of the data; if memory ran out"):
        list(engine.map(pieces.die_always, [1]))


def test_workers_that_cannot_start_are_given_up_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_processes, "START", "import sys; sys.exit(9)")
    with (
        pytest.raises(EngineError, match=r"the worker processes of this machine ended 20 times \(last with code 9\)"),
        dask_on_this_machine(1),
    ):
        pytest.fail("there is no worker")


def test_no_process_and_no_file_is_left_however_it_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    pids: list[int] = []

    def work() -> None:
        with dask_on_this_machine(2) as engine:
            pids.extend(engine._own_workers.pids)
            assert list(tmp_path.iterdir())
            list(engine.map(pieces.refuse_seven, range(20)))

    with pytest.raises(UserDataError, match="row 7"):
        work()
    assert len(pids) == 2
    assert not [pid for pid in pids if psutil.pid_exists(pid)]
    assert list(tmp_path.iterdir()) == []


def test_workers_do_not_outlive_a_parent_that_is_killed() -> None:
    code = (
        "import os, signal; from training.data.dask_engine import dask_on_this_machine\n"
        "with dask_on_this_machine(2) as engine:\n"
        "    print(*engine._own_workers.pids, flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)"
    )
    killed = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    pids = [int(pid) for pid in killed.stdout.split()]
    assert (killed.returncode, len(pids)) == (-signal.SIGKILL, 2)
    deadline = time.monotonic() + 10
    while any(psutil.pid_exists(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not [pid for pid in pids if psutil.pid_exists(pid)]


def test_no_home_is_needed_and_nothing_is_said(tmp_path: Path) -> None:
    code = (
        "from tests.training.data.pieces import square; from training.data.dask_engine import dask_on_this_machine\n"
        "with dask_on_this_machine(1) as engine: print(list(engine.map(square, [1, 2])))"
    )
    environment = {"PATH": os.environ["PATH"], "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-W", "error", "-c", code]
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "[1, 4]\n", "")
    assert list(tmp_path.iterdir()) == []


# --- several hosts, which are addresses of this machine ---------------------------------------------------------------------------------

FOLLOW = (
    "import sys; from training.data.dask_processes import *\n"
    "leader, host = sys.argv[1:3]\n"
    "try:\n"
    "    with WorkerProcesses(leader, host, host, '0', 1, float(sys.argv[3])) as workers: work_for('127.0.0.1', workers)\n"
    "except EngineError as error:\n"
    "    sys.exit(str(error))"
)


Follower = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def follower() -> Iterator[Follower]:
    """Starts another host, which ends with the test at the latest."""
    started: list[subprocess.Popen[str]] = []

    def start(host: str, port: int, seconds: float = 30) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", FOLLOW, f"tcp://127.0.0.1:{port}", host, str(seconds)]
        started.append(subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def ending(process: subprocess.Popen[str]) -> tuple[int, str]:
    _, said = process.communicate(timeout=60)
    return process.returncode, said


HOSTS = ("127.0.0.1", "127.0.0.2", "127.0.0.3")


def host_of(item: tuple[str, int]) -> str | None:
    return item[0] or None


def test_pinned_pieces_are_done_by_their_host_and_the_others_end_well(follower: Follower) -> None:
    port = free_port()
    followers = [follower(host, port) for host in HOSTS[1:]]
    with dask_over_hosts(HOSTS[0], HOSTS, HOSTS[0], port, 1, 60) as engine:
        pids = engine.on_each_host(pieces.pid_of)
        assert pids.keys() == set(HOSTS)
        assert len(set(pids.values())) == 3
        items = [(HOSTS[number % 3], number) for number in range(12)]
        assert list(engine.map(pieces.pid_of, items, host_of)) == [pids[host] for host, _ in items]
        assert set(engine.map(pieces.pid_of, [("", number) for number in range(60)], host_of)) == set(pids.values())
    assert [ending(process) for process in followers] == [(0, "")] * 2


def test_a_missing_host_is_named_and_those_that_came_are_sent_home(follower: Follower) -> None:
    port = free_port()
    present = follower(HOSTS[1], port)
    sentence = r"^1 of 3 hosts did not join the Dask cluster within 6 s: 127\.0\.0\.3\. See the log of each"
    with pytest.raises(EngineError, match=sentence), dask_over_hosts(HOSTS[0], HOSTS, HOSTS[0], port, 1, 6):
        pytest.fail("a host is missing")
    assert ending(present) == (0, "")


def test_a_host_that_dies_is_not_needed_unless_only_it_has_the_file(follower: Follower, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_engine, "GONE_SECONDS", 2.0)
    port = free_port()
    followers = [follower(host, port) for host in HOSTS[1:]]
    with dask_over_hosts(HOSTS[0], HOSTS, HOSTS[0], port, 1, 60) as engine:
        results = engine.map(pieces.slow_square, range(100))
        assert next(results) == 0
        followers[1].kill()
        assert list(results) == [number**2 for number in range(1, 100)]
        assert list(engine.map(pieces.square_of, [(HOSTS[1], 5)], host_of)) == [25]
        with pytest.raises(EngineError, match=r"^host 127\.0\.0\.3 is gone, and only it has its part of a channel"):
            list(engine.map(pieces.square_of, [(HOSTS[2], 5)], host_of))
    assert ending(followers[0]) == (0, "")
    assert ending(followers[1])[0] == -signal.SIGKILL


def test_a_worker_of_another_host_that_dies_is_started_again_there(follower: Follower) -> None:
    port = free_port()
    other = follower(HOSTS[1], port)
    with dask_over_hosts(HOSTS[0], HOSTS[:2], HOSTS[0], port, 1, 60) as engine:
        before = engine.on_each_host(pieces.pid_of)[HOSTS[1]]
        os.kill(before, signal.SIGKILL)
        after = engine.on_each_host(pieces.pid_of)[HOSTS[1]]
        assert after != before
    assert ending(other) == (0, "")


def test_without_a_leader_the_others_end_with_a_sentence(follower: Follower) -> None:
    code, said = ending(follower(HOSTS[1], free_port(), seconds=3))
    assert code == 1
    assert said.startswith("127.0.0.2 could not reach the leading host 127.0.0.1 within 3 s; see its log")


def test_when_the_leader_vanishes_the_others_end_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    code = (
        "import os, signal, sys; from training.data.dask_engine import dask_over_hosts\n"
        f"with dask_over_hosts('127.0.0.1', {HOSTS[:2]}, '127.0.0.1', {port}, 1, 60):\n"
        "    os.kill(os.getpid(), signal.SIGKILL)"
    )
    monkeypatch.setattr(dask_processes, "RECONNECT_SECONDS", 2.0)
    leader = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT)
    with (
        pytest.raises(EngineError, match=r"^the leading host 127\.0\.0\.1 is gone"),
        WorkerProcesses(f"tcp://127.0.0.1:{port}", HOSTS[1], HOSTS[1], "0", 1, 60) as workers,
    ):
        work_for("127.0.0.1", workers)
    assert leader.wait(10) == -signal.SIGKILL


def test_a_port_that_is_taken_is_told() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = int(taken.getsockname()[1])
        sentence = rf"the Dask scheduler cannot listen on 127\.0\.0\.1:{port}: .*Address already in use"
        with pytest.raises(EngineError, match=sentence), dask_over_hosts("a", ["a", "b"], "127.0.0.1", port, 1, 5):
            pytest.fail("the port is taken")
