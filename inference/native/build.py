"""Compiles the kernels: `python inference/native/build.py`; with `--quiet` it says nothing where there is no C compiler.

The library's name holds the hash of its source and of this file, and what machine it is for: so what is loaded is never older than the
source, nor another machine's.
"""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

SOURCE = Path(__file__).with_name("kernels.c")
COMPILERS = ("cc", "gcc", "clang")
# With -O2 `add_rows` takes three times as long. Without -ffp-contract=off some machines would add and multiply in one step, which rounds
# once instead of twice.
FLAGS = ("-std=c11", "-O3", "-Wall", "-Wextra", "-ffp-contract=off", "-fPIC", "-shared")


@functools.cache
def path() -> Path:
    """Returns where the library is, if it is compiled."""
    digest = hashlib.sha256(SOURCE.read_bytes() + Path(__file__).read_bytes()).hexdigest()[:16]
    return SOURCE.with_name(f"kernels-{digest}-{sysconfig.get_platform()}.so")


def build(compiler: str) -> None:
    """Compiles the library and takes older ones away. Raises ``OSError``, ``subprocess.SubprocessError``."""
    with tempfile.TemporaryDirectory(dir=path().parent) as folder:
        made = Path(folder) / path().name
        command = [compiler, *FLAGS, "-o", str(made), str(SOURCE)]
        subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)
        made.chmod(0o755)
        made.replace(path())  # whoever has the old one open keeps it
    for other in path().parent.glob("kernels-*.so"):
        if other != path():
            other.unlink(missing_ok=True)


def main() -> int:
    """Returns 0, or 1 where the library can't be compiled though there is a compiler."""
    if path().is_file():
        return 0
    named = os.environ.get("CC")
    compiler = named or next((found for name in COMPILERS if (found := shutil.which(name))), None)
    if compiler is None:
        if "--quiet" not in sys.argv[1:]:
            print("no C compiler found: requests are answered by numpy alone, each in about twice the time", file=sys.stderr)
        return 0
    try:
        build(compiler)
    except subprocess.CalledProcessError as error:
        print(f"{compiler} can't compile {SOURCE.name}:\n{error.stdout}", file=sys.stderr)
        return 1
    except (OSError, subprocess.SubprocessError) as error:
        print(f"{SOURCE.name} can't be compiled: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
