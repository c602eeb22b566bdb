"""How time and memory grow with the size of the input: each size in a fresh process, on files made for it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from scripts.answer_table import table
from scripts.fresh_process import measured

LARGEST_GROWTH = 2.1  # times, for twice the input


def best_of(repeat: int, channel: str, path: Path, engine: str) -> dict[str, Any]:
    """Reads a channel ``repeat`` times, each in a process of its own; returns the facts of the fastest with the largest peak of all."""
    runs = [measured("scripts.timed_reading", [channel, str(path), engine]) for _ in range(repeat)]
    fastest = min(runs, key=lambda run: float(run.answer["seconds"]))
    return {**fastest.answer, "process_seconds": fastest.seconds, "peak_bytes": max(run.peak_bytes for run in runs)}


def growth_per_doubling(sizes: Sequence[float], seconds: Sequence[float]) -> list[float | None]:
    """For each size after the first: by how much the time grew, as if the size had doubled since the one before."""
    grown: list[float | None] = [None]
    for (size, time), (larger, longer) in zip(zip(sizes, seconds, strict=True), list(zip(sizes, seconds, strict=True))[1:], strict=False):
        grown.append((longer / time) ** (1 / math.log2(larger / size)) if larger > size else None)
    return grown


def shown(runs: Sequence[Mapping[str, Any]], facts: Mapping[str, str], size: str) -> str:
    """A table of runs in order of size; ``facts``: further columns by heading, and ``size``: what doubles."""
    grown = growth_per_doubling([run[size] for run in runs], [run["seconds"] for run in runs])
    heading = [*facts, "file MB", "s", "extract s", "then s", f"{size}/s", "peak MB", "times per doubling"]
    rows = [
        [
            *(f"{run[name]}" for name in facts.values()),
            f"{run['bytes'] / 1e6:.0f}",
            f"{run['seconds']:.2f}",
            f"{run['extract_seconds']:.2f}",
            f"{run['then_seconds']:.2f}",
            f"{run[size] / run['seconds']:.0f}",
            f"{run['peak_bytes'] / 1e6:.0f}",
            "-" if growth is None else f"{growth:.2f}",
        ]
        for run, growth in zip(runs, grown, strict=True)
    ]
    return "\n".join(table([heading, *rows]))


def verdict(what: str, value: float, limit: float, unit: str) -> str:
    """One line that holds a figure against its target."""
    return f"target: {what} at most {limit:g}{unit}: {'reached' if value <= limit else 'MISSED'} ({value:.2f}{unit})"
