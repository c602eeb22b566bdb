"""Docker is recorded, not run; ECR is moto's."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import boto3
import pytest

from scripts import build_and_push
from scripts.command_line import CommandError

ADDRESS = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], str | None]]:
    """Returns the commands that were run and what they got on stdin."""
    run: list[tuple[list[str], str | None]] = []

    def record(command: Sequence[str], **options: Any) -> subprocess.CompletedProcess[str]:
        run.append((list(command), options.get("input")))
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(build_and_push.subprocess, "run", record)
    monkeypatch.setattr(build_and_push.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(build_and_push, "commit_tag", lambda: "abc123")
    return run


@pytest.mark.usefixtures("aws_account")
def test_the_repository_is_made_the_image_built_and_every_tag_pushed(commands: list[tuple[list[str], str | None]]) -> None:
    assert build_and_push.main(["--region", "eu-west-1", "--tag", "v1"]) == 0
    build, login, *pushes = (command for command, _ in commands)
    assert build[:2] == ["docker", "build"]
    assert [build[i + 1] for i, word in enumerate(build) if word == "--tag"] == ["music-recommender:abc123", "music-recommender:v1"]
    assert login == ["docker", "login", "--username", "AWS", "--password-stdin", ADDRESS]
    assert pushes == [
        ["docker", "tag", "music-recommender:abc123", f"{ADDRESS}/music-recommender:abc123"],
        ["docker", "push", f"{ADDRESS}/music-recommender:abc123"],
        ["docker", "tag", "music-recommender:v1", f"{ADDRESS}/music-recommender:v1"],
        ["docker", "push", f"{ADDRESS}/music-recommender:v1"],
    ]
    (repository,) = boto3.client("ecr").describe_repositories()["repositories"]
    assert repository["repositoryName"] == "music-recommender"
    assert repository["imageScanningConfiguration"] == {"scanOnPush": True}


@pytest.mark.usefixtures("aws_account")
def test_the_password_goes_through_stdin_only(commands: list[tuple[list[str], str | None]]) -> None:
    build_and_push.main([])
    passwords = [stdin for command, stdin in commands if command[1] == "login"]
    assert len(passwords) == 1
    assert passwords[0]
    assert not [command for command, _ in commands if passwords[0] in command]


def test_the_commit_is_the_tag_and_says_when_files_differ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build_and_push, "ROOT", tmp_path)
    assert build_and_push.commit_tag() == "uncommitted"
    monkeypatch.setenv("CODEBUILD_RESOLVED_SOURCE_VERSION", "0123456789abcdef0123456789abcdef01234567")
    assert build_and_push.commit_tag() == "0123456789ab"
    (tmp_path / "file").write_text("1")
    identity = ["-c", "user.name=me", "-c", "user.email=me@example.com"]
    for words in (["init", "-q"], ["add", "."], [*identity, "commit", "-q", "-m", "first"]):
        subprocess.run(["git", "-C", str(tmp_path), *words], check=True)
    assert re.fullmatch("[0-9a-f]{12}", build_and_push.commit_tag())
    (tmp_path / "file").write_text("2")
    assert re.fullmatch("[0-9a-f]{12}-dirty", build_and_push.commit_tag())


@pytest.mark.usefixtures("aws_account")
def test_a_repository_that_is_there_is_kept(commands: list[tuple[list[str], str | None]]) -> None:
    boto3.client("ecr").create_repository(repositoryName="mine", tags=[{"Key": "owner", "Value": "me"}])
    build_and_push.main(["--repository", "mine"])
    assert len(boto3.client("ecr").describe_repositories()["repositories"]) == 1
    assert ["docker", "push", f"{ADDRESS}/mine:latest"] in [command for command, _ in commands]


def test_building_only_needs_no_aws(commands: list[tuple[list[str], str | None]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build_and_push.aws, "client", lambda *_: pytest.fail("AWS was asked"))
    assert build_and_push.main(["--build-only", "--base-image", "debian:12"]) == 0
    ((build, _),) = commands
    assert "BASE_IMAGE=debian:12" in build


def test_a_dry_run_runs_nothing(commands: list[tuple[list[str], str | None]], capsys: pytest.CaptureFixture[str]) -> None:
    assert build_and_push.main(["--dry-run", "--tag", "v1"]) == 0
    assert commands == []
    assert "docker push ACCOUNT.dkr.ecr.REGION.amazonaws.com/music-recommender:v1" in capsys.readouterr().out


def test_a_tag_that_docker_would_refuse_is_refused_before_the_build(commands: list[tuple[list[str], str | None]]) -> None:
    with pytest.raises(CommandError, match="--tag a b"):
        build_and_push.main(["--tag", "a b"])
    assert commands == []


def test_a_failing_build_pushes_nothing(commands: list[tuple[list[str], str | None]], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(command: Sequence[str], **options: Any) -> subprocess.CompletedProcess[str]:
        commands.append((list(command), None))
        return subprocess.CompletedProcess(command, 1)

    monkeypatch.setattr(build_and_push.subprocess, "run", fail)
    with pytest.raises(CommandError, match="docker build --network"):
        build_and_push.main([])
    assert len(commands) == 1


def test_missing_docker_is_said(commands: list[tuple[list[str], str | None]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build_and_push.shutil, "which", lambda name: None)
    with pytest.raises(CommandError, match="docker is not installed"):
        build_and_push.main([])
