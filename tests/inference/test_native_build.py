"""The kernels are compiled where that can be, and nothing is lost where it can't."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from inference.native import build, library

HAS_COMPILER = any(shutil.which(name) for name in build.COMPILERS)
needs_compiler = pytest.mark.skipif(not HAS_COMPILER, reason="there is no C compiler")


@needs_compiler
@pytest.mark.skipif(os.environ.get(library.SWITCH_ENV) == "0", reason="the kernels are switched off")
def test_where_there_is_a_compiler_set_up_has_compiled_this_source() -> None:
    assert library.library() is not None, "run scripts/setup"


def built(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Builds a copy of the source in ``folder``."""
    for path in (build.SOURCE, Path(build.__file__)):
        shutil.copy(path, folder)
    command = [sys.executable, "-SE", str(folder / "build.py")]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env={"PATH": os.environ["PATH"], **environment})


@needs_compiler
def test_a_build_takes_the_one_of_an_older_source_away_and_is_not_made_twice(tmp_path: Path) -> None:
    (tmp_path / "kernels-0123-linux.so").write_bytes(b"")
    assert built(tmp_path).returncode == 0
    (library_,) = tmp_path.glob("*.so")
    assert library_.name == build.path().name
    before = library_.stat().st_mtime_ns
    assert built(tmp_path).returncode == 0
    assert library_.stat().st_mtime_ns == before


def test_without_a_compiler_there_is_a_word_of_it_and_no_failure(tmp_path: Path) -> None:
    found = built(tmp_path, PATH=str(tmp_path))
    assert (found.returncode, list(tmp_path.glob("*.so"))) == (0, [])
    assert "no C compiler" in found.stderr


def test_what_the_compiler_does_not_like_is_told(tmp_path: Path) -> None:
    found = built(tmp_path, CC="false")
    assert found.returncode == 1
    assert "can't compile kernels.c" in found.stderr


@needs_compiler
def test_the_compiler_has_nothing_to_say(tmp_path: Path) -> None:
    command = ["cc", *build.FLAGS, "-Werror", "-Wconversion", "-Wshadow", "-o", str(tmp_path / "kernels.so"), str(build.SOURCE)]
    assert subprocess.run(command, capture_output=True, text=True, timeout=60, check=False).stderr == ""
