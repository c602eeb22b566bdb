"""Three hosts, which are processes on three addresses of this machine: they find each other, share the work, and end as they should."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from container.cluster import Cluster
from container.paths import SettingsError
from container.train_cluster import engine_for, follow
from training.data.config import DataConfig
from training.data.engine import LocalEngine
from training.data.pipe_channel import PipeChannel

ROOT = Path(__file__).resolve().parents[2]
HOSTS = ("127.0.0.1", "127.0.0.2", "127.0.0.3")
# What container/train.py does with a cluster. The leader's work: which host sees which files, and then squares, slowly.
HOST = """
import json, sys, time
from container import train_cluster
from container.cluster import read_cluster
from container.train_channels import channels, sharded_channels
from training.data import dask_processes
from training.data.config import DataConfig
from training.progress import set_up_logging
from tests.container.train_work import files_here, slow_square

set_up_logging()
train_cluster.SCHEDULER_PORT, dask_processes.RECONNECT_SECONDS = int(sys.argv[1]), 3.0
cluster, inputs, sharded = read_cluster(), channels(), sharded_channels()
try:
    if not cluster.is_leader:
        sys.exit(train_cluster.follow(cluster, inputs, sharded, DataConfig(), 1))
    with train_cluster.engine_for(cluster, inputs, sharded, DataConfig(), 1) as engine:
        print("files", json.dumps(engine.on_each_host(files_here)), flush=True)
        print("sum", sum(engine.map(slow_square, range(int(sys.argv[2])))), flush=True)
except Exception as error:
    sys.exit(f"{type(error).__name__}: {error}")
"""
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a host; those that the test leaves are killed."""
    started: list[subprocess.Popen[str]] = []
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    def host(name: str, pieces: int = 20, hosts: tuple[str, ...] = HOSTS, seconds: str = "60") -> subprocess.Popen[str]:
        base = tmp_path / name
        (base / "input" / "config").mkdir(parents=True)
        (base / "input" / "data" / "interactions").mkdir(parents=True)
        resources = {"current_host": name, "hosts": list(hosts), "network_interface_name": "eth7"}
        (base / "input" / "config" / "resourceconfig.json").write_text(json.dumps(resources))
        (base / "input" / "config" / "inputdataconfig.json").write_text('{"interactions": {"S3DistributionType": "ShardedByS3Key"}}')
        if name != HOSTS[2]:  # the third host got no file
            (base / "input" / "data" / "interactions" / f"{name}.csv").write_text("user,item\n")
        environment = {**os.environ, "SAGEMAKER_BASE_DIR": str(base), "CLUSTER_TIMEOUT_SECONDS": seconds}
        command = [sys.executable, "-c", HOST, str(port), str(pieces)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        started.append(subprocess.Popen(command, cwd=ROOT, env=environment, text=True, **pipes))  # type: ignore[call-overload]
        return started[-1]

    yield host
    for process in started:
        process.kill()
        process.communicate()


def ending(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    said, complained = process.communicate(timeout=60)
    return process.returncode, said, complained


def until(process: subprocess.Popen[str], word: str) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if word in line:
            return
    raise AssertionError(f"ended without a word of {word}: {process.stderr.read() if process.stderr else ''}")


def test_three_hosts_share_the_work_and_each_sees_its_own_files(start: Start) -> None:
    followers = [start(name) for name in HOSTS[1:]]
    code, said, complained = ending(start(HOSTS[0]))
    assert (code, complained) == (0, "")
    files = json.loads(next(line for line in said.splitlines() if line.startswith("files")).removeprefix("files "))
    assert files == {HOSTS[0]: ["127.0.0.1.csv"], HOSTS[1]: ["127.0.0.2.csv"], HOSTS[2]: []}
    assert "sum 2470\n" in said
    for code, said, complained in map(ending, followers):
        assert (code, complained) == (0, "")
        assert "event=followed leader=127.0.0.1" in said


def test_a_missing_host_is_named_and_the_one_that_came_is_sent_home(start: Start) -> None:
    present = start(HOSTS[1], seconds="30")
    code, _, complained = ending(start(HOSTS[0], seconds="6"))
    assert code == 1
    assert complained.startswith("EngineError: 1 of 3 hosts did not join the Dask cluster within 6 s: 127.0.0.3.")
    assert ending(present)[0] == 0


def test_a_host_that_is_killed_in_the_middle_costs_nothing_but_time(start: Start) -> None:
    second, third = (start(name) for name in HOSTS[1:])
    leader = start(HOSTS[0], pieces=150)
    until(leader, "files")
    third.kill()
    code, said, complained = ending(leader)
    assert (code, complained) == (0, "")
    assert f"sum {sum(number**2 for number in range(150))}\n" in said
    assert "event=host_left host=127.0.0.3 hosts_present=2" in said
    assert ending(second)[0] == 0


def test_a_follower_that_is_stopped_ends_at_once_with_its_workers(start: Start) -> None:
    second = start(HOSTS[1], hosts=HOSTS[:2])
    leader = start(HOSTS[0], pieces=100, hosts=HOSTS[:2])
    until(leader, "files")
    begin = time.monotonic()
    second.send_signal(signal.SIGTERM)
    assert second.wait(10) == -signal.SIGTERM
    assert time.monotonic() - begin < 5
    code, said, _ = ending(leader)
    assert code == 0
    assert "event=host_left host=127.0.0.2" in said


def test_a_leader_that_is_killed_is_told_by_the_others(start: Start) -> None:
    second = start(HOSTS[1], hosts=HOSTS[:2])
    leader = start(HOSTS[0], pieces=10_000, hosts=HOSTS[:2])
    until(leader, "files")
    leader.kill()
    code, _, complained = ending(second)
    assert code == 1
    assert complained.startswith("EngineError: the leading host 127.0.0.1 is gone")


def test_a_leader_that_never_comes_is_told(start: Start) -> None:
    code, _, complained = ending(start(HOSTS[1], seconds="3"))
    assert code == 1
    assert complained.startswith("EngineError: 127.0.0.2 could not reach the leading host 127.0.0.1 within")


ALONE = Cluster("algo-1", ("algo-1",))
TWO = Cluster("algo-1", ("algo-1", "algo-2"))
SECOND = Cluster("algo-2", ("algo-1", "algo-2"))


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (DataConfig(), "pandas"),
        (DataConfig(dask_from_mb=1), "dask"),
        (DataConfig(dask_from_mb=2), "pandas"),
        (DataConfig(engine="pandas", dask_from_mb=1), "pandas"),
        (DataConfig(engine="dask"), "dask"),
        (DataConfig(dask_from_mb=0), "dask"),
    ],
)
def test_on_one_host_the_size_of_the_data_or_the_setting_chooses(tmp_path: Path, config: DataConfig, expected: str) -> None:
    (tmp_path / "events.csv").write_bytes(bytes(1 << 20))
    with engine_for(ALONE, {"interactions": tmp_path}, ("interactions",), config, 1) as engine:
        assert engine.name == expected
        assert engine.host == ""
        assert isinstance(engine, LocalEngine) == (expected == "pandas")


