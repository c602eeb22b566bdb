from __future__ import annotations

import subprocess
import sys

import pytest

from tests.integration.serving import ROOT

TOO_HEAVY = {"pandas", "dask", "sklearn", "pyarrow", "boto3", "botocore", "scipy", "training", "moto"}


@pytest.mark.parametrize("module", ["container.serve", "container.serving.handler", "container.serving.preflight"])
def test_what_serves_imports_nothing_heavy(module: str) -> None:
    code = f"import sys, {module}; print(*sorted(name.partition('.')[0] for name in sys.modules))"
    finished = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True, timeout=30
    )
    assert set(finished.stdout.split()) & TOO_HEAVY == set()


def test_the_launcher_itself_does_not_even_import_numpy() -> None:
    code = "import sys, container.serve; sys.exit('numpy' in sys.modules or 'mms' in sys.modules)"
    finished = subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": str(ROOT)}, timeout=30, check=False)
    assert finished.returncode == 0
