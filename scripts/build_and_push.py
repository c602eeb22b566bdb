"""Builds the image, and pushes it to Amazon ECR.

    scripts/build_and_push --build-only                      # builds music-recommender:COMMIT and :latest, needs no AWS
    scripts/build_and_push --region eu-west-1 --tag v1       # builds, tags, makes the repository if it is missing, pushes
    scripts/build_and_push --region eu-west-1 --dry-run      # prints the commands, runs none

Every image is tagged with the git commit (with ``-dirty`` when the checkout differs from it) and with each --tag; ``latest`` when none
is given.
"""

from __future__ import annotations

import argparse
import base64
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from scripts import aws
from scripts.command_line import CommandError, run

ROOT = Path(__file__).resolve().parent.parent


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/build_and_push", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repository", default="music-recommender", help="name of the image and of the ECR repository (%(default)s)")
    parser.add_argument("--tag", action="append", default=[], help="a tag besides the commit; may be given again (latest)")
    parser.add_argument("--region", help="AWS region; without it, the one that AWS_DEFAULT_REGION or your profile names")
    parser.add_argument("--base-image", help="BASE_IMAGE of the Dockerfile, in place of its default")
    parser.add_argument("--build-only", action="store_true", help="builds and tags locally; needs no AWS")
    parser.add_argument("--dry-run", action="store_true", help="prints the docker commands and runs none")
    return parser.parse_args(arguments)


def commit_tag() -> str:
    """Returns the short commit of the checkout, ``-dirty`` behind it if files differ.

    CodeBuild may deliver the sources without git and names the commit in a variable. Elsewhere without git: ``uncommitted``.
    """
    described = subprocess.run(
        ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--exclude=*", "--abbrev=12"],
        capture_output=True,
        text=True,
        check=False,
    )
    if described.returncode == 0:
        return described.stdout.strip()
    version = os.environ.get("CODEBUILD_RESOLVED_SOURCE_VERSION", "")
    return version[:12] if re.fullmatch(r"[0-9a-f]{40}", version) else "uncommitted"


def tags(given: Sequence[str]) -> list[str]:
    """Returns the tags of the image, the commit first. Raises ``CommandError`` for one that Docker would refuse."""
    for tag in given:
        if not re.fullmatch(r"\w[\w.-]{0,127}", tag, re.ASCII):
            raise CommandError(f"--tag {tag}: a tag has letters, digits, _ . - and at most 128 of them")
    return list(dict.fromkeys([commit_tag(), *(given or ["latest"])]))


def build_command(names: Sequence[str], base_image: str | None) -> list[str]:
    labelled = [word for name in names for word in ("--tag", name)]
    argument = ["--build-arg", f"BASE_IMAGE={base_image}"] if base_image else []
    return ["docker", "build", "--network", "host", *argument, *labelled, str(ROOT)]


def ensure_repository(ecr: Any, name: str) -> str:
    """Returns the address of the ECR repository, made here if it is missing: scanned on push, tags may move."""
    try:
        found = ecr.describe_repositories(repositoryNames=[name])["repositories"][0]
    except ClientError as error:
        if aws.error_code(error) != "RepositoryNotFoundException":
            raise
        print(f"making the ECR repository {name}")
        found = ecr.create_repository(repositoryName=name, imageScanningConfiguration={"scanOnPush": True})["repository"]
    return str(found["repositoryUri"])


def log_in(ecr: Any, registry: str) -> None:
    """Logs Docker in to the registry. The password goes through stdin, so that no process list shows it."""
    token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    user, _, password = base64.b64decode(token).decode().partition(":")
    docker(["docker", "login", "--username", user, "--password-stdin", registry], stdin=password)


def docker(command: Sequence[str], stdin: str | None = None) -> None:
    print("+", shlex.join(command), flush=True)
    if subprocess.run(command, input=stdin, text=True, check=False).returncode != 0:
        raise CommandError(f"`{shlex.join(command[:3])}` failed; what it said is above")


def main(arguments: Sequence[str] | None = None) -> int:
    """Builds, tags and pushes, or prints what it would do. Returns 0; raises ``CommandError``."""
    options = parse_arguments(arguments)
    all_tags = tags(options.tag)
    local = [f"{options.repository}:{tag}" for tag in all_tags]
    build = build_command(local, options.base_image)
    if options.dry_run:
        remote = [f"ACCOUNT.dkr.ecr.{options.region or 'REGION'}.amazonaws.com/{name}" for name in local]
        pushes = [[*words] for name, address in zip(local, remote, strict=True) for words in push_commands(name, address)]
        for command in [build, *([] if options.build_only else pushes)]:
            print(shlex.join(command))
        return 0
    if shutil.which("docker") is None:
        raise CommandError("docker is not installed, or not on PATH")
    docker(build)
    if not options.build_only:
        push(local, options.repository, options.region)
    return 0


def push_commands(local: str, remote: str) -> list[list[str]]:
    return [["docker", "tag", local, remote], ["docker", "push", remote]]


def push(local_names: Sequence[str], repository: str, region: str | None) -> None:
    """Pushes the local images under the same tags and prints the address to give to scripts/create_training_job."""
    with aws.readable_errors():
        ecr = aws.client("ecr", region)
        address = ensure_repository(ecr, repository)
        log_in(ecr, address.split("/")[0])
    remote_names = [f"{address}:{name.rpartition(':')[2]}" for name in local_names]
    for local, remote in zip(local_names, remote_names, strict=True):
        for command in push_commands(local, remote):
            docker(command)
    print(f"pushed {remote_names[0]}")


if __name__ == "__main__":
    sys.exit(run(main))
