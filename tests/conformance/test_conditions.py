"""The conditions are what they say: a program that breaks them is refused. Otherwise the suite would prove nothing."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conformance.command import Command, CommandRun
from tests.conformance.container import FREE, NOBODY, Conditions

PROJECT = Path(__file__).resolve().parents[2]
PROBE = """
import os, socket, sys
def can(what):
    try:
        what()
    except OSError:
        return "no"
    return "yes"
base = os.environ["SAGEMAKER_BASE_DIR"]
def write(*place):
    with open(os.path.join(base, *place), "w"):
        pass
def outside():
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(("192.0.2.1", 9))  # no packet is sent: only a way is looked for
def loopback():
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()
print("user", os.getuid())
for name, what in {
    "model": lambda: write("model", "probe"),
    "input": lambda: write("input", "probe"),
    "top": lambda: write("probe"),
    "project": lambda: write("/", PROJECT, f"probe-{os.getpid()}") or os.unlink(os.path.join(PROJECT, f"probe-{os.getpid()}")),
    "tmp": lambda: write("/tmp", f"probe-{os.getpid()}") or os.unlink(f"/tmp/probe-{os.getpid()}"),
    "disk": lambda: write("/var/tmp", f"probe-{os.getpid()}") or os.unlink(f"/var/tmp/probe-{os.getpid()}"),
    "outside": outside,
    "loopback": loopback,
}.items():
    print(name, can(what))
print("variables", *sorted(os.environ))
"""

Probe = Callable[[Conditions], dict[str, str]]


def command(program: str) -> Command:
    return Command(shlex.join([sys.executable, "-c", program, "{}"]), Path("/"))


@pytest.fixture
def base(new_folder: Callable[[], Path]) -> Path:
    base = new_folder()
    for name in ("model", "input"):
        (base / name).mkdir(parents=True)
    (base / "model").chmod(0o777)
    return base


@pytest.fixture
def probe(base: Path, tmp_path: Path) -> Probe:
    """Returns what a program may do under conditions, by name."""

    def run(conditions: Conditions) -> dict[str, str]:
        program = PROBE.replace("PROJECT", repr(str(PROJECT)))
        tested = command(program)
        if reason := tested.unable(conditions):
            pytest.skip(reason)
        log = tested.train(base, tmp_path / "log", conditions=conditions).succeeds(20)
        assert not list(PROJECT.glob("probe-*")), "a probe is left in the project"
        return dict(line.split(" ", 1) for line in log.splitlines())

    return run


def test_another_user_may_write_what_everybody_may(probe: Probe) -> None:
    found = probe(Conditions(user=NOBODY))
    assert found["user"] == str(NOBODY)
    assert {name: found[name] for name in ("model", "input", "top", "project", "tmp")} == {
        **{"model": "yes", "tmp": "yes"},
        **{"input": "no", "top": "no", "project": "no"},
    }


def test_on_read_only_disks_the_output_and_tmp_may_be_written(probe: Probe) -> None:
    found = probe(Conditions(read_only=True))
    assert [found[name] for name in ("model", "tmp", "input", "top", "disk")] == ["yes", "yes", "no", "no", "no"]


def test_read_only_input_is_all_that_is_read_only(probe: Probe) -> None:
    found = probe(Conditions(read_only_input=True))
    assert (found["input"], found["model"], found["top"]) == ("no", "yes", "yes")


def test_without_a_network_there_is_loopback_only(probe: Probe) -> None:
    found = probe(Conditions(network=False))
    assert (found["outside"], found["loopback"]) == ("no", "yes")


def test_a_command_gets_nothing_of_our_environment_that_it_does_not_need(probe: Probe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not for you")
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    known = {"PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "JAVA_HOME", "SAGEMAKER_BASE_DIR", "CONFORMANCE_RUN", "PWD", "SHLVL", "_"}
    assert set(probe(FREE)["variables"].split()) <= known


def test_all_that_a_command_has_started_ends_with_it(base: Path, tmp_path: Path) -> None:
    program = (
        "import subprocess, time; subprocess.Popen(['sleep', '97'], start_new_session=True); print('ready', flush=True); time.sleep(97)"
    )
    run = command(program).train(base, tmp_path / "log")
    assert isinstance(run, CommandRun)
    run.wait_for_line("ready", 20)
    while len(list(run._family())) < 2:
        time.sleep(0.01)
    run.kill()
    assert list(run._family()) == []


def test_sigkill_follows_when_the_grace_is_over(base: Path, tmp_path: Path) -> None:
    program = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(97)"
    run = command(program).train(base, tmp_path / "log")
    run.wait_for_line("ready", 20)
    code, seconds = run.stop(0.3)
    assert code == -9
    assert seconds >= 0.3


def test_who_takes_more_memory_than_there_is_is_killed(base: Path, tmp_path: Path) -> None:
    tested, little = command("bytearray(200 * 2**20)"), Conditions(memory_mb=100)
    if reason := tested.unable(little):
        pytest.skip(reason)
    tested.train(base, tmp_path / "free").succeeds(20)
    assert tested.train(base, tmp_path / "little", conditions=little).wait(20) == -9
