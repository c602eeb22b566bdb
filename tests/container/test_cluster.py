"""The hosts of a job know who leads and find each other, though names may take a while to be known."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from container.cluster import Cluster, address_of, job_facts, own_address, read_cluster, wait_seconds
from container.paths import SettingsError


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path))
    (tmp_path / "input" / "config").mkdir(parents=True)
    return tmp_path


def write(base: Path, content: dict[str, Any], name: str = "resourceconfig.json") -> None:
    (base / "input" / "config" / name).write_text(json.dumps(content))


@pytest.mark.parametrize("name", ["resourceconfig.json", "resourceConfig.json"])
def test_the_first_host_leads(base: Path, name: str) -> None:
    write(base, {"current_host": "algo-2", "hosts": ["algo-2", "algo-1"], "network_interface_name": "eth0", "topology": {}}, name)
    cluster = read_cluster()
    assert cluster == Cluster("algo-2", ("algo-1", "algo-2"), "eth0")
    assert (cluster.leader, cluster.is_leader) == ("algo-1", False)


def test_a_job_is_told_by_the_names_that_the_platform_gives_it(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("TRAINING_JOB_NAME", "TRAINING_JOB_ARN", "AWS_REGION"):
        monkeypatch.delenv(variable, raising=False)
    assert job_facts() == {}
    monkeypatch.setenv("TRAINING_JOB_NAME", "music-1")
    write(
        base, {"current_host": "algo-1", "hosts": ["algo-2", "algo-1"], "current_instance_type": "ml.m5.xlarge", "current_group_name": "a"}
    )
    assert job_facts() == {"jobName": "music-1", "instanceType": "ml.m5.xlarge", "instanceGroup": "a", "hosts": "algo-1,algo-2"}


@pytest.mark.parametrize("content", [{}, {"hosts": []}, {"hosts": "algo-1"}, {"current_host": "algo-1"}])
def test_without_hosts_this_one_leads(base: Path, content: dict[str, Any]) -> None:
    write(base, content)
    assert read_cluster().is_leader


def test_a_host_that_is_none_of_the_cluster_is_told(base: Path) -> None:
    write(base, {"current_host": "algo-9", "hosts": ["algo-1", "algo-2"]})
    with pytest.raises(SettingsError, match=r"current_host is 'algo-9', which is none of its hosts \(algo-1, algo-2\)"):
        read_cluster()


def test_one_of_several_hosts_has_to_know_which_it_is(base: Path) -> None:
    write(base, {"hosts": ["algo-1", "algo-2"]})
    with pytest.raises(SettingsError, match=r"Correct resourceconfig\.json: current_host"):
        read_cluster()


def test_the_address_of_the_interface_wins_over_that_of_the_name() -> None:
    deadline = time.monotonic() + 5
    assert own_address(Cluster("127.0.0.9", ("127.0.0.9",), "lo"), deadline) == "127.0.0.1"
    assert own_address(Cluster("127.0.0.9", ("127.0.0.9",), "no-such-interface"), deadline) == "127.0.0.9"
    assert own_address(Cluster("127.0.0.9", ("127.0.0.9",)), deadline) == "127.0.0.9"


def test_a_name_that_is_known_a_moment_later_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def look_up(host: str, *arguments: Any) -> list[Any]:
        asked.append(host)
        if len(asked) < 4:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.7", 0))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    assert address_of("algo-1", time.monotonic() + 30) == "10.0.0.7"
    assert asked == ["algo-1"] * 4


def test_a_name_that_stays_unknown_ends_with_a_sentence() -> None:
    begin = time.monotonic()
    with pytest.raises(SettingsError, match=r"the name of the host algo-7\.invalid was not known in time"):
        address_of("algo-7.invalid", time.monotonic() + 0.5)
    assert time.monotonic() - begin < 5


def test_the_time_to_wait_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CLUSTER_TIMEOUT_SECONDS", raising=False)
    assert wait_seconds() == 300
    monkeypatch.setenv("CLUSTER_TIMEOUT_SECONDS", "12.5")
    assert wait_seconds() == 12.5


@pytest.mark.parametrize("given", ["soon", "0", "-1", "nan", "inf"])
def test_a_time_that_is_none_is_told(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("CLUSTER_TIMEOUT_SECONDS", given)
    with pytest.raises(SettingsError, match=f'Set the variable CLUSTER_TIMEOUT_SECONDS to a number of seconds: "{given}" is none'):
        wait_seconds()
