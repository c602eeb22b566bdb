"""Makes an archive of the Java classes that the server loads, from which it starts quicker.

    python -m container.serving.class_archive FILE

Runs the server for a moment, as a multi-model endpoint, which needs no model; Java (13 or newer) writes the archive when that ends. It is
good for this Java, and for these jars at these places: with others Java loads the classes one by one, as without. The image is built with
one, whose place is told to ``serve`` by the variable ``SERVING_CLASS_ARCHIVE``.
"""

from __future__ import annotations

import argparse
import http.client
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from container.serving.settings import CLASS_ARCHIVE_ENV

SERVE = Path(__file__).resolve().parents[1] / "bin" / "serve"
_PATIENCE = 120  # seconds until it must serve
# One of each kind, for the classes that only requests need.
_REQUESTS = (("GET", "/ping"), ("GET", "/metrics"), ("GET", "/models"), ("POST", "/models/none/invoke"), ("GET", "/execution-parameters"))


class ArchiveError(Exception):
    """The archive could not be made; the message says why."""


def make_archive(file: Path) -> None:
    """Writes ``file``. Raises ``ArchiveError``."""
    file.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(prefix="archive-") as base, socket.socket() as probe:
        (Path(base) / "models").mkdir()
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
        probe.close()
        variables = {
            "SAGEMAKER_BASE_DIR": base,
            "SAGEMAKER_BIND_ADDRESS": "127.0.0.1",
            "SAGEMAKER_BIND_TO_PORT": str(port),
            "SAGEMAKER_MULTI_MODEL": "true",
            "SAGEMAKER_MODEL_SERVER_VMARGS": f"-XX:ArchiveClassesAtExit={file.resolve()}",
        }
        environment = {name: value for name, value in os.environ.items() if name != CLASS_ARCHIVE_ENV} | variables
        server = subprocess.Popen([SERVE], env=environment)
        try:
            _ask(port, server)
        finally:
            server.terminate()
            server.wait()
    if not file.is_file():
        raise ArchiveError("Java has written no archive: is it older than 13?")


def _ask(port: int, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while _status(port, "GET", "/ping") != 200:
        if server.poll() is not None or time.monotonic() > deadline:
            raise ArchiveError("the server does not start; the lines above may say why")
        time.sleep(0.05)
    for method, path in _REQUESTS:
        _status(port, method, path)


def _status(port: int, method: str, path: str) -> int | None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path)
        return connection.getresponse().status
    except OSError:
        return None
    finally:
        connection.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, help="to write")
    try:
        make_archive(parser.parse_args().file)
    except ArchiveError as error:
        print(f"class_archive: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
