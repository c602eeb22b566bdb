"""What a person types: the launchers, set-up, and what CodeBuild runs."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
LAUNCHERS = sorted(
    path for path in (ROOT / "scripts").iterdir() if path.is_file() and "_launch" in path.read_text(encoding="utf-8").split("\n")[1]
)


def run(*command: str, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("launcher", LAUNCHERS, ids=lambda path: path.name)
def test_every_command_explains_itself_from_any_folder(launcher: Path, tmp_path: Path) -> None:
    finished = run(str(launcher), "--help", cwd=tmp_path)
    assert finished.returncode == 0, finished.stderr
    assert f"usage: scripts/{launcher.name}" in finished.stdout
    assert finished.stderr == ""


def test_a_folder_named_like_a_package_of_ours_does_not_get_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "__init__.py").write_text("raise SystemExit('wrong package')")
    assert run(str(ROOT / "scripts" / "invoke"), "--help", cwd=tmp_path).returncode == 0


def test_setting_up_again_does_nothing_and_says_nothing() -> None:
    finished = run("scripts/setup", "--quiet")
    assert (finished.returncode, finished.stdout, finished.stderr) == (0, "", "")


@pytest.mark.parametrize("version", ["3.10", None])
def test_setting_up_without_a_new_python_says_which_were_tried(tmp_path: Path, version: str | None) -> None:
    for name in ("bash", "dirname", "cmp", "mktemp", "rm", "cat"):
        (tmp_path / name).symlink_to(str(shutil.which(name)))
    if version:  # one that is too old: it fails the question for its version
        for name in ("python3", "python3.11"):
            (tmp_path / name).write_text("#!/bin/bash\nexit 1\n")
            (tmp_path / name).chmod(0o755)
    (tmp_path / "clone" / "scripts").mkdir(parents=True)
    (tmp_path / "clone" / "requirements").mkdir()
    (tmp_path / "clone" / "requirements" / "dev.txt").write_text("")
    shutil.copy(ROOT / "scripts" / "setup", tmp_path / "clone" / "scripts" / "setup")
    finished = run(str(tmp_path / "clone" / "scripts" / "setup"), PATH=str(tmp_path), PYTHON="")
    assert finished.returncode == 1
    assert "no Python 3.11 or newer found (tried python3.11, python3.12, python3.13, python3)" in finished.stderr
    assert len(finished.stderr.splitlines()) == 1


def test_check_refuses_an_argument_it_does_not_know() -> None:
    finished = run("scripts/check", "--fixx")
    assert finished.returncode == 2
    assert "--fixx" in finished.stderr


def test_codebuild_runs_nothing_but_the_scripts() -> None:
    phases = yaml.safe_load((ROOT / "buildspec.yml").read_text(encoding="utf-8"))["phases"]
    programs = [shlex.split(command)[0] for phase in phases.values() for command in phase["commands"]]
    assert set(programs) == {"scripts/setup", "scripts/check", "scripts/test", "scripts/build_and_push"}
    assert all(os.access(ROOT / program, os.X_OK) for program in programs)
