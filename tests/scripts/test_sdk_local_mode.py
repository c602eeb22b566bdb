"""What scripts/sdk_local_mode shows the SDK, and what it says where something is missing; tests/integration runs the SDK itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scripts import sdk_local_mode
from scripts.sdk_local_mode import ASKED, environment, missing, prepare


def test_the_sdk_finds_no_credentials_but_made_up_ones(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    secret = {"AWS_ACCESS_KEY_ID": "AKIAREAL", "AWS_SECRET_ACCESS_KEY": "real", "AWS_SESSION_TOKEN": "real", "AWS_PROFILE": "real"}
    for name, value in secret.items():
        monkeypatch.setenv(name, value)
    shown = environment()
    assert not {name for name, value in shown.items() if "real" in value.lower() and name.startswith("AWS_")}
    assert shown["AWS_SHARED_CREDENTIALS_FILE"] == shown["AWS_CONFIG_FILE"] == "/dev/null"


def test_listeners_who_are_asked_have_events(tmp_path: Path) -> None:
    prepare(tmp_path)
    asked = [json.loads(line)["user_id"] for line in (tmp_path / "requests.jsonl").read_text().splitlines()]
    assert len(set(asked)) == ASKED
    events = (tmp_path / "data" / "interactions" / "events.csv").read_text()
    assert all(f"\n{listener}," in events for listener in asked)


def test_a_machine_without_docker_is_told_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert missing(2) == "no Docker engine answers"


def test_an_environment_that_is_not_there_is_told_with_the_command_that_makes_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("docker", "docker-compose"):
        (tmp_path / name).write_text("#!/bin/sh\nexit 0\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    monkeypatch.setattr(sdk_local_mode, "ROOT", tmp_path)
    assert missing(3) == ".venv-sdk3 is not there: scripts/sdk_local_mode --setup makes it"
