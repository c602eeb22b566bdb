"""Serves a model on this machine, with the server that SageMaker starts, on 127.0.0.1.

    scripts/serve trained                                  # a folder that scripts/train wrote, or a model folder, or model.tar.gz
    scripts/serve trained/model.tar.gz --port 9000
    scripts/serve trained --endpoint music                 # boto3's sagemaker-runtime client can call it too, at port 8081

Then, at another terminal: scripts/invoke --user USER_ID. Ctrl-C stops it. The server's own settings are environment variables, as in
the container (SAGEMAKER_MODEL_SERVER_WORKERS=1 scripts/serve …).
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import urllib.request
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path

from scripts.command_line import CommandError, run
from scripts.local_endpoint import LocalEndpoint

STARTING_SECONDS = 120
PROGRAM = Path(__file__).resolve().parent.parent / "container" / "bin" / "serve"


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/serve", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, metavar="MODEL", help="a folder that scripts/train wrote, a model folder, or a model.tar.gz")
    parser.add_argument("--port", type=int, default=8080, help="port on 127.0.0.1 (%(default)s)")
    parser.add_argument("--endpoint", metavar="NAME", help="answers the SageMaker Runtime API under this name as well")
    parser.add_argument("--endpoint-port", type=int, default=8081, help="with --endpoint: its port on 127.0.0.1 (%(default)s)")
    return parser.parse_args(arguments)


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


@contextmanager
def endpoint_in_front(name: str, upstream: str, port: int) -> Iterator[None]:
    with LocalEndpoint(name, upstream, port, option="--endpoint-port") as endpoint:
        threading.Thread(target=endpoint.serve_forever, daemon=True).start()
        print(f"endpoint {name} answers at {endpoint.url}", file=sys.stderr)
        yield
        endpoint.shutdown()


def announce(url: str) -> None:
    """Says when the server answers: before that, requests are refused. Gives up silently, for a server that cannot start says why."""
    start = time.monotonic()
    while time.monotonic() - start < STARTING_SECONDS:
        try:
            with urllib.request.urlopen(f"{url}/ping", timeout=2):
                print(f"healthy after {time.monotonic() - start:.1f} s; ask it: scripts/invoke --user USER_ID --url {url}", file=sys.stderr)
                return
        except OSError:
            time.sleep(0.1)


def in_use(port: int) -> bool:
    """Returns whether somebody listens there already, whose /ping would be taken for our server's."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def run_server(base: Path, port: int) -> int:
    """Runs the container's `serve` until it ends; SIGTERM, SIGINT and SIGHUP are passed on, so that it drains. Returns its exit code."""
    environment = {
        **os.environ,
        "SAGEMAKER_BASE_DIR": str(base),
        "SAGEMAKER_BIND_ADDRESS": "127.0.0.1",
        "SAGEMAKER_BIND_TO_PORT": str(port),
    }
    with subprocess.Popen([str(PROGRAM)], env=environment, start_new_session=True) as server:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            if signal.getsignal(number) != signal.SIG_IGN:  # nohup has SIGHUP ignored
                signal.signal(number, lambda *_: server.terminate())
        return server.wait()


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse_arguments(arguments)
    url = f"http://127.0.0.1:{options.port}"
    front = endpoint_in_front(options.endpoint, url, options.endpoint_port) if options.endpoint else nullcontext()
    with base_folder(find_model(options.model)) as base, front:
        if in_use(options.port):
            raise CommandError(f"port {options.port} is in use: stop what listens there, or choose another with --port")
        print(f"starting a server for {options.model} at {url}", file=sys.stderr)
        threading.Thread(target=announce, args=[url], daemon=True).start()
        return run_server(base, options.port)


if __name__ == "__main__":
    sys.exit(run(main))
