"""A leaderboard as text, Markdown, CSV and JSON."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from scripts.answer_table import table
from scripts.leaderboard_rows import Pair, Row

WITH_INTERVAL = ("recall", "ndcg")
PER_LISTENER = ("precision", "map", "diversity", "novelty", "serendipity", "calibration_error")
WHOLE = ("coverage", "gini", "popularity_lift", "artist_tail_ratio")
COSTS = {"fit_seconds": "fit s", "seconds": "total s", "cpu_seconds": "CPU s", "peak_bytes": "peak MB"}


def cells(rows: Sequence[Row], k: int, seed: int) -> list[list[str]]:
    """Returns the heading and a row of text for each contestant; columns that nobody has a number for are left out."""
    heading = ["model", *(f"{name}@{k}" for name in (*WITH_INTERVAL, *PER_LISTENER, *WHOLE)), *COSTS.values()]
    body = []
    for row in rows:
        estimates = [row.estimate(f"{name}_at_{k}", seed) for name in (*WITH_INTERVAL, *PER_LISTENER)]
        shown = ["" if one is None else f"{one.mean:.4f} [{one.low:.4f}, {one.high:.4f}]" for one in estimates[: len(WITH_INTERVAL)]]
        shown += ["" if one is None else f"{one.mean:.4f}" for one in estimates[len(WITH_INTERVAL) :]]
        shown += ["" if (value := row.whole(f"{name}_at_{k}")) is None else f"{value:.4f}" for name in WHOLE]
        costs = [f"{row.cost(name) / 1e6:.0f}" if name == "peak_bytes" else f"{row.cost(name):.1f}" for name in COSTS]
        body.append([row.name, *shown, *costs])
    kept = [column for column in range(len(heading)) if any(line[column] for line in body)]
    return [[line[column] for column in kept] for line in (heading, *body)]


def text(rows: Sequence[Row], found: Sequence[Pair], k: int, seed: int, heading: str) -> str:
    """Returns the table for a terminal, and who beats whom."""
    lines = [heading, *table(cells(rows, k, seed)), "", *spread(rows, k), *who_beats_whom(rows, found)]
    return "\n".join(line for line in lines if line is not None)


def markdown(rows: Sequence[Row], found: Sequence[Pair], k: int, seed: int, heading: str) -> str:
    """Returns the table for a README, and who beats whom."""
    head, *body = cells(rows, k, seed)
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head), *(f"| {' | '.join(line)} |" for line in body)]
    return "\n".join([heading, "", *lines, "", *(f"* {line}" for line in (*spread(rows, k), *who_beats_whom(rows, found)))]) + "\n"


def csv_text(rows: Sequence[Row], k: int, seed: int) -> str:
    """Returns the figures with all digits: a column for each mean, and for the bounds of those with an interval."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    documents = [document(row, k, seed) for row in rows]
    names = list(dict.fromkeys(name for one in documents for name in one["figures"]))
    writer.writerow(["model", *names, *(f"recall_at_{k}_{bound}" for bound in ("low", "high")), *COSTS])
    for one in documents:
        bounds = one["intervals"][f"recall_at_{k}"]
        writer.writerow([one["model"], *(one["figures"].get(name, "") for name in names), *bounds, *one["costs"].values()])
    return out.getvalue()


def document(row: Row, k: int, seed: int) -> dict[str, Any]:
    """Returns a contestant's figures in JSON's types."""
    measures = sorted({name for result in row.results for name in result.per_listener if name != "recommended"})
    estimates = {name: one for name in measures if (one := row.estimate(name, seed)) is not None}
    whole = {name: value for name in sorted(row.results[0].whole) if (value := row.whole(name)) is not None}
    return {
        "model": row.name,
        "figures": {name: round(one.mean, 6) for name, one in estimates.items()} | {name: round(value, 6) for name, value in whole.items()},
        "intervals": {name: [round(one.low, 6), round(one.high, 6)] for name, one in estimates.items()},
        "between_runs": {name: row.between_runs(f"{name}_at_{k}") for name in WITH_INTERVAL},
        "costs": {name: round(row.cost(name), 3) for name in COSTS},
        "runs": [{"fold": result.fold, "seed": result.seed, "settings": dict(result.settings)} for result in row.results],
    }


def spread(rows: Sequence[Row], k: int) -> list[str]:
    """Returns how much the means of the runs differ, where there are several."""
    if len(rows[0].results) < 2:
        return []
    each = ", ".join(f"{row.name} {row.between_runs(f'recall_at_{k}') or 0:.4f}" for row in rows)
    return [f"standard deviation of recall@{k} between the {len(rows[0].results)} runs: {each}"]


def who_beats_whom(rows: Sequence[Row], found: Sequence[Pair]) -> list[str]:
    """Returns a line for each contestant and measure: whom it beats, by sign-flip tests on the same listeners, adjusted (Holm) to 0.05."""
    lines = []
    for measure in dict.fromkeys(pair.measure for pair in found):
        for row in rows:
            beaten = [pair.second for pair in found if pair.measure == measure and pair.first == row.name and pair.verdict == "better"]
            beaten += [pair.first for pair in found if pair.measure == measure and pair.second == row.name and pair.verdict == "worse"]
            lines.append(f"{measure}: {row.name} beats {', '.join(beaten) if beaten else 'none'} (p < 0.05, adjusted)")
    return lines
