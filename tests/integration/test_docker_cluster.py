"""Three containers on a Docker network are one training job: the model of one container alone, whatever happens to the other two."""

from __future__ import annotations

import json
import re
import shutil
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.integration.containers import STRICT, docker, make_base

pytestmark = [pytest.mark.docker, pytest.mark.timeout(1500)]

HOSTS = ("algo-1", "algo-2", "algo-3")
FILES, ROWS_PER_FILE = 4, 600_000
# Small pieces and half a CPU make the reading slow enough to interrupt it; the model itself is small.
QUICK = {"models": "popularity,item_knn", "data_partition_mb": "1", "item_knn_neighbours": "20", "evaluation_bootstrap_samples": "20"}
SECONDS_OF_A_JOB = 300


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of 2.4 million events, 55 MB in four files, as the channel ``interactions``."""
    folder = tmp_path_factory.mktemp("events") / "data"
    (folder / "interactions").mkdir(parents=True)
    rng = np.random.default_rng(7)
    for number in range(FILES):
        listeners, songs = rng.integers(0, 4000, ROWS_PER_FILE), rng.zipf(1.2, ROWS_PER_FILE) % 700
        seconds = rng.integers(1_600_000_000, 1_700_000_000, ROWS_PER_FILE)
        rows = [f"u{user},s{song},{at}\n" for user, song, at in zip(listeners.tolist(), songs.tolist(), seconds.tolist(), strict=True)]
        (folder / "interactions" / f"{number}.csv").write_text("USER_ID,ITEM_ID,TIMESTAMP\n" + "".join(rows))
    return folder


@dataclass
class Job:
    """The containers of one job, by host, each with an ``/opt/ml`` of its own on one network."""

    image: str
    network: str
    folder: Path
    names: dict[str, str] = field(default_factory=dict)

    def base(self, host: str) -> Path:
        return self.folder / host

    def start(self, host: str, data: Path, hosts: Sequence[str] = HOSTS, distribution: str = "FullyReplicated", **variables: str) -> None:
        base = make_base(self.base(host), data, QUICK)
        resources = {"current_host": host, "hosts": list(hosts), "network_interface_name": "eth0"}
        channels = {"interactions": {"TrainingInputMode": "File", "S3DistributionType": distribution, "RecordWrapperType": "None"}}
        (base / "input" / "config" / "resourceconfig.json").write_text(json.dumps(resources))
        (base / "input" / "config" / "inputdataconfig.json").write_text(json.dumps(channels))
        name = f"{self.network}-{host}"
        environment = [part for key, value in variables.items() for part in ("-e", f"{key}={value}")]
        network = ["--network", self.network, "--network-alias", host, "--hostname", host]
        options = ["--name", name, *STRICT, *network, "--cpus", "0.5", *environment, "-v", f"{base}:/opt/ml"]
        self.names[host] = name
        docker("run", "-d", *options, self.image, "train")

    def log(self, host: str) -> str:
        logs = docker("logs", self.names[host])
        return logs.stdout + logs.stderr

    def wait_for(self, host: str, word: str) -> None:
        deadline = time.monotonic() + 120
        while word not in self.log(host):
            assert time.monotonic() < deadline, self.log(host)
            time.sleep(0.05)

    def ends(self, host: str) -> int:
        """Waits for the end of a host and returns its exit code."""
        deadline = time.monotonic() + SECONDS_OF_A_JOB
        while (state := docker("inspect", "--format", "{{.State.Status}} {{.State.ExitCode}}", self.names[host]).stdout.split())[
            0
        ] != "exited":
            assert time.monotonic() < deadline, "\n\n".join(f"{name}:\n{self.log(name)}" for name in self.names)
            time.sleep(0.2)
        return int(state[1])

    def failure(self, host: str) -> str:
        return (self.base(host) / "output" / "failure").read_text(encoding="ascii")

    def model(self, host: str = HOSTS[0]) -> Mapping[str, Any]:
        """The version of the model, and the hash of each of its arrays."""
        document = json.loads((self.base(host) / "model" / "model.json").read_text(encoding="utf-8"))
        hashes = {name: array["sha256"] for name, array in document["arrays"].items()}
        assert len(hashes) > 5
        return {"version": document["model_version"], "arrays": hashes}


@pytest.fixture(scope="module")
def network() -> Iterator[str]:
    """A network without a way out."""
    name = f"music-recommender-test-{uuid.uuid4().hex[:8]}"
    docker("network", "create", "--internal", name)
    yield name
    docker("network", "rm", name)


@pytest.fixture
def job(image: str, network: str, tmp_path: Path) -> Iterator[Job]:
    job = Job(image, network, tmp_path)
    yield job
    for name in job.names.values():
        docker("rm", "-f", name, check=False)


@pytest.fixture(scope="module")
def alone(image: str, network: str, events: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """The model of one container, without Dask."""
    job = Job(image, network, tmp_path_factory.mktemp("alone"))
    try:
        job.start("algo-1", events, hosts=["algo-1"])
        assert job.ends("algo-1") == 0, job.log("algo-1")
        assert "event=engine name=pandas" in job.log("algo-1")
        return job.model()
    finally:
        docker("rm", "-f", job.names["algo-1"])


def assert_no_model_of_others(job: Job) -> None:
    """The leader alone writes: what several hosts write would be mixed by the platform."""
    for host in set(job.names) - {"algo-1"}:
        assert list((job.base(host) / "model").iterdir()) == []
        assert list((job.base(host) / "output").rglob("*.json")) == []


def test_worker_processes_in_one_container_need_no_network_and_make_the_same_model(
    image: str, alone: Mapping[str, Any], events: Path, tmp_path: Path
) -> None:
    base = make_base(tmp_path / "algo-1", events, {**QUICK, "data_engine": "dask"})
    finished = docker("run", "--rm", *STRICT, "--network", "none", "--env", "HOME=", "-v", f"{base}:/opt/ml", image, "train", check=False)
    log = finished.stdout + finished.stderr
    assert finished.returncode == 0, log
    assert "event=engine name=dask hosts=1" in log
    assert Job(image, "", tmp_path).model() == alone


def test_three_hosts_make_the_model_of_one(job: Job, alone: Mapping[str, Any], events: Path) -> None:
    for host in HOSTS[::-1]:
        job.start(host, events)
    assert [job.ends(host) for host in HOSTS] == [0, 0, 0], job.log("algo-1")
    assert "event=engine name=dask hosts=3" in job.log("algo-1")
    assert "event=workers_ready hosts=3 workers=3" in job.log("algo-1")
    assert "event=followed leader=algo-1" in job.log("algo-2")
    assert job.model() == alone
    assert_no_model_of_others(job)


def test_parts_of_a_channel_on_two_hosts_and_none_on_the_third_make_the_model_of_the_whole(
    job: Job, alone: Mapping[str, Any], events: Path, tmp_path: Path
) -> None:
    parts = {"algo-1": ["0.csv", "3.csv"], "algo-2": ["1.csv", "2.csv"], "algo-3": []}
    for host, files in parts.items():
        part = tmp_path / "parts" / host
        (part / "interactions").mkdir(parents=True)
        for file in files:
            shutil.copy(events / "interactions" / file, part / "interactions" / file)
        job.start(host, part, distribution="ShardedByS3Key")
    assert [job.ends(host) for host in HOSTS] == [0, 0, 0], job.log("algo-1")
    assert job.model() == alone
    assert_no_model_of_others(job)


def test_a_host_that_is_killed_while_it_reads_changes_nothing(job: Job, alone: Mapping[str, Any], events: Path) -> None:
    for host in HOSTS:
        job.start(host, events)
    job.wait_for("algo-1", "event=workers_ready hosts=3")
    docker("kill", "--signal", "KILL", job.names["algo-3"])
    assert [job.ends(host) for host in HOSTS] == [0, 0, 137], job.log("algo-1")
    assert "event=host_left host=algo-3 hosts_present=2" in job.log("algo-1")  # so it was still reading
    assert job.model() == alone


def test_a_host_that_is_killed_with_the_only_copy_of_its_part_is_named(job: Job, events: Path, tmp_path: Path) -> None:
    for host in HOSTS:
        part = tmp_path / "parts" / host
        (part / "interactions").mkdir(parents=True)
        for file in (events / "interactions").iterdir():
            shutil.copy(file, part / "interactions" / f"{host}-{file.name}")
        job.start(host, part, distribution="ShardedByS3Key")
    job.wait_for("algo-1", "event=workers_ready hosts=3")
    docker("kill", "--signal", "KILL", job.names["algo-3"])
    assert [job.ends(host) for host in HOSTS] == [2, 0, 137], job.log("algo-1")
    assert job.failure("algo-1").startswith("host algo-3 is gone, and only it has its part of a channel that is ShardedByS3Key")
    assert not (job.base("algo-1") / "model" / "model.json").exists()


def test_a_host_that_does_not_come_is_named(job: Job, events: Path) -> None:
    for host in HOSTS[:2]:
        job.start(host, events, CLUSTER_TIMEOUT_SECONDS="20")
    assert [job.ends(host) for host in HOSTS[:2]] == [2, 0]
    assert job.failure("algo-1").startswith("1 of 3 hosts did not join the Dask cluster within 20 s: algo-3.")
    assert "Traceback" not in job.log("algo-1") + job.log("algo-2")


def test_a_leader_that_does_not_come_is_named(job: Job, events: Path) -> None:
    job.start("algo-2", events, CLUSTER_TIMEOUT_SECONDS="5")
    assert job.ends("algo-2") == 2
    assert "the name of the host algo-1 was not known in time" in job.failure("algo-2")


def test_when_the_leader_dies_the_others_end_and_say_so(job: Job, events: Path) -> None:
    for host in HOSTS[:2]:
        job.start(host, events, hosts=HOSTS[:2])
    job.wait_for("algo-1", "event=workers_ready")
    docker("kill", "--signal", "KILL", job.names["algo-1"])
    assert job.ends("algo-2") == 2
    assert job.failure("algo-2").startswith("the leading host algo-1 is gone")


def test_a_stopped_job_ends_soon_on_every_host(job: Job, events: Path) -> None:
    for host in HOSTS:
        job.start(host, events)
    job.wait_for("algo-1", "event=workers_ready")
    begin = time.monotonic()
    for host in ("algo-2", "algo-1"):
        docker("stop", "-t", "60", job.names[host])
    assert time.monotonic() - begin < 30
    assert [job.ends("algo-1"), job.ends("algo-2")] == [143, 143]
    assert job.ends("algo-3") == 0
    left = {path.name for path in (job.base("algo-1") / "model").iterdir()}
    assert not left or "model.json" in left  # a whole model of what was finished by then, or none
    assert not re.search(r"Traceback|event=failed", job.log("algo-1") + job.log("algo-2"))
