"""Load for a server, and what it made of it: by wrk where it is on PATH, else by the Python clients of scripts/benchmark_serving."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.benchmark_serving import percentile, run_clients
from scripts.command_line import CommandError
from scripts.load_client import Result

SCRIPT = Path(__file__).resolve().with_name("wrk.lua")


@dataclass(frozen=True)
class Load:
    """``requests``: answered with 200; ``errors``: others, and those without an answer. Times in milliseconds."""

    requests: int
    errors: int
    rate: float
    p50: float
    p99: float


def generator() -> str:
    """Returns who makes the load, for people."""
    return "wrk" if shutil.which("wrk") else "Python clients (wrk is not on PATH; they take more of the CPUs that the servers need)"


def load(port: int, bodies: Path, clients: int, seconds: float) -> Load:
    """Sends the lines of the file ``bodies``, one after the other and again, from so many connections at once."""
    return _wrk(port, bodies, clients, seconds) if shutil.which("wrk") else _python(port, bodies, clients, seconds)


def _wrk(port: int, bodies: Path, clients: int, seconds: float) -> Load:
    options = ["-t1", f"-c{clients}", f"-d{max(1, math.ceil(seconds))}s", "--timeout", "30s", "--script", str(SCRIPT)]
    command = ["wrk", *options, f"http://127.0.0.1:{port}/invocations", "--", str(bodies)]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    last = (finished.stdout.strip().splitlines() or [""])[-1]
    if finished.returncode or not last.startswith("{"):
        raise CommandError(f"wrk failed: {(finished.stderr or finished.stdout).strip()[-300:]}")
    told = json.loads(last)
    requests = told["requests"] - told["statuses"]
    return Load(requests, told["statuses"] + told["lost"], requests / told["seconds"], told["p50"], told["p99"])


def _python(port: int, bodies: Path, clients: int, seconds: float) -> Load:
    lines = bodies.read_text(encoding="ascii").splitlines()
    begin = [len(lines) * client // clients for client in range(clients)]  # each begins elsewhere
    return _added_up(run_clients(("127.0.0.1", port), [lines[place:] + lines[:place] for place in begin], seconds))


def _added_up(results: Sequence[Result]) -> Load:
    times = sorted(time for result in results for time in result["milliseconds"])
    rate = sum(len(result["milliseconds"]) / result["elapsed"] for result in results)
    middle, late = (percentile(times, p) if times else math.nan for p in (50, 99))
    return Load(len(times), sum(len(result["errors"]) for result in results), rate, middle, late)
