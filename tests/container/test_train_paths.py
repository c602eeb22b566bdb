"""Every file of the platform may be missing, oddly spelled, or hold more than we know."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from container import paths
from container.cluster import read_cluster
from container.cpus import limit_threads, usable_cpus
from container.paths import SettingsError


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path))
    return tmp_path


def write(base: Path, name: str, content: Any) -> None:
    (base / "input" / "config").mkdir(parents=True, exist_ok=True)
    (base / "input" / "config" / name).write_text(json.dumps(content))


def channel(base: Path, *names: str) -> None:
    for name in names:
        (base / "input" / "data" / name).mkdir(parents=True)


def test_everything_is_under_opt_ml_unless_it_is_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SAGEMAKER_BASE_DIR", raising=False)
    assert (str(paths.model_dir()), str(paths.failure_file())) == ("/opt/ml/model", "/opt/ml/output/failure")
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", "/elsewhere")
    assert str(paths.output_data_dir()) == "/elsewhere/output/data"


def test_missing_files_are_empty_settings(base: Path) -> None:
    assert (paths.hyperparameters(), paths.resource_config(), paths.channels()) == ({}, {}, {})


def test_channels_are_those_that_are_described_and_there(base: Path) -> None:
    channel(base, "interactions", "left_over")
    write(base, "inputdataconfig.json", {"interactions": {"TrainingInputMode": "File", "NewKey": 1}, "items": {}})
    assert list(paths.channels()) == ["interactions"]


def test_without_a_description_every_folder_is_a_channel(base: Path) -> None:
    channel(base, "items", "interactions", ".hidden")
    (base / "input" / "data" / "note.txt").write_text("x")
    assert list(paths.channels()) == ["interactions", "items"]


def test_pipe_mode_is_refused_with_what_to_set(base: Path) -> None:
    write(base, "inputdataconfig.json", {"interactions": {"TrainingInputMode": "Pipe"}})
    with pytest.raises(SettingsError, match=r"^Set TrainingInputMode of the channel 'interactions' to File or FastFile"):
        paths.channels()


@pytest.mark.parametrize("name", ["resourceconfig.json", "resourceConfig.json"])
def test_the_first_host_leads(base: Path, name: str) -> None:
    write(base, name, {"current_host": "algo-2", "hosts": ["algo-2", "algo-1"], "network_interface_name": "eth0"})
    cluster = read_cluster()
    assert (cluster.leader, cluster.is_leader, len(cluster.hosts)) == ("algo-1", False, 2)


@pytest.mark.parametrize("content", [{}, {"hosts": []}, {"hosts": "algo-1"}, {"current_host": "algo-1"}])
def test_without_hosts_this_one_leads(base: Path, content: dict[str, Any]) -> None:
    write(base, "resourceconfig.json", content)
    assert read_cluster().is_leader


def test_a_leader_that_would_see_a_part_of_the_data_refuses(base: Path) -> None:
    write(base, "resourceconfig.json", {"current_host": "algo-1", "hosts": ["algo-1", "algo-2"]})
    write(base, "inputdataconfig.json", {"interactions": {"S3DistributionType": "ShardedByS3Key"}})
    with pytest.raises(SettingsError, match=r"^Set InstanceCount to 1, or S3DataDistributionType of the channel 'interactions'"):
        read_cluster()
    write(base, "resourceconfig.json", {"current_host": "algo-1", "hosts": ["algo-1"]})
    assert read_cluster().is_leader


def test_a_quota_of_the_container_counts(tmp_path: Path) -> None:
    cpus = usable_cpus(tmp_path)
    assert cpus >= 1
    (tmp_path / "cpu.max").write_text("50000 100000\n")
    assert usable_cpus(tmp_path) == 1
    (tmp_path / "cpu.max").write_text("max 100000\n")
    assert usable_cpus(tmp_path) == cpus
    (tmp_path / "cpu.max").unlink()
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text("100000\n")
    (tmp_path / "cpu" / "cpu.cfs_period_us").write_text("100000\n")
    assert usable_cpus(tmp_path) == 1
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text("-1\n")
    assert usable_cpus(tmp_path) == cpus


def test_threads_that_are_asked_for_win_and_the_callers_variable_beats_a_guess(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    for variable in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.setenv(variable, "")
    limit_threads(0)
    assert (os.environ["OMP_NUM_THREADS"], os.environ["OPENBLAS_NUM_THREADS"]) == ("7", str(usable_cpus()))
    limit_threads(3)
    assert (os.environ["OMP_NUM_THREADS"], os.environ["MKL_NUM_THREADS"]) == ("3", "3")
