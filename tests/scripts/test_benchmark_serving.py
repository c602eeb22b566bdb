"""scripts/benchmark_serving: figures of a real server, the same requests for the same seed, and no load for anybody else's server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from scripts import benchmark_serving
from scripts.benchmark_serving import Ids, loopback, make_bodies, percentile, row
from scripts.command_line import CommandError
from scripts.load_client import Result
from scripts.process_memory import descendants, proportional_bytes
from tests.integration.serving import make_model

IDS = Ids([f"u{i}" for i in range(9)], [f"s{i}" for i in range(9)])


class Refusing(BaseHTTPRequestHandler):
    """Answers every second request with 503."""

    protocol_version = "HTTP/1.1"
    asked = 0

    def do_POST(self) -> None:
        Refusing.asked += 1
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200 if Refusing.asked % 2 else 503)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture
def refusing_url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_a_server_is_started_measured_and_stopped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = make_model(tmp_path / "trained" / "model")
    before = descendants()
    assert benchmark_serving.main([str(model.parent), "--clients", "1", "2", "--seconds", "0.3"]) == 0
    lines = capsys.readouterr().out.splitlines()
    head = next(i for i, line in enumerate(lines) if line.split()[0] == "clients")
    assert lines[head].split() == ["clients", "requests", "errors", "requests/s", "p50", "ms", "p90", "ms", "p99", "ms", "max", "ms"]
    for clients, line in zip((1, 2), lines[head + 1 : head + 3], strict=True):
        number, requests, errors, rate, *times = line.split()
        assert (int(number), int(errors)) == (clients, 0)
        assert int(requests) > 0
        assert float(rate) > 0
        assert sorted(map(float, times)) == [*map(float, times)]
    assert len({len(line) for line in lines[head : head + 3]}) == 1, "the columns are aligned"
    assert "MB in" in lines[head - 1]
    assert "MB in" in lines[head + 3]
    assert float(lines[-1].removeprefix("seconds to the first healthy ping: ")) > 0
    assert descendants() == before


def test_failed_requests_are_counted_shown_and_end_with_1(refusing_url: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "ids").write_text("s1\ns2\r\n\ns3")
    arguments = ["--url", refusing_url, "--ids", str(tmp_path / "ids"), "--requests", "new", "--clients", "1", "--seconds", "0.2"]
    assert benchmark_serving.main(arguments) == 1
    said = capfd.readouterr()
    requests, errors = map(int, said.out.splitlines()[1].split()[1:3])
    assert errors in (requests // 2, (requests + 1) // 2)
    assert f"{errors} x 503 {{}}" in said.err


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com",
        "http://10.0.0.1:8080",
        "http://0.0.0.0:8080",
        "https://127.0.0.1",
        "127.0.0.1:8080",
        "http://localhost.evil",
        "",
    ],
)
def test_only_this_machine_is_put_under_load(url: str) -> None:
    with pytest.raises(CommandError, match="only a server on this machine"):
        loopback(url)


def test_the_ways_to_write_this_machine() -> None:
    assert loopback("http://127.0.0.1:8080") == ("127.0.0.1", 8080)
    assert loopback("http://localhost") == ("localhost", 80)
    assert loopback("http://[::1]:9000/") == ("::1", 9000)


@pytest.mark.parametrize("kind", ["known", "new", "similar", "mixed"])
def test_the_same_seed_asks_the_same_and_another_seed_something_else(kind: str) -> None:
    bodies = make_bodies(kind, IDS, 30, "7-0", history=3, explain=True)
    assert bodies == make_bodies(kind, IDS, 30, "7-0", history=3, explain=True)
    assert bodies != make_bodies(kind, IDS, 30, "7-1", history=3, explain=True)
    fields = {field for body in bodies for field in json.loads(body)} - {"explain"}
    assert fields == {"known": {"user_id"}, "new": {"events"}, "similar": {"items"}, "mixed": {"user_id", "events", "items"}}[kind]
    assert all(len(json.loads(body).get("events", "abc")) == 3 for body in bodies)


def test_a_model_that_knows_no_listener_is_asked_for_new_ones_and_similar_songs() -> None:
    songs_only = Ids([], IDS.songs)
    assert not any("user_id" in json.loads(body) for body in make_bodies("mixed", songs_only, 30, "7-0"))
    with pytest.raises(CommandError, match="knows no listener: use --requests new"):
        make_bodies("known", songs_only, 1, "7-0")


def test_a_percentile_is_a_time_that_was_measured() -> None:
    assert [percentile([1, 2, 3, 4], p) for p in (0, 50, 51, 100)] == [1, 2, 3, 4]
    one: Result = {"milliseconds": [2.0, 1.0], "errors": [], "elapsed": 0.5}
    other: Result = {"milliseconds": [4.0, 3.0], "errors": ["503"], "elapsed": 1.0}
    assert row([one, other]) == ["2", "5", "1", "6", "2.00", "4.00", "4.00", "4.00"]
    assert row([{"milliseconds": [], "errors": ["503"], "elapsed": 1.0}])[2:] == ["1", "0", "-", "-", "-", "-"]


@pytest.mark.parametrize(
    ("arguments", "mistake"),
    [
        ([], "give MODEL; or --url"),
        (["--url", "http://127.0.0.1:1"], "give MODEL; or --url"),
        (["--url", "http://127.0.0.1:1", "--ids", "/nonexistent"], "mixed needs listeners and songs"),
        (["--url", "http://127.0.0.1:1", "--ids", "/nonexistent", "--requests", "new"], "cannot be read"),
        (["/nonexistent"], "is no model"),
    ],
)
def test_what_is_missing_is_said(arguments: list[str], mistake: str) -> None:
    with pytest.raises(CommandError, match=mistake):
        benchmark_serving.main(arguments)


@pytest.mark.skipif(proportional_bytes([os.getpid()]) is None, reason="this system has no smaps_rollup")
def test_memory_is_that_of_the_processes_below_and_not_of_those_that_are_gone() -> None:
    code = "import sys; block = bytearray(b'x' * 50_000_000); print('ready', flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        assert child.pid in descendants()
        assert 50e6 < (proportional_bytes([child.pid]) or 0) < 150e6
    assert child.pid not in descendants()
    assert proportional_bytes([child.pid]) is None
