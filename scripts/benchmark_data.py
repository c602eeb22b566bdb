"""Measures the way from a catalogue to features: against plain pandas and polars, and as the file grows.

    scripts/benchmark_data                                          # a generated catalogue of 114,000 rows, in gzip CSV
    scripts/benchmark_data --items dataset.csv.gz --rounds 9        # one of yours; plain pandas reads the 20-column format only
    scripts/benchmark_data --scale 100000 200000 400000 900000      # generated rows of 39 columns with lyrics, each in a fresh process
    scripts/benchmark_data --gigabytes 1.2 --out figures.json

Features are made without lyrics vectors. Files have just been written or read, so that they lie in the system's cache: what is measured
is the work, not the disk. Other work on the machine makes times longer; "times ours" compares times of the same round. Ends with 0
whether or not a target is reached.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scripts.command_line import CommandError, run
from scripts.machine import described, machine

CATALOGUE_ROWS = 114_000
LYRICS_LINES = 55  # about 2.4 KB a row, as in the public file
ROWS_TO_WEIGH = 2_000
TARGET_SECONDS, TARGET_BYTES = 90.0, 2e9  # for 1.2 GB


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 0. Raises ``CommandError`` for a mistake on the command line, or a measurement that fails."""
    options = parse_arguments(arguments)
    if options.items and not options.items.is_file():
        raise CommandError(f"--items {options.items}: no such file")
    if options.work_dir and not options.work_dir.is_dir():
        raise CommandError(f"--work-dir {options.work_dir}: no such folder")
    found: dict[str, Any] = {"machine": machine()}
    print(described(found["machine"]), flush=True)
    with tempfile.TemporaryDirectory(prefix="benchmark-data-", dir=options.work_dir) as folder:
        if options.items or not (options.scale or options.gigabytes):
            found["catalogue"] = catalogue_part(options, Path(folder))
        if options.scale:
            found["scale"] = scale_part(options, Path(folder))
        if options.gigabytes:
            found["gigabytes"] = gigabytes_part(options, Path(folder))
    found["load_at_the_end"] = machine()["load"]
    if options.out:
        options.out.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return 0


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Returns the options of the command line."""
    parser = argparse.ArgumentParser(
        prog="scripts/benchmark_data", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--items", type=Path, metavar="FILE", help="the catalogue to compare on; without it one is generated")
    parser.add_argument("--rows", type=positive, default=CATALOGUE_ROWS, help="of the generated catalogue (%(default)s)")
    parser.add_argument("--rounds", type=positive, default=5, help="of the comparison (%(default)s)")
    parser.add_argument("--scale", type=positive, nargs="+", default=[], metavar="ROWS", help="generates so many rows, and reads them")
    parser.add_argument("--gigabytes", type=float, default=0.0, metavar="GB", help="generates a file of this size, and reads it")
    parser.add_argument("--repeat", type=positive, default=1, help="for --scale and --gigabytes: the best of so many runs (%(default)s)")
    parser.add_argument("--engine", choices=("auto", "pandas", "dask"), default="auto", help="data_engine of these (%(default)s)")
    parser.add_argument("--seed", type=int, default=7, help="of what is generated (%(default)s)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="writes the figures as JSON, too")
    parser.add_argument("--work-dir", type=Path, metavar="FOLDER", help="where generated files lie meanwhile; else in the system's folder")
    return parser.parse_args(arguments)


def positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise ValueError
    return number


def catalogue_part(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Compares with the others on one file."""
    from scripts.benchmark_catalogue import compare, shown
    from scripts.make_dataset import make_dataset

    path: Path = options.items
    if path is None:
        make_dataset(folder, song_rows=options.rows, catalogue="tracks", events="none", compress=True, seed=options.seed)
        path = folder / "items" / "songs.csv.gz"
    found = compare(path, options.rounds)
    print(f"\n{shown(found)}", flush=True)
    return found


def scale_part(options: argparse.Namespace, folder: Path) -> list[dict[str, Any]]:
    """Reads files of growing size."""
    from scripts.benchmark_scale import LARGEST_GROWTH, growth_per_doubling, shown, verdict

    runs = [generated_and_read(rows, options, folder) for rows in sorted(set(options.scale))]
    print(f"\n{shown(runs, {'rows': 'rows', 'songs': 'songs'}, 'rows')}")
    grown = [one for one in growth_per_doubling([r["rows"] for r in runs], [r["seconds"] for r in runs]) if one is not None]
    if grown:
        print(verdict("time for twice the rows", max(grown), LARGEST_GROWTH, " times"), flush=True)
    return runs


def gigabytes_part(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Reads one file of a size."""
    from scripts.benchmark_scale import shown, verdict

    found = generated_and_read(round(options.gigabytes * 1e9 / bytes_per_row(options, folder)), options, folder)
    print(f"\n{shown([found], {'rows': 'rows', 'songs': 'songs'}, 'rows')}")
    print(verdict("seconds from file to features", found["seconds"], TARGET_SECONDS * options.gigabytes / 1.2, " s"))
    print(verdict("peak of memory", found["peak_bytes"] / 1e9, TARGET_BYTES / 1e9, " GB"), flush=True)
    return found


def generated_and_read(rows: int, options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Makes a file of so many rows, reads it, and removes it."""
    from scripts.benchmark_scale import best_of

    begin = time.perf_counter()
    path = songs_with_lyrics(folder, rows, options.seed)
    os.sync()  # else the system goes on writing the file while it is read
    made = {"bytes": path.stat().st_size, "generated_seconds": time.perf_counter() - begin}
    try:
        return {**best_of(options.repeat, "items", path, options.engine), **made}
    finally:
        path.unlink()


def bytes_per_row(options: argparse.Namespace, folder: Path) -> float:
    path = songs_with_lyrics(folder, ROWS_TO_WEIGH, options.seed)
    size = path.stat().st_size
    path.unlink()
    return size / ROWS_TO_WEIGH


def songs_with_lyrics(folder: Path, rows: int, seed: int) -> Path:
    """A file of 39 columns with about 2 KB of lyrics in each row, newlines in them."""
    from scripts.make_dataset import make_dataset

    make_dataset(folder, song_rows=rows, lyrics_lines=LYRICS_LINES, break_lines=True, events="none", seed=seed)
    return folder / "items" / "songs.csv"


if __name__ == "__main__":
    sys.exit(run(main))
