"""The two programs that SageMaker starts: which Python runs what, from where, with nothing else on the machine than Python."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

BIN = Path(__file__).resolve().parents[2] / "container" / "bin"
PROGRAMS = ("serve", "train")
SAYS_WHO_RUNS = """
import json, os, sys
if __name__ == "__main__":
    found = {"program": __spec__.name, "python": sys.executable, "arguments": sys.argv[1:], "path": sys.path[:2]}
    print(json.dumps(found | {"for children": os.environ["PYTHONPATH"]}))
    sys.exit(7)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of the two programs alone; what they start says how it was started."""
    root = tmp_path / "a project"
    (root / "container").mkdir(parents=True)
    shutil.copytree(BIN, root / "container" / "bin")
    (root / "container" / "__init__.py").touch()
    for name in PROGRAMS:
        (root / "container" / f"{name}.py").write_text(SAYS_WHO_RUNS)
    return root


@pytest.fixture
def only_python(tmp_path: Path) -> Path:
    """A folder that takes the place of the PATH: there is no shell on it, nor anything else than python3."""
    (tmp_path / "path").mkdir()
    (tmp_path / "path" / "python3").symlink_to(sys.executable)
    return tmp_path / "path"


def started(program: Path, *arguments: str, path: Path, cwd: Path, **more: str) -> dict[str, object]:
    environment = {"PATH": str(path), **more}
    finished = subprocess.run([str(program), *arguments], env=environment, cwd=cwd, capture_output=True, text=True, timeout=30, check=False)
    assert (finished.returncode, finished.stderr) == (7, "")
    return dict(json.loads(finished.stdout))


@pytest.mark.parametrize("name", PROGRAMS)
def test_without_a_venv_the_python_on_the_path_runs_the_program(name: str, project: Path, only_python: Path, tmp_path: Path) -> None:
    found = started(project / "container" / "bin" / name, "--a", "b c", path=only_python, cwd=tmp_path)
    assert found["python"] == str(only_python / "python3")
    assert (found["program"], found["arguments"]) == (f"container.{name}", ["--a", "b c"])


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_python_of_the_projects_venv_goes_before(name: str, project: Path, only_python: Path, tmp_path: Path) -> None:
    (project / ".venv" / "bin").mkdir(parents=True)
    (project / ".venv" / "bin" / "python").symlink_to(sys.executable)
    found = started(project / "container" / "bin" / name, path=only_python, cwd=tmp_path)
    assert found["python"] == str(project / ".venv" / "bin" / "python")


@pytest.mark.parametrize("name", PROGRAMS)
def test_through_a_link_and_from_a_folder_with_the_same_names_it_is_still_the_projects(
    name: str, project: Path, only_python: Path, tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(project / "container" / "bin" / name)
    elsewhere = tmp_path / "elsewhere"
    for module in ("container", "os", "json"):
        (elsewhere / module).mkdir(parents=True)
        (elsewhere / module / "__init__.py").write_text("raise SystemExit('the wrong one')")
    found = started(tmp_path / "link", path=only_python, cwd=elsewhere, PYTHONPATH=str(tmp_path / "more"))
    assert found["path"] == [str(project), str(tmp_path / "more")]
    assert found["for children"] == f"{project}:{tmp_path / 'more'}"


@pytest.mark.parametrize("name", PROGRAMS)
def test_neither_is_a_script_for_a_shell(name: str) -> None:
    first, *_ = (BIN / name).read_text(encoding="utf-8").splitlines()
    assert first == "#!/usr/bin/env -S python3 -I -S"
