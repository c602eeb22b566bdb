from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

from scripts.server_processes import alive
from tests.integration.serving import ROOT


def launch(program: str, *arguments: str) -> subprocess.Popen[str]:
    """Starts a Python program with a ``Lifetime`` of 1 second of patience, ``lifetime``, in it."""
    start = "import os, sys\nfrom pathlib import Path\nfrom container.serving.lifetime import Lifetime\nlifetime = Lifetime(1)\n"
    command = [sys.executable, "-c", start + textwrap.dedent(program), *arguments]
    return subprocess.Popen(command, env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}, stdout=subprocess.PIPE, text=True)


def read_when_written(path: Path) -> int:
    deadline = time.monotonic() + 10
    while not path.exists() or not path.read_text().endswith("\n"):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return int(path.read_text())


def test_exit_codes_and_signals_of_the_child_are_told_apart() -> None:
    program = """
        print(lifetime.run(["sh", "-c", "exit 7"], os.environ), lifetime.run(["sh", "-c", "kill -9 $$"], os.environ), lifetime.stopping)
    """
    assert launch(program).communicate(timeout=10)[0] == "7 -9 False\n"


def test_what_the_child_leaves_behind_is_killed(tmp_path: Path) -> None:
    program = 'lifetime.run(["sh", "-c", "sleep 60 & echo $! > $0/pid"], os.environ, Path(sys.argv[1]))'
    launch(program.replace("$0", "."), str(tmp_path)).communicate(timeout=10)
    assert alive([read_when_written(tmp_path / "pid")]) == []


def test_a_signal_is_handed_on_and_a_deaf_child_is_killed_when_patience_ends(tmp_path: Path) -> None:
    program = """
        code = lifetime.run(["sh", "-c", "trap '' TERM; echo $$ > pid; while true; do sleep 0.1; done"], os.environ, Path(sys.argv[1]))
        print(code, lifetime.stopping)
    """
    process = launch(program, str(tmp_path))
    child = read_when_written(tmp_path / "pid")
    start = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=10)[0] == "-9 True\n"
    assert 0.9 < time.monotonic() - start < 3
    assert alive([child]) == []


def test_a_second_signal_ends_the_patience(tmp_path: Path) -> None:
    program = """
        code = lifetime.run(["sh", "-c", "trap '' TERM; echo $$ > pid; while true; do sleep 0.1; done"], os.environ, Path(sys.argv[1]))
        print(code)
    """
    process = launch(program, str(tmp_path))
    read_when_written(tmp_path / "pid")
    start = time.monotonic()
    process.send_signal(signal.SIGINT)
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=10)[0] == "-9\n"
    assert time.monotonic() - start < 0.9


def test_a_signal_that_comes_before_the_child_is_not_forgotten() -> None:
    program = """
        os.kill(os.getpid(), 15)
        print(lifetime.stopping, lifetime.run(["sleep", "60"], os.environ))
    """
    assert launch(program).communicate(timeout=10)[0] == "True -15\n"


def test_when_the_launcher_is_killed_its_child_is_told(tmp_path: Path) -> None:
    program = 'lifetime.run(["sh", "-c", "echo $$ > pid; exec sleep 60"], os.environ, Path(sys.argv[1]))'
    process = launch(program, str(tmp_path))
    child = read_when_written(tmp_path / "pid")
    process.kill()
    process.communicate(timeout=10)
    deadline = time.monotonic() + 5
    while alive([child]) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert alive([child]) == []


def test_a_deaf_child_is_killed_also_when_the_signal_came_while_it_was_being_made(tmp_path: Path) -> None:
    program = """
        import subprocess
        made = subprocess.Popen
        def signalled_on_the_way(*arguments, **options):
            child = made(*arguments, **options)
            while not Path(sys.argv[1], "pid").exists():
                pass
            os.kill(os.getpid(), 15)
            return child
        subprocess.Popen = signalled_on_the_way
        code = lifetime.run(["sh", "-c", "trap '' TERM; echo $$ > pid; while true; do sleep 0.1; done"], os.environ, Path(sys.argv[1]))
        print(code, lifetime.stopping)
    """
    process = launch(program, str(tmp_path))
    assert process.communicate(timeout=10)[0] == "-9 True\n"
    assert alive([read_when_written(tmp_path / "pid")]) == []
