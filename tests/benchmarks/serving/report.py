"""The figures of a run as tables, with the ratios to ours and what was promised."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from scripts.answer_table import table
from tests.benchmarks.serving.load import Load
from tests.benchmarks.serving.own import ENGINES, Figure


@dataclass(eq=False)
class Row:
    """What was measured of one contestant: one element for each round. ``loads`` by how many clients; bytes, and seconds of CPU."""

    key: str
    label: str
    family: str
    loads: dict[int, list[Load]] = field(default_factory=dict)
    first_answer: list[float] = field(default_factory=list)
    cpu_per_request: list[float] = field(default_factory=list)
    memory: list[int] = field(default_factory=list)
    further_worker: int | None = None

    def median(self, clients: int, what: str) -> float:
        """Returns the median over the rounds of ``rate``, ``p50`` or ``p99`` at so many clients."""
        return statistics.median(getattr(load, what) for load in self.loads[clients])

    @property
    def errors(self) -> int:
        return sum(load.errors for loads in self.loads.values() for load in loads)

    def to_json(self) -> dict[str, Any]:
        loads = {str(clients): [vars(load) for load in some] for clients, some in self.loads.items()}
        return {**vars(self), "loads": loads}


def best_of_ours(rows: Sequence[Row], clients: int) -> Row | None:
    """Returns our engine with the highest rate at so many clients."""
    return max((row for row in rows if row.family == "ours"), key=lambda row: row.median(clients, "rate"), default=None)


def contest_table(rows: Sequence[Row], clients: Sequence[int]) -> list[str]:
    """Returns a line for each contestant; × is what part of the rate of our best engine it reaches."""
    heading = ["", f"p50/p99 ms, {clients[0]} client"]
    for many in clients[1:]:
        heading += [f"req/s, {many}", "×", f"p99 ms, {many}", "×"]
    lines = [[*heading, "CPU µs/request", "first answer s", "MB", "+ worker MB", "errors"]]
    for row in rows:
        cells = [row.label, f"{row.median(clients[0], 'p50'):.2f} / {row.median(clients[0], 'p99'):.2f}"]
        for many in clients[1:]:
            best = best_of_ours(rows, many) or row
            for what, form in (("rate", ",.0f"), ("p99", ".1f")):
                value = row.median(many, what)
                cells += [f"{value:{form}}", f"{value / max(best.median(many, what), 1e-9):.2f}"]
        further = "-" if row.further_worker is None else f"{row.further_worker / 1e6:.0f}"
        seconds = f"{statistics.median(row.first_answer):.2f}"
        cells += [f"{1e6 * statistics.median(row.cpu_per_request):,.0f}", seconds, f"{statistics.median(row.memory) / 1e6:.0f}", further]
        lines.append([*cells, str(row.errors)])
    return table(lines)


def verdicts(rows: Sequence[Row], clients: Sequence[int]) -> list[str]:
    """Returns a sentence for each promise that these rows can show."""
    by_key = {row.key: row for row in rows}
    found = []
    if {"ours-mms", "noop-mms"} <= by_key.keys():
        ours, bare, one = by_key["ours-mms"], by_key["noop-mms"], clients[0]
        slower = ours.median(one, "p50") / bare.median(one, "p50")
        found.append(f"p50 of ours to the bare stack's, {one} client, both multi-model-server: {slower:.2f} (at most 1.5)")
        for many in clients[1:2]:
            rate = ours.median(many, "rate") / bare.median(many, "rate")
            found.append(f"requests/s of ours to the bare stack's, {many} clients: {rate:.2f} (at least 0.6)")
    peers = [row for row in rows if row.family == "peer"]
    for many in clients[1:]:
        if (best := best_of_ours(rows, many)) is not None and peers:
            ahead = [row.label for row in peers if not _beats(best, row, many)]
            told = "ahead of every peer" if not ahead else f"not ahead of {', '.join(ahead)}"
            found.append(f"{many} clients, requests/s and p99: {best.label} is {told}")
    return found


def _beats(ours: Row, peer: Row, clients: int) -> bool:
    return ours.median(clients, "rate") > peer.median(clients, "rate") and ours.median(clients, "p99") < peer.median(clients, "p99")


def figures_table(figures: Sequence[Figure]) -> list[str]:
    """Returns a line for each thing that is measured of ours alone, with a column for each engine."""
    engines = [engine for engine in ENGINES if any(figure.engine == engine for figure in figures)]
    lines: dict[str, Mapping[str, Figure]] = {}
    for figure in figures:
        lines[figure.what] = {**lines.get(figure.what, {}), figure.engine: figure}
    heading = ["", *(ENGINES[engine] for engine in engines), "promised"]
    rows = [
        [what, *(found[e].value if e in found else "-" for e in engines), next(iter(found.values())).target]
        for what, found in lines.items()
    ]
    return table([heading, *rows])
