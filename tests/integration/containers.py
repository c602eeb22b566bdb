"""Containers of the image, run as SageMaker runs them and more strictly."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

IMAGE = "music-recommender:test"
STRICT = ["--user", "12345:12345", "--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"]


def docker(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    finished = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)
    assert not check or finished.returncode == 0, f"docker {' '.join(arguments)}\n{finished.stdout}\n{finished.stderr}"
    return finished


def make_base(folder: Path, data: Path, hyperparameters: dict[str, str]) -> Path:
    """Makes an ``/opt/ml`` as the platform does, which user 12345 may write where a container may write."""
    shutil.copytree(data, folder / "input" / "data")
    (folder / "input" / "config").mkdir()
    (folder / "input" / "config" / "hyperparameters.json").write_text(json.dumps(hyperparameters))
    for name in ("model", "output"):
        (folder / name).mkdir()
        (folder / name).chmod(0o777)
    return folder
