"""Every file of the platform may be missing, oddly spelled, or hold more than we know."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from container import paths
from container.cpus import limit_threads, usable_cpus


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path))
    return tmp_path


def test_everything_is_under_opt_ml_unless_it_is_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SAGEMAKER_BASE_DIR", raising=False)
    assert (str(paths.model_dir()), str(paths.failure_file())) == ("/opt/ml/model", "/opt/ml/output/failure")
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", "/elsewhere")
    assert str(paths.output_data_dir()) == "/elsewhere/output/data"


def test_missing_files_are_empty_settings(base: Path) -> None:
    assert (paths.hyperparameters(), paths.resource_config(), paths.input_data_config()) == ({}, {}, {})


def test_checkpoints_are_where_the_job_says_or_where_the_folder_is(base: Path) -> None:
    assert paths.checkpoint_dir() is None
    (base / "checkpoints").mkdir()
    assert paths.checkpoint_dir() == base / "checkpoints"
    (base / "input" / "config").mkdir(parents=True)
    for local, expected in (("/opt/ml/kept/here", base / "kept" / "here"), ("/elsewhere", Path("/elsewhere"))):
        (base / "input" / "config" / "checkpointconfig.json").write_text(f'{{"LocalPath": "{local}"}}')
        assert paths.checkpoint_dir() == expected


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
