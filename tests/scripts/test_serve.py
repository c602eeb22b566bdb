"""scripts/serve as a person starts it: the real server, asked through scripts/invoke and through boto3."""

from __future__ import annotations

import io
import signal
import socket
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from scripts import invoke, local_server, serve
from scripts.command_line import CommandError
from scripts.pack import pack
from tests.integration.serving import free_port, make_model

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def served(*arguments: str, port: int) -> Iterator[subprocess.Popen[str]]:
    command = [str(ROOT / "scripts" / "serve"), *arguments, "--port", str(port)]
    with subprocess.Popen(command, stderr=subprocess.STDOUT, stdout=subprocess.PIPE, text=True) as process:
        try:
            wait_until_announced(process)
            yield process
        finally:
            process.terminate()
            process.wait(30)


def wait_until_announced(process: subprocess.Popen[str]) -> None:
    """Reads what the script says until it says that the server is healthy."""
    assert process.stdout
    said = ""
    for line in process.stdout:
        said += line
        if line.startswith("healthy after "):
            return
    pytest.fail(f"the server ended before it was healthy:\n{said}")


def test_an_archive_is_served_and_ctrl_c_ends_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pack(make_model(tmp_path / "model"), tmp_path / "model.tar.gz")
    port = free_port()
    with served(str(tmp_path / "model.tar.gz"), port=port) as process:
        assert invoke.main(["--user", "u0", "--num", "2", "--explain", "--url", f"http://127.0.0.1:{port}"]) == 0
        said = capsys.readouterr()
        assert said.out.startswith("listener u0 · model ")
        assert [line.split()[:2] for line in said.out.splitlines()[2:]] == [["1", "s1"], ["2", "s2"]]
        assert said.err.endswith(" ms\n")

        assert invoke.main(["--json", '{"user": "u0"}', "--url", f"http://127.0.0.1:{port}"]) == 1
        assert "the model refused (422 unknown_field): Unknown field 'user'" in capsys.readouterr().err

        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0


@pytest.fixture
def _hangups_are_heard() -> Iterator[None]:
    """Children of a process that ignores SIGHUP, as under nohup, ignore it, too: then there is no closed terminal to test."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("_hangups_are_heard")
def test_a_closed_terminal_leaves_no_server_behind(tmp_path: Path) -> None:
    port = free_port()
    with served(str(make_model(tmp_path / "model")), port=port) as process:
        process.send_signal(signal.SIGHUP)
        assert process.wait(30) == 0
    with pytest.raises(CommandError, match="nobody answers"):
        invoke.main(["--user", "u0", "--url", f"http://127.0.0.1:{port}"])


def test_the_folder_that_training_wrote_is_found_by_its_model(tmp_path: Path) -> None:
    model = make_model(tmp_path / "trained" / "model")
    assert local_server.find_model(tmp_path / "trained") == model.resolve()
    assert local_server.find_model(model) == model.resolve()


def test_a_folder_without_a_model_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"is no model: give a folder with model\.json"):
        local_server.find_model(tmp_path)


def test_a_folder_is_linked_and_an_archive_is_unpacked(tmp_path: Path) -> None:
    model = make_model(tmp_path / "model")
    pack(model, tmp_path / "model.tar.gz")
    with local_server.base_folder(model) as base:
        assert (base / "model").resolve() == model.resolve()
    with local_server.base_folder(tmp_path / "model.tar.gz") as base:
        unpacked = {path.relative_to(base / "model"): path.read_bytes() for path in (base / "model").rglob("*") if path.is_file()}
    assert unpacked == {path.relative_to(model): path.read_bytes() for path in model.rglob("*") if path.is_file()}
    assert model.is_dir()
    assert not base.exists()


@pytest.mark.parametrize("kind", ["above", "absolute", "link", "device"])
def test_an_archive_cannot_write_outside_its_folder(tmp_path: Path, kind: str) -> None:
    member = tarfile.TarInfo({"above": "../evil", "absolute": "/evil"}.get(kind, "evil"))
    member.type = {"link": tarfile.SYMTYPE, "device": tarfile.CHRTYPE}.get(kind, tarfile.REGTYPE)
    member.linkname = "/etc/passwd" if kind == "link" else ""
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as archive:
        archive.addfile(member, io.BytesIO(b""))
    with pytest.raises(CommandError, match="has no place in a model"):
        local_server.unpack(tmp_path / "model.tar.gz", tmp_path / "unpacked")
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize("content", [b"", b"no archive", b"\x1f\x8b\x08\x00cut off"])
def test_what_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "model.tar.gz").write_bytes(content)
    with pytest.raises(CommandError, match="cannot be unpacked"):
        local_server.unpack(tmp_path / "model.tar.gz", tmp_path / "unpacked")


def test_a_port_in_use_is_not_announced_as_healthy(tmp_path: Path) -> None:
    model = str(make_model(tmp_path / "model"))
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        with pytest.raises(CommandError, match=f"port {port} is in use: .*--port"):
            serve.main([model, "--port", port])
