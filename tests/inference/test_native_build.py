"""The kernels are compiled where that can be, and nothing is lost where it can't."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from inference.native import build, library

ROOT = Path(__file__).resolve().parents[2]
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


@needs_compiler
@pytest.mark.slow
def test_the_kernels_touch_no_memory_that_is_not_theirs(tmp_path: Path) -> None:
    """All tests of the kernels once more, compiled with the checks of AddressSanitizer and UndefinedBehaviorSanitizer."""
    sanitizers = [
        subprocess.run(["cc", f"-print-file-name=lib{name}.so"], capture_output=True, text=True, check=True) for name in ("asan", "ubsan")
    ]
    preloaded = [found.stdout.strip() for found in sanitizers]
    if not all(Path(path).is_absolute() for path in preloaded):
        pytest.skip("this compiler has no sanitizers")
    for part in ("inference", "training", "tests/inference", "tests/conftest.py", "pyproject.toml"):
        (shutil.copytree if (ROOT / part).is_dir() else shutil.copy)(ROOT / part, tmp_path / part)
    compiler = tmp_path / "sanitized-cc"
    compiler.write_text('#!/bin/sh\nexec cc -g -fsanitize=address,undefined -fno-sanitize-recover=all "$@"\n', encoding="ascii")
    compiler.chmod(0o755)
    for library_ in (tmp_path / "inference" / "native").glob("*.so"):
        library_.unlink()
    environment = {"PATH": os.environ["PATH"], "CC": str(compiler), "ASAN_OPTIONS": "detect_leaks=0"}
    subprocess.run([sys.executable, "-SE", "inference/native/build.py"], cwd=tmp_path, env=environment, check=True, timeout=120)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "tests/inference/test_native.py",
        "tests/inference/test_sparse_ranker.py",
    ]
    found = subprocess.run(
        command,
        cwd=tmp_path,
        env=environment | {"LD_PRELOAD": " ".join(preloaded)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert found.returncode == 0, found.stdout[-2000:] + found.stderr[-2000:]
    assert " passed" in found.stdout
    assert "skipped" not in found.stdout
