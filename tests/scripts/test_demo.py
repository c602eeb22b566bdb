"""The README's first command, on a small world."""

from __future__ import annotations

import re
import socket
import subprocess
from pathlib import Path

from inference.artifact import load
from tests.integration.serving import ROOT


def test_the_demo_trains_serves_asks_and_stops(tmp_path: Path) -> None:
    command = [str(ROOT / "scripts" / "demo"), "--songs", "400", "--listeners", "120", "--output", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        shown, _ = process.communicate(timeout=180)
    assert process.returncode == 0, shown
    parts = dict(part.split("\n", 1) for part in shown.split("\n=== ")[1:])
    asked = {heading.split(".")[0]: text for heading, text in parts.items()}
    assert "%" in asked["4"].split("because of")[1]  # reasons, as shares
    assert "new listener" in asked["5"]
    assert "by content: nobody has played these songs yet" in asked["6"]
    assert "by popularity: nothing is known about this listener" in asked["7"]
    assert "120 of 120 answered" in asked["8"]
    assert shown.endswith("Stopped.\n")
    assert load(tmp_path / "trained" / "model", verify=True).users.number("listener-001") >= 0
    assert (tmp_path / "trained" / "model.tar.gz").is_file()
    port = re.search(r"http://127\.0\.0\.1:(\d+)", asked["3"])
    assert port
    with socket.socket() as probe:  # the server is gone
        assert probe.connect_ex(("127.0.0.1", int(port[1]))) != 0
