"""Measures how fast a server answers: of a model that it starts itself with container/bin/serve, or of one that runs already.

    scripts/benchmark_serving runs/demo/trained                                        # starts, measures, stops
    scripts/benchmark_serving runs/demo/trained --requests new --history 50 --clients 1 8 16 --seconds 10
    scripts/benchmark_serving runs/demo/trained --starts 5 --seconds 1                 # seconds to the first healthy ping, five times
    scripts/benchmark_serving runs/demo/trained --url http://127.0.0.1:8080            # a container's published port; ids from the model
    scripts/benchmark_serving --url http://127.0.0.1:8080 --requests similar --ids songs.txt

Each client is a process with one kept connection that sends its next request when it has the answer to the last; clients share the
machine with the server, and only loopback is measured. Settings of the server are environment variables, as for scripts/serve
(SERVING_ENGINE=uvicorn scripts/benchmark_serving …). Ends with 1 if any request failed.
"""

from __future__ import annotations

import argparse
import ipaddress
import json
import math
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from inference.artifact import load
from scripts import load_client
from scripts.answer_table import table
from scripts.command_line import CommandError, run
from scripts.load_client import Job, Result
from scripts.local_server import find_model, serving
from scripts.process_memory import descendants, proportional_bytes

KINDS = ("known", "new", "similar", "mixed")
BODIES = 500  # different ones for each client, then from the start again
WARM_UP_SECONDS = 1.0
HEADING = ["clients", "requests", "errors", "requests/s", "p50 ms", "p90 ms", "p99 ms", "max ms"]


@dataclass(frozen=True)
class Ids:
    """What requests may name."""

    listeners: Sequence[str]
    songs: Sequence[str]


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 0, or 1 if any request failed. Raises ``CommandError`` for a mistake on the command line."""
    options = parse_arguments(arguments)
    if not options.model and not (options.url and options.ids):
        raise CommandError("give MODEL; or --url of a running server with --ids, a file of ids that it knows")
    ids = ids_of_model(options.model) if options.model else ids_in_file(options.ids, options.requests)
    if options.url:
        return 1 if measure(loopback(options.url), ids, options) else 0
    failed, starts = 0, []
    for _ in range(options.starts):
        with started(find_model(options.model)) as (url, seconds):
            starts.append(seconds)
            print(f"memory once healthy: {memory()}")
            failed += measure(loopback(url), ids, options)
            print(f"memory after the load: {memory()}")
    print(f"seconds to the first healthy ping: {statistics.median(starts):.2f}{f' (median of {len(starts)})' if len(starts) > 1 else ''}")
    return 1 if failed else 0


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Returns the options of the command line."""
    parser = argparse.ArgumentParser(
        prog="scripts/benchmark_serving", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", type=Path, nargs="?", metavar="MODEL", help="what scripts/train wrote; its ids are asked for")
    parser.add_argument("--url", help="a server that runs already, on loopback; without it one is started on MODEL")
    parser.add_argument(
        "--ids", type=Path, metavar="FILE", help="without MODEL: one id in each line, of listeners for known, else of songs"
    )
    parser.add_argument("--clients", type=positive, nargs="+", default=[1, 8], metavar="N", help="how many at once (1 8)")
    parser.add_argument("--seconds", type=float, default=5.0, help="how long each number of clients is measured (%(default)s)")
    parser.add_argument("--requests", choices=KINDS, default="mixed", help="known listeners, new ones, similar songs, or a third each")
    parser.add_argument("--history", type=positive, default=20, help="songs that a new listener brings (%(default)s)")
    parser.add_argument("--explain", action="store_true", help="asks for reasons as well")
    parser.add_argument("--starts", type=positive, default=1, help="starts the server so many times, and measures each (%(default)s)")
    parser.add_argument("--seed", type=int, default=7, help="another seed, other requests (%(default)s)")
    return parser.parse_args(arguments)


def positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise ValueError
    return number


# --- what is asked -----------------------------------------------------------------------------------------------------------------------


def ids_of_model(given: Path) -> Ids:
    found = find_model(given)
    if not found.is_dir():
        raise CommandError(f"{given} is an archive: give the model folder, its ids are needed")
    model = load(found)
    return Ids([model.users.id(n) for n in range(len(model.users))], [model.items.id(n) for n in range(len(model.items))])


def ids_in_file(path: Path, kind: str) -> Ids:
    """Raises ``CommandError`` where the file has no ids, or ``kind`` needs those of listeners and of songs."""
    if kind == "mixed":
        raise CommandError("--requests mixed needs listeners and songs: give MODEL, or --requests known, new or similar")
    try:
        ids = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"--ids {path} cannot be read: {error}") from None
    if not (ids := [id_.rstrip("\r") for id_ in ids if id_.strip()]):
        raise CommandError(f"--ids {path} is empty: write one id in each line")
    return Ids(ids, []) if kind == "known" else Ids([], ids)


