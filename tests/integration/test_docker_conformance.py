"""The image keeps SageMaker's contract: the conformance suite, run against containers of it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.docker
@pytest.mark.timeout(3000)
def test_the_image_conforms(image: str, tmp_path: Path) -> None:
    suite = [str(ROOT / "scripts" / "conformance"), "--image", image, "--quick"]
    command = [*suite, "--output", str(tmp_path / "table.md")]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert " 0 failed" in (tmp_path / "table.md").read_text(encoding="utf-8")