def test_pandas_reads_on_the_first_host_what_every_host_has(tmp_path: Path) -> None:
    config = DataConfig(engine="pandas")
    assert follow(SECOND, {"items": tmp_path}, (), config, 1) == 0
    with engine_for(TWO, {"items": tmp_path}, (), config, 3) as engine:
        assert engine.name == "pandas"


@pytest.mark.parametrize(
    ("channel", "config", "sentence"),
    [
        (Path("interactions"), DataConfig(engine="pandas"), "FullyReplicated, or data_engine to dask, or InstanceCount to 1: with Shard"),
        (
            PipeChannel("interactions", Path("i_0")),
            DataConfig(),
            "FullyReplicated, or its TrainingInputMode to File or FastFile: with Shard",
        ),
    ],
)
def test_data_that_the_leader_would_see_a_part_of_is_refused_by_all_hosts(channel: Any, config: DataConfig, sentence: str) -> None:
    for cluster, take_part in ((TWO, engine_for), (SECOND, follow)):
        with pytest.raises(SettingsError, match=f"Set S3DataDistributionType of the channel 'interactions' to {sentence}"):
            take_part(cluster, {"interactions": channel}, ("interactions",), config, 1)


def test_every_channel_that_comes_in_parts_where_it_must_be_whole_is_told_at_once() -> None:
    channels = {"interactions": PipeChannel("interactions", Path("/x")), "model": Path("/y")}
    with pytest.raises(SettingsError) as raised:
        follow(Cluster(HOSTS[1], HOSTS), channels, ("interactions", "model"), DataConfig(), 1)
    assert str(raised.value).startswith(
        "Correct 2 things about the channels: (1) Set S3DataDistributionType of the channel 'interactions' "
    )
    assert "(2) Set S3DataDistributionType of the channel 'model' to FullyReplicated: each host needs all of it." in str(raised.value)