def make_bodies(kind: str, ids: Ids, count: int, seed: str, *, history: int = 20, explain: bool = False) -> list[str]:
    """Returns ``count`` requests as JSON; the same for the same seed. Raises ``CommandError`` where no listener is known."""
    if kind == "known" and not ids.listeners:
        raise CommandError("this model knows no listener: use --requests new or similar")
    kinds = [kind] if kind != "mixed" else [k for k in ("known", "new", "similar") if k != "known" or ids.listeners]
    rng = random.Random(seed)
    more = {"explain": True} if explain else {}
    return [json.dumps(make_request(kinds[i % len(kinds)], ids, rng, history) | more) for i in range(count)]


def make_request(kind: str, ids: Ids, rng: random.Random, history: int) -> dict[str, Any]:
    if kind == "known":
        return {"user_id": rng.choice(ids.listeners)}
    if kind == "similar":
        return {"items": [rng.choice(ids.songs)]}
    return {"events": [{"item_id": song, "event_type": "play"} for song in rng.sample(ids.songs, min(history, len(ids.songs)))]}


# --- measuring ---------------------------------------------------------------------------------------------------------------------------


def loopback(url: str) -> tuple[str, int]:
    """Returns host and port. Raises ``CommandError`` for any address but this machine's own: load is for nobody else's server."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or 80
        if parts.scheme == "http" and (host == "localhost" or ipaddress.ip_address(host).is_loopback):
            return host, port
    except ValueError:
        pass
    raise CommandError(f"--url {url}: only a server on this machine is measured, for example http://127.0.0.1:8080")


@contextmanager
def started(model: Path) -> Iterator[tuple[str, float]]:
    """Starts the server on a free port, and yields its URL and the seconds until its first healthy ping."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        begin = time.perf_counter()
        with serving(model, Path(folder) / "serve.log") as url:
            yield url, time.perf_counter() - begin


def measure(address: tuple[str, int], ids: Ids, options: argparse.Namespace) -> int:
    """Prints one line for each number of clients; returns how many requests failed."""
    rows, errors = [HEADING], Counter[str]()
    for clients in options.clients:
        results = run_clients(address, [bodies_of_client(client, ids, options) for client in range(clients)], options.seconds)
        errors.update(error for result in results for error in result["errors"])
        rows.append(row(results))
    print(*table(rows), sep="\n", flush=True)
    for error, times in errors.most_common(3):
        print(f"{times} x {error}", file=sys.stderr)
    return errors.total()


def bodies_of_client(client: int, ids: Ids, options: argparse.Namespace) -> list[str]:
    return make_bodies(options.requests, ids, BODIES, f"{options.seed}-{client}", history=options.history, explain=options.explain)


def run_clients(address: tuple[str, int], bodies: Sequence[Sequence[str]], seconds: float) -> list[Result]:
    """Lets all clients, one for each list of bodies, warm up, then measure at the same time."""
    headers = {"Content-Type": "application/json"}
    warm_up = min(WARM_UP_SECONDS, seconds)
    command = [sys.executable, "-I", load_client.__file__]  # needs the standard library only
    processes = []
    try:
        for some in bodies:
            job = Job(host=address[0], port=address[1], bodies=list(some), headers=headers, warm_up=warm_up, seconds=seconds)
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            processes.append(process)
            tell(process, json.dumps(job))
        for process in processes:
            if process.stdout is None or process.stdout.readline() != "ready\n":
                raise CommandError("a client could not start; the lines above may say why")
        for process in processes:
            tell(process, "go")
        return [json.loads(process.communicate()[0]) for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def tell(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{line}\n")
    process.stdin.flush()


def row(results: Sequence[Result]) -> list[str]:
    times = sorted(time for result in results for time in result["milliseconds"])
    errors = sum(len(result["errors"]) for result in results)
    rate = sum(len(result["milliseconds"]) / result["elapsed"] for result in results)
    shown = [f"{percentile(times, p):.2f}" for p in (50, 90, 99, 100)] if times else ["-"] * 4
    return [str(len(results)), str(len(times) + errors), str(errors), f"{rate:.0f}", *shown]


def percentile(ascending: Sequence[float], percent: float) -> float:
    """Returns the smallest value that at least ``percent`` of all values do not exceed."""
    return ascending[max(0, math.ceil(len(ascending) * percent / 100) - 1)]


def memory() -> str:
    """Returns the memory of all processes below this one, which are the server's; shared pages count once."""
    pids = descendants()
    total = proportional_bytes(pids)
    return "not known on this system" if total is None else f"{total / 1e6:.0f} MB in {len(pids)} processes (PSS)"


if __name__ == "__main__":
    sys.exit(run(main))
