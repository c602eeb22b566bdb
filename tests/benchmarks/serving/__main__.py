"""The serving benchmark: ours with both engines, the bare stack, and what a user would write instead, in one run.

    tests/benchmarks/serving/run                                         # everything; half an hour on a quiet machine
    tests/benchmarks/serving/run --quick                                 # a look at each row; figures mean nothing
    tests/benchmarks/serving/run --data events.parquet --only ours fastapi --parts contest
    tests/benchmarks/serving/run --parts batch start memory              # what is measured of ours alone
    tests/benchmarks/serving/run --parts jvm                             # what each setting of Java and multi-model-server is worth

Every contestant serves the same events: about 20,000 invented songs, or --data. Ours is an item graph; the others are FastAPI on uvicorn,
Flask on gunicorn, MLServer and BentoML, around implicit's item-kNN and its ALS of 64 and of 128 factors. All have two workers of one thread
and get the same bodies in the same order. The rounds are interleaved: in each, every contestant is started, asked for twenty answers that
are checked, and loaded by 1, 16 and 64 clients; figures are medians over the rounds. Clients and servers share this machine.

The results are left in --output: results.json, report.txt, latency-p50.svg and latency-p99.svg. Ends with 1 if a contestant failed.
Contestants that are not installed (scripts/peers --setup peers_serving peers_serving_platforms) are left out, with a line that says so.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from scripts.command_line import CommandError, run
from scripts.machine import described, machine
from tests.benchmarks.serving.contestants import ROOT, Contestant, Launch, Place, contestants
from tests.benchmarks.serving.data import KINDS, Prepared, compile_bytecode, prepare, write_bodies
from tests.benchmarks.serving.jvm import worth_of_settings
from tests.benchmarks.serving.load import generator, load
from tests.benchmarks.serving.own import ENGINES, Figure, batches, cold_starts, memory
from tests.benchmarks.serving.plot import latency_against_load
from tests.benchmarks.serving.report import Row, contest_table, figures_table, verdicts
from tests.benchmarks.serving.running import check_answers, running

PARTS = ("contest", "batch", "start", "memory", "jvm")
CLIENTS = [1, 16, 64]
WORKERS = 2
CHECKED = 20
START_SECONDS = {100_000: 1.5, 1_000_000: 2.5}  # songs, and the seconds that are promised
MEMORY_SONGS = 316_000
QUICK = {"songs": 600, "seconds": 1.0, "rounds": 1, "starts": 1, "clients": [1, 4]}
QUICK_SONGS = {2_000: 1.5}


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 0, or 1 where a contestant failed."""
    options = parse_arguments(arguments)
    output: Path = options.output
    output.mkdir(parents=True, exist_ok=True)
    compile_bytecode()
    prepared = prepare(output / "data", options.data, options.songs, options.models)
    facts = machine()
    lines = [described(facts), f"load by {generator()}; {len(prepared.songs):,} songs, {len(prepared.listeners):,} listeners"]
    print(*lines, sep="\n", flush=True)
    rows: list[Row] = []
    failed = False
    if "contest" in options.parts:
        for rows, failures in contest(options, prepared):
            report(options, facts, lines, rows, [])  # should the next round not end
            failed = bool(failures)
    figures = own_figures(options, prepared)
    if "jvm" in options.parts:
        bodies = options.output / "bodies-jvm.jsonl"
        write_bodies(bodies, prepared, options.requests)
        lines += ["", *worth_of_settings(prepared.folder / "ours", bodies, output, options.seconds, options.rounds)]
        print(*lines[3:], sep="\n")
    print("", *report(options, facts, lines, rows, figures), sep="\n")
    return 1 if failed or any(row.errors for row in rows) else 0


