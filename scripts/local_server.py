"""The container's own server on this machine, on 127.0.0.1: its folders, its environment, and waiting until it is healthy."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.request
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts.command_line import CommandError

PROGRAM = Path(__file__).resolve().parent.parent / "container" / "bin" / "serve"
START_SECONDS = 120


def find_model(given: Path) -> Path:
    """Returns the model folder or archive that is meant. Raises ``CommandError`` if there is none."""
    for candidate in (given, given / "model"):
        if (candidate / "model.json").is_file():
            return candidate.resolve()
    if given.is_file():
        return given.resolve()
    raise CommandError(f"{given} is no model: give a folder with model.json in it, or a model.tar.gz; scripts/train makes both")


def unpack(archive: Path, target: Path) -> None:
    """Unpacks a ``model.tar.gz``. Raises ``CommandError`` if it is none, or has anything but plain files and folders inside it."""
    try:
        with tarfile.open(archive) as packed:
            for member in packed:
                name = Path(member.name)
                if name.is_absolute() or ".." in name.parts or not (member.isfile() or member.isdir()):
                    raise CommandError(f"{archive} holds {member.name}, which has no place in a model: it is not unpacked")
                if content := packed.extractfile(member):
                    (target / name).parent.mkdir(parents=True, exist_ok=True)
                    with (target / name).open("wb") as file:
                        shutil.copyfileobj(content, file)
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise CommandError(f"{archive} cannot be unpacked as a .tar.gz: {error}") from None


@contextmanager
def base_folder(model: Path) -> Iterator[Path]:
    """Yields a temporary SAGEMAKER_BASE_DIR whose ``model`` is the model: a link to a folder, or what an archive holds."""
    with tempfile.TemporaryDirectory(prefix="serve-") as folder:
        base = Path(folder)
        if model.is_dir():
            (base / "model").symlink_to(model)
        else:
            (base / "model").mkdir()
            unpack(model, base / "model")
        yield base


def in_use(port: int) -> bool:
    """Returns whether somebody listens there already, whose /ping would be taken for our server's."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def environment(base: Path, port: int) -> dict[str, str]:
    """Returns this process's variables with those that place the server: its folder, and its port on loopback.

    This Python is the first on its PATH: others (pyenv's is a script) may take a tenth of a second until they start the right one."""
    places = {"SAGEMAKER_BASE_DIR": str(base), "SAGEMAKER_BIND_ADDRESS": "127.0.0.1", "SAGEMAKER_BIND_TO_PORT": str(port)}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    return {**os.environ, **places, "PATH": path}


def wait_until_healthy(url: str, running: Callable[[], bool]) -> float | None:
    """Returns the seconds until ``/ping`` says 200, or None if the server stops running, or takes longer than ``START_SECONDS``."""
    begin = time.monotonic()
    while running() and time.monotonic() - begin < START_SECONDS:
        try:
            with urllib.request.urlopen(f"{url}/ping", timeout=2):
                return time.monotonic() - begin
        except OSError:  # nobody listens yet, or 503: not yet
            time.sleep(0.02)
    return None


@contextmanager
def serving(model: Path, log: Path) -> Iterator[str]:
    """Starts the server on a free port, waits until it says that it is healthy, yields its URL, and stops it.

    Raises ``CommandError`` with the end of its log if it does not become healthy.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    with base_folder(model.resolve()) as base, log.open("wb") as lines:
        server = subprocess.Popen([str(PROGRAM)], env=environment(base, port), stdout=lines, stderr=subprocess.STDOUT)
        try:
            seconds = wait_until_healthy(url, lambda: server.poll() is None)
            if seconds is None:
                tail = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-5:])
                raise CommandError(f"the server is not healthy after {START_SECONDS} s, or has ended; its log {log} ends with:\n{tail}")
            print(f"healthy after {seconds:.1f} s at {url}; its log is {log}")
            yield url
        finally:
            server.terminate()
            server.wait()
