"""Runs the walk-through of the local SageMaker, from a clean clone to the teardown, by the commands that README.md has.

    scripts/walkthrough                  # in a temporary folder: five to ten minutes
    scripts/walkthrough --output DIR     # in this folder, which stays
    scripts/walkthrough --list           # prints the commands and runs none

Each command is printed before its output; what the first terminal says has a | before it. Ends at the first command that fails, with its
exit code. Two words differ from the page: ADDRESS is this checkout (what is committed), and 8081 is a port that is free.
"""

from __future__ import annotations

import argparse
import os
import queue
import re
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from scripts.command_line import CommandError, run

ROOT = Path(__file__).resolve().parent.parent
HEADING = "### The same locally"
GREETING = "export AWS_ENDPOINT_URL="  # what scripts/local_sagemaker tells to type at another terminal
SECONDS_TO_START = 900  # the set-up of a new clone is in it
SECONDS_TO_END = 60


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/walkthrough", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, metavar="DIR", help="an empty or new folder; the clone is made in it, and stays")
    parser.add_argument("--list", action="store_true", help="prints the commands and runs none")
    return parser.parse_args(arguments)


def terminals(readme: str) -> list[list[str]]:
    """Returns the commands of each block of the page's section, one for each terminal. A command that goes on in the next line is one."""
    section = re.split(r"\n#{2,3} ", readme.partition(f"\n{HEADING}\n")[2])[0]
    blocks = re.findall(r"^```\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    lines = [block.replace("\\\n", "\\\0").splitlines() for block in blocks]
    return [[line.replace("\\\0", "\\\n") for line in block if line.strip() and not line.startswith("#")] for block in lines]


def shell_script(commands: Sequence[str], address: str, port: int) -> str:
    """Returns a script for bash that prints each command and runs it, and ends at the first that fails."""
    said = [command.replace("ADDRESS", shlex.quote(address)).replace(":8081", f":{port}") for command in commands]
    # the option stands for the number that the page has by default
    run_as = [re.sub(r"^scripts/local_sagemaker\b", f"exec scripts/local_sagemaker --port {port}", command) for command in said]
    show = [f"printf '\\n$ %s\\n' {shlex.quote(command.replace('exec ', '', 1))}" for command in run_as]
    return "\n".join(["set -e", *(line for pair in zip(show, run_as, strict=True) for line in pair)]) + "\n"


def environment() -> dict[str, str]:
    """Returns the variables of a person's new terminal: without what this command and AWS have set."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH" and not name.startswith("AWS_")}


def echo(lines: IO[str], greeted: queue.Queue[bool]) -> None:
    """Prints the lines, and says once they hold the greeting, or in the end that there was none."""
    for line in lines:
        print(f"| {line}", end="", flush=True)
        if line.strip().startswith(GREETING):
            greeted.put(True)
    greeted.put(False)


def walk(folder: Path, first: str, second: str) -> int:
    """Runs the scripts of two terminals, the second once the first goes on running, and ends the first as Ctrl-C does.

    Returns the exit code of the second, or, where that is 0, of the first.
    """
    options = {"cwd": folder, "env": environment(), "stdin": subprocess.DEVNULL, "text": True, "stderr": subprocess.STDOUT}
    piped = {**options, "stdout": subprocess.PIPE, "start_new_session": True}
    with subprocess.Popen(["bash", "-c", first], **piped) as server:  # type: ignore[call-overload]
        greeted: queue.Queue[bool] = queue.Queue()
        reader = threading.Thread(target=echo, args=(server.stdout, greeted))
        reader.start()
        try:
            if not _started(greeted):
                print("\nthe local SageMaker did not start: what it said is above", flush=True)
                with suppress(subprocess.TimeoutExpired):  # it may have said its last word, and not ended yet
                    server.wait(1)
                return server.poll() or 1
            code = int(subprocess.run(["bash", "-c", second], check=False, **options).returncode)  # type: ignore[call-overload]
            print("\n| ^C", flush=True)
        finally:
            if server.poll() is None:
                os.killpg(server.pid, signal.SIGINT)
            try:
                server.wait(SECONDS_TO_END)
            except subprocess.TimeoutExpired:
                print(f"\nthe local SageMaker has not ended in {SECONDS_TO_END} s", flush=True)
                os.killpg(server.pid, signal.SIGKILL)
            reader.join()
    return code or server.returncode


def _started(greeted: queue.Queue[bool]) -> bool:
    try:
        return greeted.get(timeout=SECONDS_TO_START)
    except queue.Empty:
        return False


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def main(arguments: Sequence[str] | None = None) -> int:
    """Walks, and returns 0 or the exit code of what failed. Raises ``CommandError``."""
    options = parse_arguments(arguments)
    blocks = terminals((ROOT / "README.md").read_text(encoding="utf-8"))
    if len(blocks) != 2:
        raise CommandError(f'README.md must have a block of commands for each of two terminals below "{HEADING}", not {len(blocks)}')
    first, second = (shell_script(block, str(ROOT), port) for port in [free_port()] for block in blocks)
    if options.list:
        print("\n\n".join("\n".join(block) for block in blocks))
        return 0
    if options.output and options.output.exists() and any(options.output.iterdir()):
        raise CommandError(f"--output {options.output} is not empty")
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="walkthrough-", ignore_cleanup_errors=True) as temporary:
        folder = options.output or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        code = walk(folder, first, second)
    print(f"\n{'walked through' if code == 0 else f'failed with exit code {code}'} in {time.monotonic() - begin:.0f} s", flush=True)
    return code


if __name__ == "__main__":
    sys.exit(run(main))
