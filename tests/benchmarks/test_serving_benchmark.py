"""The serving benchmark: every contestant answers correctly, and the tables say what was measured."""

from __future__ import annotations

import json
import os
import re
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from container.serving.java_runtime import find_java, java_command
from container.serving.settings import CLASS_ARCHIVE_ENV, Settings
from scripts.command_line import CommandError
from tests.benchmarks.serving.__main__ import main, parse_arguments
from tests.benchmarks.serving.contestants import contestants
from tests.benchmarks.serving.jvm import FLAGS, left_out
from tests.benchmarks.serving.load import Load
from tests.benchmarks.serving.own import Figure
from tests.benchmarks.serving.plot import latency_against_load
from tests.benchmarks.serving.report import Row, contest_table, figures_table, verdicts
from tests.benchmarks.serving.running import Running, check_answers

SONGS = [f"song-{number}" for number in range(10)]


def row(key: str, family: str, rate: float, p99: float) -> Row:
    loads = {clients: [Load(100, 0, rate, p99 / 4, p99), Load(100, 0, 9 * rate, p99, 9 * p99), Load(1, 0, 0, 0, 0)] for clients in (1, 16)}
    return Row(key, key, family, loads, [1.0], [1e-3], [100_000_000])


def test_the_middle_of_the_rounds_is_set_against_our_best_engine() -> None:
    rows = [row("ours-mms", "ours", 1000, 10), row("ours-uvicorn", "ours", 4000, 5), row("slow", "peer", 1000, 20)]
    cells = [line.split() for line in contest_table(rows, [1, 16])]
    assert [line[4:8] for line in cells[1:]] == [
        ["1,000", "0.25", "10.0", "2.00"],
        ["4,000", "1.00", "5.0", "1.00"],
        ["1,000", "0.25", "20.0", "4.00"],
    ]
    assert verdicts(rows, [1, 16]) == ["16 clients, requests/s and p99: ours-uvicorn is ahead of every peer"]


def test_a_peer_with_a_better_p99_alone_is_one_that_we_are_not_ahead_of() -> None:
    rows = [row("ours-mms", "ours", 1000, 10), row("noop-mms", "bare", 2000, 5), row("steady", "peer", 500, 9)]
    assert verdicts(rows, [1, 16]) == [
        "p50 of ours to the bare stack's, 1 client, both multi-model-server: 2.00 (at most 1.5)",
        "requests/s of ours to the bare stack's, 16 clients: 0.50 (at least 0.6)",
        "16 clients, requests/s and p99: ours-mms is not ahead of steady",
    ]


def test_a_figure_has_a_column_for_each_engine_and_what_was_promised() -> None:
    lines = figures_table([Figure("seconds", "mms", "1.20", "1.5"), Figure("seconds", "uvicorn", "0.90", "1.5")])
    assert [line.split() for line in lines] == [["multi-model-server", "uvicorn", "promised"], ["seconds", "1.20", "0.90", "1.5"]]


def test_the_drawing_names_every_contestant() -> None:
    drawing = latency_against_load([row("ours-mms", "ours", 1000, 10), row("a <b>", "peer", 500, 9)], "p99")
    assert drawing.startswith("<svg")
    assert ">ours-mms<" in drawing
    assert ">a &lt;b&gt;<" in drawing


class Answering(BaseHTTPRequestHandler):
    """Answers with what the request says."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture
def echo() -> Iterator[Running]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever).start()
        process: Any = SimpleNamespace(pid=0)
        yield Running(process, server.server_address[1], None, 0.0)
        server.shutdown()


def answer(songs: list[str]) -> bytes:
    return json.dumps({"recommendations": [{"item_id": song} for song in songs]}).encode()


def test_each_setting_of_java_is_left_out_by_itself(tmp_path: Path) -> None:
    names = ("UseSerialGC", "TieredStopAtLevel", "MaxHeapSize", "MaxNewSize")
    found: dict[str, dict[str, str]] = {}
    for one in left_out():
        if one.what == "as it is" or FLAGS in one.variables:
            command = java_command(find_java(os.environ), Settings.from_environment(one.variables), tmp_path, tmp_path)
            flags = [word for word in command[1:] if word.startswith("-X")]
            told = subprocess.run([command[0], *flags, "-XX:+PrintFlagsFinal", "-version"], capture_output=True, text=True, check=True)
            found[one.what] = dict(re.findall(rf"\b({'|'.join(names)})\s*:?=\s*(\w+)", told.stdout + told.stderr))
        else:
            assert Settings.from_environment(one.variables) != Settings.from_environment({CLASS_ARCHIVE_ENV: "as in the image"})
    plain = found.pop("as it is")
    assert [{name for name in names if values[name] != plain[name]} for values in found.values()] == [{name} for name in names]


def test_an_answer_of_ten_known_songs_is_right(echo: Running) -> None:
    check_answers(echo, [answer(SONGS)], frozenset(SONGS))


@pytest.mark.parametrize("wrong", [answer(SONGS[:9]), answer(SONGS[:9] + SONGS[:1]), answer([*SONGS[:9], "other"]), b"{}", b"no JSON"])
def test_any_other_answer_is_wrong(echo: Running, wrong: bytes) -> None:
    with pytest.raises(CommandError, match="was answered by"):
        check_answers(echo, [answer(SONGS), wrong], frozenset(SONGS))


def test_numbers_that_mean_nothing_are_refused() -> None:
    with pytest.raises(CommandError, match="above 0"):
        parse_arguments(["--rounds", "0"])


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_every_contestant_that_is_installed_answers_correctly(tmp_path: Path) -> None:
    assert main(["--quick", "--output", str(tmp_path)]) == 0
    found = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert [one["key"] for one in found["rows"]] == [one.key for one in contestants() if one.installed]
    assert all(load["requests"] > 0 and load["errors"] == 0 for one in found["rows"] for loads in one["loads"].values() for load in loads)
    assert {figure["engine"] for figure in found["figures"]} == {"mms", "uvicorn"}
    assert (tmp_path / "latency-p99.svg").read_text(encoding="utf-8").startswith("<svg")