def report(
    options: argparse.Namespace, facts: dict[str, Any], heading: Sequence[str], rows: Sequence[Row], figures: Sequence[Figure]
) -> list[str]:
    """Writes all files of --output, and returns the lines of the tables."""
    told = []
    if rows:
        told += [*contest_table(rows, options.clients), "", *verdicts(rows, options.clients)]
        for what in ("p50", "p99"):
            (options.output / f"latency-{what}.svg").write_text(latency_against_load(rows, what), encoding="utf-8")
    told += ["", *figures_table(figures)] if figures else []
    (options.output / "report.txt").write_text("\n".join([*heading, "", *told]) + "\n", encoding="utf-8")
    document = {"machine": facts, "rows": [row.to_json() for row in rows], "figures": [vars(one) for one in figures]}
    (options.output / "results.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return told


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Returns the options of the command line. Raises ``CommandError`` for numbers that mean nothing."""
    parser = argparse.ArgumentParser(
        prog="tests/benchmarks/serving/run", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="tiny models, one short round: whether every row is answered correctly")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS), help="what to measure (all)")
    parser.add_argument("--only", nargs="+", default=[], metavar="KEY", help="contestants whose key begins so (all): see results.json")
    parser.add_argument("--data", type=Path, help="a file of events, or a folder with train.parquet (invented ones)")
    parser.add_argument("--songs", type=int, default=20_000, help="to invent (%(default)s)")
    parser.add_argument("--models", default="graph", help="of ours, for scripts/train -p models= (%(default)s)")
    parser.add_argument("--requests", choices=KINDS, default="mixed", help="listeners by id, songs of somebody new, or both (%(default)s)")
    parser.add_argument("--clients", type=int, nargs="+", default=CLIENTS, help="how many at once (1 16 64)")
    parser.add_argument("--seconds", type=float, default=4.0, help="of each load, in each round (%(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="the median is told (%(default)s)")
    parser.add_argument("--starts", type=int, default=5, help="of each size and engine, the median is told (%(default)s)")
    parser.add_argument("--output", type=Path, default=ROOT / "runs" / "benchmark-serving", help="folder (%(default)s)")
    options = parser.parse_args(arguments)
    if options.quick:
        vars(options).update(QUICK)
    if min(options.rounds, options.starts, options.songs, *options.clients) < 1 or options.seconds <= 0 or len(options.clients) < 2:
        raise CommandError("--rounds, --starts, --songs, --seconds and --clients take numbers above 0, --clients two or more of them")
    return options


def contest(options: argparse.Namespace, prepared: Prepared) -> Iterator[tuple[list[Row], list[str]]]:
    """Yields after each round the rows of those who have answered correctly so far, and what is wrong with the others."""
    chosen = [one for one in contestants() if not options.only or one.key.startswith(tuple(options.only))]
    for one in chosen:
        if not one.installed:
            print(f"{one.label}: left out, since {one.program} is not installed", flush=True)
    bodies_file = options.output / "bodies.jsonl"
    bodies = write_bodies(bodies_file, prepared, options.requests)
    rows = {one.key: Row(one.key, one.label, one.family) for one in chosen if one.installed}
    failures: dict[str, str] = {}
    for number in range(options.rounds):
        for one in chosen:
            if one.key in rows and one.key not in failures:
                try:
                    measure(one, rows[one.key], options, prepared, bodies_file, bodies, with_more_workers=number == 0)
                except CommandError as error:
                    failures[one.key] = str(error)
                    print(f"{one.label}: failed: {error}", file=sys.stderr, flush=True)
        yield [row for key, row in rows.items() if key not in failures], list(failures.values())


def measure(
    one: Contestant,
    row: Row,
    options: argparse.Namespace,
    prepared: Prepared,
    bodies_file: Path,
    bodies: Sequence[bytes],
    *,
    with_more_workers: bool,
) -> None:
    """Adds one round to the row. Raises ``CommandError`` where an answer is wrong, or none comes."""
    known = None if one.family == "bare" else frozenset(prepared.songs)
    log = options.output / f"{one.key}.log"

    def launch(place: Place) -> Launch:
        return one.launch(prepared.folder.resolve(), place)

    with running(launch, WORKERS, bodies[0], log) as server:
        row.first_answer.append(server.first_answer)
        check_answers(server, bodies[:CHECKED], known)
        load(server.port, bodies_file, 4, min(1.0, options.seconds))  # to warm up
        for clients in options.clients:
            begin = server.cpu_seconds()
            found = load(server.port, bodies_file, clients, options.seconds)
            row.loads.setdefault(clients, []).append(found)
            if clients == options.clients[1]:
                row.cpu_per_request.append((server.cpu_seconds() - begin) / max(found.requests + found.errors, 1))
            print(f"{one.label}, {clients} clients: {found.rate:,.0f} requests/s, p99 {found.p99:.2f} ms", flush=True)
        row.memory.append(server.memory())
        check_answers(server, bodies[:CHECKED], known)
    if with_more_workers:
        taken = [_memory(launch, workers, bodies_file, bodies[0], log) for workers in (WORKERS, 2 * WORKERS)]
        row.further_worker = (taken[1] - taken[0]) // WORKERS


def _memory(launch: Callable[[Place], Launch], workers: int, bodies_file: Path, body: bytes, log: Path) -> int:
    with running(launch, workers, body, log) as server:
        load(server.port, bodies_file, 4 * workers, 1.0)
        return server.memory()


def own_figures(options: argparse.Namespace, prepared: Prepared) -> list[Figure]:
    """Returns what is measured of ours alone."""
    figures: list[Figure] = []
    for figure in _own_figures(options, prepared):
        figures.append(figure)
        print(f"{figure.what}, {ENGINES[figure.engine]}: {figure.value}", flush=True)
    return figures


def _own_figures(options: argparse.Namespace, prepared: Prepared) -> Iterator[Figure]:
    engines = [engine for engine in ENGINES if not options.only or f"ours-{engine}".startswith(tuple(options.only))]
    if "batch" in options.parts:
        yield from batches(prepared, engines, options.rounds, options.output)
    if "start" in options.parts:
        yield from cold_starts(options.output, engines, QUICK_SONGS if options.quick else START_SECONDS, options.starts)
    if "memory" in options.parts:
        yield from memory(options.output, engines, next(iter(QUICK_SONGS)) if options.quick else MEMORY_SONGS)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # so that the server that runs is stopped, too
    sys.exit(run(main))
