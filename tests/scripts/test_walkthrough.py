"""The walk-through of the README is a program: what the page says is what runs."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from scripts.command_line import CommandError
from scripts.walkthrough import main, shell_script, terminals, walk

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_page_goes_from_a_clone_to_a_teardown_through_every_step() -> None:
    first, second = terminals(README)
    assert first[0].startswith("git clone ADDRESS ")
    assert first[-1].startswith("scripts/local_sagemaker")
    used = re.findall(r"^scripts/(\w+)", "\n".join(second), re.MULTILINE)
    assert set(used) == {"create_training_job", "deploy_endpoint", "invoke", "batch_transform", "teardown"}
    assert used[-1] == "teardown"
    for command in [*first, *second]:
        assert all(os.access(ROOT / name, os.X_OK) for name in re.findall(r"\bscripts/\w+", command)), command


def test_what_runs_is_the_page_word_for_word_but_for_the_address_and_the_port(tmp_path: Path) -> None:
    for block in terminals(README):
        script = shell_script(block, "/some/checkout", 54321)
        subprocess.run(["bash", "-n", "-c", script], check=True)
        back = (
            script.replace("/some/checkout", "ADDRESS")
            .replace("54321", "8081")
            .replace("exec scripts/local_sagemaker --port 8081", "scripts/local_sagemaker")
        )
        assert all(f"\n{command}\n" in back for command in block)


def test_the_walk_ends_at_the_first_command_that_fails_with_its_exit_code(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    waiting = 'echo "    export AWS_ENDPOINT_URL=x"; trap "exit 0" INT; while :; do sleep 0.05; done'
    second = shell_script(["echo one", "(exit 7)", "echo never"], "", 0)
    assert walk(tmp_path, waiting, second) == 7
    log = capfd.readouterr().out
    assert "\n$ echo one\none\n" in log
    assert "never" not in log
    assert walk(tmp_path, "echo no port; exit 3", second) == 3
    assert "one" not in capfd.readouterr().out


def test_a_folder_that_has_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    with pytest.raises(CommandError, match="not empty"):
        main(["--output", str(tmp_path)])


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_walk_through_works_from_a_clean_clone_in_an_empty_environment(tmp_path: Path) -> None:
    empty = {"HOME": str(Path.home()), "PATH": os.environ["PATH"]}
    command = [ROOT / "scripts" / "walkthrough", "--output", tmp_path / "walk"]
    finished = subprocess.run(command, env=empty, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    log = finished.stdout
    assert finished.returncode == 0, log
    assert "Traceback" not in log
    assert "music-2: Completed" in log
    assert '"user_id":"listener-464","status":"success"' in log
    assert "walked through" in log
    clone = tmp_path / "walk" / "music-recommender"
    assert subprocess.run(["pgrep", "--full", str(clone)], capture_output=True, check=False).stdout == b"", "something still runs"
