"""The second engine of serve keeps SageMaker's contract for endpoints of one model as the first one does."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_serve_with_uvicorn_conforms(tmp_path: Path) -> None:
    folder = shutil.copytree(ROOT / "tests" / "conformance" / "subject", tmp_path / "subject")
    facts = json.loads((folder / "subject.json").read_text(encoding="utf-8"))
    facts["serving"]["multi_model"] = False  # which this engine refuses at the start
    (folder / "subject.json").write_text(json.dumps(facts), encoding="utf-8")
    command = f"env SERVING_ENGINE=uvicorn {ROOT}/container/bin/{{}}"
    suite = [str(ROOT / "scripts" / "conformance"), "--command", command, "--folder", str(folder), "--output", str(tmp_path / "table.md")]
    finished = subprocess.run([*suite, "--quick", "--", "-k", "inference"], capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    last = finished.stdout.strip().splitlines()[-1]
    assert int(last.split()[0]) > 70, last
    assert " 0 failed" in last
