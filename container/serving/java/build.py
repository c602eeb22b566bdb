"""Builds serving.jar from src/, the same bytes each time for the same compiler.

    .venv/bin/python -m container.serving.java.build

Needs `javac` (11 or newer) and the Python package multi-model-server, whose jar it compiles against. The sources' hash goes into the jar,
so that a test can tell a jar that was not rebuilt.
"""

from __future__ import annotations

import hashlib
import subprocess
import tempfile
import zipfile
from pathlib import Path

from container.serving.java_runtime import server_jar

HERE = Path(__file__).resolve().parent
SOURCES = HERE / "src"
JAR = HERE / "serving.jar"
HASH_ENTRY = "META-INF/sources.sha256"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date that a zip file knows


def sources() -> list[Path]:
    """Returns the Java files, sorted."""
    return sorted(SOURCES.rglob("*.java"))


def sources_sha256() -> str:
    """Returns one hash over the names and the contents of the sources."""
    digest = hashlib.sha256()
    for path in sources():
        digest.update(path.relative_to(SOURCES).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def compile_to(directory: Path, server_jar: Path) -> None:
    """Compiles the sources to class files of Java 8. Raises ``CalledProcessError``."""
    options = ["--release", "8", "-g:none", "-proc:none", "-Xlint:all,-options", "-Werror", "-cp", str(server_jar), "-d", str(directory)]
    subprocess.run(["javac", *options, *map(str, sources())], check=True)


def pack(classes: Path, jar: Path) -> None:
    """Writes the class files, the manifest and the sources' hash, sorted and without times."""
    entries = {path.relative_to(classes).as_posix(): path.read_bytes() for path in classes.rglob("*.class")}
    entries |= {"META-INF/MANIFEST.MF": b"Manifest-Version: 1.0\r\n\r\n", HASH_ENTRY: sources_sha256().encode()}
    with zipfile.ZipFile(jar, "w") as out:
        for name, data in sorted(entries.items()):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            out.writestr(entry, data)


def main() -> None:
    with tempfile.TemporaryDirectory() as temporary:
        compile_to(Path(temporary), server_jar())
        pack(Path(temporary), JAR)
    print(f"{JAR} {JAR.stat().st_size} bytes")


if __name__ == "__main__":
    main()
