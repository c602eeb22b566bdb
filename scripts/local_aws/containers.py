"""`train` and `serve` of an image, in Docker containers."""

from __future__ import annotations

import os
import subprocess
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

from scripts.command_line import CommandError
from scripts.local_aws import children
from scripts.local_aws.children import Child

INSIDE = "/opt/ml"
PORT = 8080
CLIENT = ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY")  # what leads to the engine


class Containers:
    """Runs an image that Docker has already, whatever image a request names. Files belong to who runs this program."""

    interface = "eth0"

    def __init__(self, image: str) -> None:
        """Raises ``CommandError`` if there is no such image, or no Docker."""
        self._image = image
        self._networks: dict[str, str] = {}
        _docker("image", "inspect", image)

    def check_entry(self, entrypoint: Sequence[str]) -> None:
        """An image may have any."""

    def hosts(self, job: str, count: int) -> list[str]:
        """Several hosts get a network of their own, on which their names are known."""
        if count > 1:
            self._networks[job] = f"lsm-{uuid.uuid4().hex[:12]}"
            _docker("network", "create", self._networks[job])
        return [f"algo-{number}" for number in range(1, count + 1)]

    def release(self, job: str) -> None:
        if network := self._networks.pop(job, None):
            _docker("network", "rm", network)

    def path_inside(self, place: str) -> str:
        return f"{INSIDE}/{place}"

    def train(
        self, job: str, base: Path, host: str, variables: Mapping[str, str], entrypoint: Sequence[str], words: Sequence[str]
    ) -> Child:
        network = ["--network", self._networks[job], "--network-alias", host] if job in self._networks else []
        first, *rest = [*entrypoint, *words] if entrypoint else ["", *(words or ["train"])]
        return self._run(children.TRAIN_PATIENCE, base, variables, [*network, "--hostname", host], first, rest)

    def serve(self, base: Path, port: int, variables: Mapping[str, str], memory_mb: int | None = None) -> Child:
        inside = variables.get("SAGEMAKER_BIND_TO_PORT", PORT)
        limit = ["--memory", f"{memory_mb}m", "--memory-swap", f"{memory_mb}m"] if memory_mb else []
        return self._run(children.SERVE_PATIENCE, base, variables, [*limit, "--publish", f"127.0.0.1:{port}:{inside}"], "", ["serve"])

    def serving_path(self, base: Path, place: str) -> str:
        return self.path_inside(place)

    def _run(
        self, patience: int, base: Path, variables: Mapping[str, str], options: Sequence[str], entrypoint: str, words: Sequence[str]
    ) -> Child:
        """The client stays attached and hands SIGTERM on; the container is removed in the end, should the client have been killed."""
        name = f"lsm-{uuid.uuid4().hex[:12]}"
        given = [word for key, value in variables.items() for word in ("--env", f"{key}={value}")]
        place = ["--name", name, "--user", f"{os.getuid()}:{os.getgid()}", "--volume", f"{base}:{INSIDE}"]
        entry = ["--entrypoint", entrypoint] if entrypoint else []
        command = ["docker", "run", "--rm", *place, *options, *given, *entry, self._image, *words]
        leading = {variable: os.environ[variable] for variable in CLIENT if variable in os.environ}
        return Child(command, patience, leading, afterwards=["docker", "rm", "--force", name])


def _docker(*arguments: str) -> None:
    try:
        finished = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)
    except OSError as error:
        raise CommandError(f"docker cannot be run: {error.strerror}") from None
    if finished.returncode != 0:
        raise CommandError(f"docker {' '.join(arguments)}: {finished.stderr.strip()}")
