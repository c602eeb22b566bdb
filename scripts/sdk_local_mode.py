"""Trains, deploys and predicts with the image through the SageMaker Python SDK's local mode, and prints what happens.

    scripts/sdk_local_mode                     # the 2.x line: Estimator.fit, deploy, predict, and a Transformer
    scripts/sdk_local_mode --line 3            # the 3.x line: ModelTrainer.train, and an endpoint of its LocalSession
    scripts/sdk_local_mode --hosts 2           # trains on two hosts
    scripts/sdk_local_mode --image NAME        # takes this image; without it, the image is built
    scripts/sdk_local_mode --setup             # only makes .venv-sdk and .venv-sdk3, which nothing else uses

Needs Docker and Docker Compose (Debian: apt-get install docker-compose), and no AWS: telemetry is off, and the SDK is shown no credentials
of yours. What a user of it writes is scripts/sdk_driver_2.py and scripts/sdk_driver_3.py.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from scripts.build_and_push import build_command, docker
from scripts.command_line import CommandError, run
from scripts.make_dataset import make_dataset

ROOT = Path(__file__).resolve().parent.parent
IMAGE = "music-recommender:sdk-local-mode"
ENVIRONMENTS = {2: "sdk", 3: "sdk3"}
HYPERPARAMETERS = {"models": "item_knn,content,popularity", "evaluation_bootstrap_samples": 20}
ASKED = 3


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Returns the options of the command line."""
    parser = argparse.ArgumentParser(
        prog="scripts/sdk_local_mode", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--line", type=int, choices=sorted(ENVIRONMENTS), default=2, help="which SDK, by its major version (%(default)s)")
    parser.add_argument("--image", metavar="NAME", help="an image that is there already")
    parser.add_argument("--hosts", type=int, default=1, help="machines to train on (%(default)s)")
    parser.add_argument(
        "--output",
        type=Path,
        metavar="DIR",
        help="keeps data, model and answers; not below your home's hidden folders or /root: the SDK mounts nothing from there",
    )
    parser.add_argument("--setup", action="store_true", help="only makes the environments")
    return parser.parse_args(arguments)


def missing(line: int) -> str | None:
    """Returns what stands in the way of local mode on this machine, or None."""
    if shutil.which("docker") is None or subprocess.run(["docker", "info"], capture_output=True, check=False).returncode != 0:
        return "no Docker engine answers"
    plugin = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode == 0
    if not plugin and shutil.which("docker-compose") is None:
        return "Docker Compose is not installed (Debian: apt-get install docker-compose)"
    return None if python_of(line).exists() else f"{python_of(line).parents[1].name} is not there: scripts/sdk_local_mode --setup makes it"


def python_of(line: int) -> Path:
    return ROOT / f".venv-{ENVIRONMENTS[line]}" / "bin" / "python"


def set_up(lines: Sequence[int]) -> int:
    return subprocess.run(
        [ROOT / "scripts" / "_environment", "sdk_local_mode", *(ENVIRONMENTS[line] for line in lines)], check=False
    ).returncode


def prepare(folder: Path) -> None:
    """Makes what a driver finds in its folder: invented data, and requests of the first listeners of the events."""
    folder.mkdir(parents=True, exist_ok=True)
    make_dataset(folder / "data", songs=300, listeners=150, events_per_listener=15)
    with (folder / "data" / "interactions" / "events.csv").open(encoding="utf-8", newline="") as file:
        listeners = list(dict.fromkeys(row["USER_ID"] for row in csv.DictReader(file)))[:ASKED]
    requests = [json.dumps({"user_id": listener, "num_recommendations": 3}) for listener in listeners]
    (folder / "requests.jsonl").write_text("\n".join(requests) + "\n", encoding="utf-8")
    (folder / "containers").mkdir()


def drive(line: int, image: str, folder: Path, hosts: int = 1, hyperparameters: Mapping[str, object] | None = None) -> int:
    """Runs the driver of a line in a folder that ``prepare`` has made, and returns its exit code. No container of it is left."""
    settings = json.dumps(HYPERPARAMETERS if hyperparameters is None else dict(hyperparameters))
    with image_for(line, image) as name, nothing_left(folder):
        command = [
            str(python_of(line)),
            "-P",
            str(ROOT / "scripts" / f"sdk_driver_{line}.py"),
            str(folder),
            name,
            str(free_port()),
            str(hosts),
            settings,
        ]
        return subprocess.run(command, env=environment(), stdin=subprocess.DEVNULL, check=False).returncode


def environment() -> dict[str, str]:
    """Returns the variables of the driver. The SDK hands the credentials that it finds on to the containers: so it finds none of yours."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SAGEMAKER_", "PYTHON", "COMPOSE_"))}
    keys = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_DEFAULT_REGION": "us-east-1"}
    nowhere = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "AWS_EC2_METADATA_DISABLED": "true"}
    return {**mine, **keys, **nowhere, "SAGEMAKER_SUPPRESS_V2_WARNING": "1", "PYTHONUNBUFFERED": "1"}


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


@contextmanager
def image_for(line: int, image: str) -> Iterator[str]:
    """Yields the name of the image to give to the SDK.

    The 3.x line's local mode starts training without the word ``train`` that SageMaker gives: so it gets the image with another default.
    """
    if line == 2:
        yield image
        return
    name = f"music-recommender-trains:{uuid.uuid4().hex[:12]}"
    text = f'FROM {image}\nCMD ["train"]\n'
    print(f"the image with `train` as its default command: {name}", flush=True)
    command = ["docker", "build", "--quiet", "--tag", name, "-"]
    if subprocess.run(command, input=text, text=True, stdout=subprocess.DEVNULL, check=False).returncode != 0:
        raise CommandError(f"no image could be made of {image}; what Docker said is above")
    try:
        yield name
    finally:
        subprocess.run(["docker", "rmi", "--force", name], capture_output=True, check=False)


@contextmanager
def nothing_left(folder: Path) -> Iterator[None]:
    """Removes what the SDK leaves in Docker: its containers, and its network if that was not there before."""
    network = ["network", "inspect", "sagemaker-local"]
    was_there = subprocess.run(["docker", *network], capture_output=True, check=False).returncode == 0
    try:
        yield
    finally:
        label = '{{.ID}} {{.Label "com.docker.compose.project.working_dir"}}'
        listed = subprocess.run(["docker", "ps", "--all", "--format", label], capture_output=True, text=True, check=False).stdout
        pairs = [line.partition(" ") for line in listed.splitlines()]
        ours = [number for number, _, place in pairs if place and Path(place).is_relative_to(folder.resolve())]
        if ours:
            subprocess.run(["docker", "rm", "--force", *ours], capture_output=True, check=False)
        if not was_there:
            subprocess.run(["docker", "network", "rm", "sagemaker-local"], capture_output=True, check=False)


def main(arguments: Sequence[str] | None = None) -> int:
    """Goes the whole way and returns the driver's exit code. Raises ``CommandError``."""
    options = parse_arguments(arguments)
    if code := set_up(sorted(ENVIRONMENTS) if options.setup else [options.line]):
        return code
    if options.setup:
        return 0
    if (what := missing(options.line)) is not None:
        raise CommandError(what)
    if options.output is not None and options.output.exists() and any(options.output.iterdir()):
        raise CommandError(f"--output {options.output} is not empty")
    if options.image is None:
        docker(build_command([IMAGE], None))
    elif subprocess.run(["docker", "image", "inspect", options.image], capture_output=True, check=False).returncode != 0:
        raise CommandError(f"--image {options.image}: there is no such image on this machine; without --image it is built")
    # What the containers have written belongs to root: another user keeps it until the machine is cleaned up.
    with tempfile.TemporaryDirectory(prefix="sdk-", ignore_cleanup_errors=True) as temporary:
        folder = (options.output or Path(temporary)).resolve()
        prepare(folder)
        code = drive(options.line, options.image or IMAGE, folder, options.hosts)
    print(
        "\nTrained, deployed and asked in local mode." if code == 0 else f"\nFailed with exit code {code}: what it said is above.",
        flush=True,
    )
    return code


if __name__ == "__main__":
    sys.exit(run(main))
