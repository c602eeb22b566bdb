"""Serves a model on this machine, with the server that SageMaker starts, on 127.0.0.1.

    scripts/serve trained                                  # a folder that scripts/train wrote, or a model folder, or model.tar.gz
    scripts/serve trained/model.tar.gz --port 9000

Then, at another terminal: scripts/invoke --user USER_ID. Ctrl-C stops it. The server's own settings are environment variables, as in
the container (SERVING_ENGINE=uvicorn SAGEMAKER_MODEL_SERVER_WORKERS=1 scripts/serve …). For programs that use boto3 there is
scripts/local_sagemaker.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from scripts.command_line import CommandError, run
from scripts.local_server import PROGRAM, base_folder, environment, find_model, in_use, wait_until_healthy


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/serve", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, metavar="MODEL", help="a folder that scripts/train wrote, a model folder, or a model.tar.gz")
    parser.add_argument("--port", type=int, default=8080, help="port on 127.0.0.1 (%(default)s)")
    return parser.parse_args(arguments)


def announce(url: str, server: subprocess.Popen[bytes]) -> None:
    """Says when the server answers: before that, requests are refused. A server that cannot start says why itself."""
    seconds = wait_until_healthy(url, lambda: server.returncode is None)
    if seconds is not None:
        print(f"healthy after {seconds:.1f} s; ask it: scripts/invoke --user USER_ID --url {url}", file=sys.stderr)


def run_server(base: Path, port: int) -> int:
    """Runs the container's `serve` until it ends; SIGTERM, SIGINT and SIGHUP are passed on, so that it drains. Returns its exit code."""
    url = f"http://127.0.0.1:{port}"
    with subprocess.Popen([str(PROGRAM)], env=environment(base, port), start_new_session=True) as server:
        threading.Thread(target=announce, args=[url, server], daemon=True).start()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            if signal.getsignal(number) != signal.SIG_IGN:  # nohup has SIGHUP ignored
                signal.signal(number, lambda *_: server.terminate())
        return server.wait()


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse_arguments(arguments)
    url = f"http://127.0.0.1:{options.port}"
    with base_folder(find_model(options.model)) as base:
        if in_use(options.port):
            raise CommandError(f"port {options.port} is in use: stop what listens there, or choose another with --port")
        print(f"starting a server for {options.model} at {url}", file=sys.stderr)
        return run_server(base, options.port)


if __name__ == "__main__":
    sys.exit(run(main))
