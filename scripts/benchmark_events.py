"""Measures how listening events become the training matrix, as there are more of them: time, memory, and how both grow.

    scripts/benchmark_events                                       # 10, 25, 50 and 100 million events; a few minutes, 1 GB of disk
    scripts/benchmark_events --millions 1 2 4 --out figures.json
    scripts/benchmark_events --millions 10 --engine dask

The events are invented (see scripts/make_dataset) and lie in shards of Parquet: of each size as many listeners as have 80 events each, and
100,000 songs of which few are heard a lot. Each size is read in a fresh process, from the files to the matrix of listeners and songs.
The size of that matrix grows with the events, so memory does, too; what is read of the files at one time does not.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scripts.benchmark_data import positive
from scripts.benchmark_scale import LARGEST_GROWTH, best_of, growth_per_doubling, shown, verdict
from scripts.command_line import CommandError, run
from scripts.machine import described, machine
from scripts.make_dataset import make_dataset

EVENTS_PER_LISTENER = 80
COLUMNS = {"rows": "rows", "listeners": "listeners", "songs": "songs", "pairs": "pairs"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 0. Raises ``CommandError`` for a mistake on the command line, or a measurement that fails."""
    options = parse_arguments(arguments)
    if options.work_dir and not options.work_dir.is_dir():
        raise CommandError(f"--work-dir {options.work_dir}: no such folder")
    found: dict[str, Any] = {"machine": machine()}
    print(described(found["machine"]), flush=True)
    with tempfile.TemporaryDirectory(prefix="benchmark-events-", dir=options.work_dir) as folder:
        runs = [generated_and_counted(millions, options, Path(folder)) for millions in sorted(set(options.millions))]
    print(f"\n{shown(runs, COLUMNS, 'rows')}")
    ends = runs[:: max(1, len(runs) - 1)]
    growth = growth_per_doubling([run["rows"] for run in ends], [run["seconds"] for run in ends])[-1]
    if growth is not None:
        print(verdict("time for twice the events, from the smallest to the largest", growth, LARGEST_GROWTH, " times"))
    found |= {"runs": runs, "load_at_the_end": machine()["load"]}
    if options.out:
        options.out.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return 0


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Returns the options of the command line."""
    parser = argparse.ArgumentParser(
        prog="scripts/benchmark_events", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--millions", type=float, nargs="+", default=[10, 25, 50, 100], metavar="N", help="of events (10 25 50 100)")
    parser.add_argument("--songs", type=positive, default=100_000, help="that are listened to (%(default)s)")
    parser.add_argument("--repeat", type=positive, default=1, help="the best of so many runs (%(default)s)")
    parser.add_argument("--engine", choices=("auto", "pandas", "dask"), default="auto", help="data_engine (%(default)s)")
    parser.add_argument("--seed", type=int, default=7, help="of what is generated (%(default)s)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="writes the figures as JSON, too")
    parser.add_argument("--work-dir", type=Path, metavar="FOLDER", help="where generated files lie meanwhile; else in the system's folder")
    options = parser.parse_args(arguments)
    if min(options.millions) <= 0:
        parser.error("--millions has to be above 0")
    return options


def generated_and_counted(millions: float, options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Makes about so many events, counts them, and removes them."""
    begin = time.perf_counter()
    listeners = max(1, round(millions * 1e6 / EVENTS_PER_LISTENER))
    out = folder / "events"
    make_dataset(out, options.songs, listeners, EVENTS_PER_LISTENER, options.seed, catalogue="none", events="parquet")
    os.sync()  # else the system goes on writing the files while they are read
    made = {"bytes": sum(path.stat().st_size for path in out.rglob("*.parquet")), "generated_seconds": time.perf_counter() - begin}
    try:
        return {**best_of(options.repeat, "interactions", out / "interactions", options.engine), **made}
    finally:
        shutil.rmtree(out)


if __name__ == "__main__":
    sys.exit(run(main))
