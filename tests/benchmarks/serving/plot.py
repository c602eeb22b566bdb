"""Draws latency against load as an SVG file that stands alone: a line for each contestant, a point for each number of clients."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tests.benchmarks.serving.report import Row
from training.quality.markup import Markup, element, single

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 860, 520, 70, 190, 44, 44
STYLE = """
svg{background:#fff}text{font:12px system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;fill:#1b2125}.dim{fill:#59646c}.grid{stroke:#d9dee2}
.line{fill:none;stroke-width:1.5}.ours{stroke:#0a6c74;stroke-width:3}.bare{stroke:#59646c;stroke-dasharray:5 4}.peer{stroke:#c2703d}
.point{fill:#fff;stroke-width:1.5}@media (prefers-color-scheme:dark){svg{background:#14181b}text{fill:#e6eaec}.dim{fill:#a0abb2}
.grid{stroke:#343d43}.ours{stroke:#5cc3cb}.bare{stroke:#a0abb2}.peer{stroke:#e0975f}.point{fill:#14181b}}
""".strip()
LABEL = 14  # pixels between two labels


def latency_against_load(rows: Sequence[Row], what: str) -> str:
    """Returns the drawing of ``p50`` or ``p99`` (milliseconds, logarithmic) against requests per second (logarithmic)."""
    lines = {row: [(row.median(c, "rate"), max(row.median(c, what), 1e-3), c) for c in sorted(row.loads)] for row in _distinct(rows)}
    x_range = _decades([rate for points in lines.values() for rate, _, _ in points])
    y_range = _decades([time for points in lines.values() for _, time, _ in points])

    def x_of(rate: float) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * (math.log10(max(rate, 1e-3)) - x_range[0]) / (x_range[1] - x_range[0]), 1)

    def y_of(time: float) -> float:
        return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (math.log10(time) - y_range[0]) / (y_range[1] - y_range[0]), 1)

    parts: list[Markup] = []
    for power in range(x_range[0], x_range[1] + 1):
        x = x_of(10.0**power)
        parts.append(single("line", x1=x, x2=x, y1=TOP, y2=HEIGHT - BOTTOM, class_="grid"))
        parts.append(element("text", f"{10**power:,}", x=x, y=HEIGHT - BOTTOM + 16, text_anchor="middle", class_="dim"))
    for power in range(y_range[0], y_range[1] + 1):
        y = y_of(10.0**power)
        parts.append(single("line", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y, class_="grid"))
        parts.append(element("text", f"{10.0**power:g} ms", x=LEFT - 8, y=y + 4, text_anchor="end", class_="dim"))
    for row, points in lines.items():
        path = " ".join(f"{x_of(rate)},{y_of(time)}" for rate, time, _ in points)
        parts.append(single("polyline", points=path, class_=f"line {row.family}"))
        for rate, time, clients in points:
            told = element("title", f"{row.label}, {clients} clients: {rate:,.0f} requests/s, {what} {time:.2f} ms")
            parts.append(element("circle", told, cx=x_of(rate), cy=y_of(time), r=3.5, class_=f"point {row.family}"))
    parts += _labels([(row.label, x_of(points[-1][0]), y_of(points[-1][1])) for row, points in lines.items()])
    parts.append(element("text", "requests per second", x=(LEFT + WIDTH - RIGHT) / 2, y=HEIGHT - 8, text_anchor="middle", class_="dim"))
    title = f"{what} against requests per second, at {', '.join(str(c) for c in sorted(rows[0].loads))} clients"
    heading = [element("title", title), element("style", Markup(STYLE)), element("text", title, x=12, y=22)]
    view = f"0 0 {WIDTH} {HEIGHT}"
    return element("svg", *heading, *parts, xmlns="http://www.w3.org/2000/svg", viewBox=view, role="img") + "\n"


def _labels(ends: Sequence[tuple[str, float, float]]) -> list[Markup]:
    """Names each line in the margin, in the order of their ends, none upon another."""
    placed, lowest = [], TOP
    for label, x, y in sorted(ends, key=lambda end: end[2]):
        lowest = max(lowest + LABEL, y)
        placed.append((label, x, y, lowest))
    over = max(0.0, lowest - (HEIGHT - BOTTOM))
    drawn = []
    for label, x, y, height in placed:
        at = round(height - over, 1)
        drawn.append(single("line", x1=x + 5, y1=y, x2=WIDTH - RIGHT + 8, y2=at, class_="grid"))
        drawn.append(element("text", label, x=WIDTH - RIGHT + 12, y=at + 4))
    return drawn


def _distinct(rows: Sequence[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: ("peer", "bare", "ours").index(row.family))  # ours is drawn last, above the others


def _decades(values: Sequence[float]) -> tuple[int, int]:
    low = math.floor(math.log10(max(min(values), 1e-3)))
    return low, max(math.ceil(math.log10(max(*values, 1e-3))), low + 1)
