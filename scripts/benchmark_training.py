"""How fitting grows with the catalogue: trains on invented data of several sizes, each in a fresh process, and asks each model.

    scripts/benchmark_training                                     # 10,000, 100,000 and 1,000,000 songs
    scripts/benchmark_training --songs 10000 100000 --models popularity,graph,ease --memory-limit-gb 2

prints the seconds of each model, of all, the peak of memory, the size of the model and the time of one request, for each size; and by
how much the time grew for twice the interactions.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from inference.artifact import load
from inference.request import Request
from scripts.answer_table import table
from scripts.benchmark_scale import growth_per_doubling
from scripts.command_line import CommandError, run
from scripts.fresh_process import ROOT, measured
from scripts.leaderboard_run import LOG

SONGS = (10_000, 100_000, 1_000_000)
MODELS = "popularity,graph,ease,als,content"
_FITTED = re.compile(r"^event=stage name=fit_(\w+) seconds=(\S+).*interactions=(\d+)", re.MULTILINE)
_ASKED, _HISTORY = 200, 50


@dataclass(frozen=True)
class Size:
    """What one size took: seconds of each model (``fitted``) and of the whole training, memory, disk, and the median of a request."""

    songs: int
    interactions: int
    fitted: dict[str, float]
    seconds: float
    peak_bytes: int
    model_bytes: int
    request_ms: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 0. Raises ``CommandError`` for settings that can't be used."""
    parser = argparse.ArgumentParser(
        prog="scripts/benchmark_training", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--songs", type=int, nargs="+", default=list(SONGS), help="sizes of the catalogue")
    parser.add_argument("--songs-per-listener", type=int, default=5, help="songs of the catalogue for each listener (5)")
    parser.add_argument("--models", default=MODELS, help=f"({MODELS})")
    parser.add_argument("--memory-limit-gb", default="4", help="memory_limit_gb of the training (4)")
    options = parser.parse_args(arguments)
    if min(options.songs) < 100 or options.songs_per_listener < 1:
        raise CommandError("--songs takes 100 or more, --songs-per-listener 1 or more")
    sizes = []
    for songs in options.songs:
        with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
            listeners = max(100, songs // options.songs_per_listener)
            sizes.append(one_size(Path(folder), songs, listeners, options.models, options.memory_limit_gb))
        print("\n".join(shown(sizes)), flush=True)
    return 0


def one_size(folder: Path, songs: int, listeners: int, models: str, memory_limit_gb: str) -> Size:
    """Makes the data, trains once (with fixed shares, so that each model is fitted once), and asks the model."""
    make = [sys.executable, "-P", "-m", "scripts.make_dataset", str(folder), "--songs", str(songs), "--listeners", str(listeners)]
    subprocess.run([*make, "--lyrics-lines", "0"], check=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL)
    names = models.split(",")
    hyperparameters = {
        **{"models": models, "memory_limit_gb": memory_limit_gb, "features_lyrics": "false", "split_max_test_listeners": "200"},
        "hybrid_weights": json.dumps(dict.fromkeys(names, 1.0)),
    }
    channels = {name: str(folder / name) for name in ("interactions", "items")}
    output, model = folder / "output", folder / "model"
    job = folder / "job.json"
    job.write_text(json.dumps({"channels": channels, "hyperparameters": hyperparameters, "model": str(model), "output": str(output)}))
    found = measured("scripts.leaderboard_run", [str(job)])
    fits = _FITTED.findall((output / LOG).read_text(encoding="utf-8"))
    on_disk = sum(path.stat().st_size for path in model.rglob("*") if path.is_file())
    fitted = {name: float(seconds) for name, seconds, _ in fits}
    return Size(songs, int(fits[0][2]), fitted, found.answer["seconds"], found.peak_bytes, on_disk, _request_ms(model))


def _request_ms(folder: Path) -> float:
    """Returns the median time of a request with fifty songs for ten, in this process."""
    model = load(folder)
    rng = np.random.default_rng(1)
    seconds = []
    for _ in range(_ASKED):
        request = Request(items=tuple(model.items.id(number) for number in rng.integers(len(model.items), size=_HISTORY).tolist()))
        begin = time.perf_counter()
        model.rank(request)
        seconds.append(time.perf_counter() - begin)
    return 1000 * float(np.median(seconds))


def shown(sizes: Sequence[Size]) -> list[str]:
    """Returns the table of the sizes so far."""
    models = list(sizes[0].fitted)
    grown = growth_per_doubling([size.interactions for size in sizes], [sum(size.fitted.values()) for size in sizes])
    rows = [["songs", "interactions", *(f"{name} s" for name in models), "training s", "peak MB", "model MB", "request ms", "per doubling"]]
    for size, growth in zip(sizes, grown, strict=True):
        rows.append(
            [
                *(f"{size.songs}", f"{size.interactions}", *(f"{size.fitted[name]:.1f}" for name in models), f"{size.seconds:.0f}"),
                *(f"{size.peak_bytes / 1e6:.0f}", f"{size.model_bytes / 1e6:.0f}", f"{size.request_ms:.2f}"),
                "-" if growth is None else f"{growth:.2f}",
            ]
        )
    return table(rows)


if __name__ == "__main__":
    sys.exit(run(main))
