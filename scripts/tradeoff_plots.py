"""Draws trade-offs as SVG files that stand alone: accuracy against what it is given up for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from training.quality.markup import Markup, element, single
from training.quality.svg import BOTTOM, HEIGHT, INNER_HEIGHT, INNER_WIDTH, LEFT, TOP, WIDTH

STYLE = """
svg{background:#fff}text{font:11px system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;fill:#59646c}.grid{stroke:#d9dee2}
.line{fill:none;stroke:#0a6c74;stroke-width:2}.point{fill:#cfe6e8;stroke:#0a6c74}.best{fill:#0a6c74;stroke:#0a6c74}
@media (prefers-color-scheme:dark){svg{background:#14181b}text{fill:#a0abb2}.grid{stroke:#343d43}.line,.point,.best{stroke:#5cc3cb}
.point{fill:#1f4a4e}.best{fill:#5cc3cb}}
"""
TICKS = 4


class Point(NamedTuple):
    """One setting: ``label`` is written beside it where it is not empty, ``told`` shown when it is pointed at."""

    x: float
    y: float
    label: str = ""
    told: str = ""
    best: bool = True


def plot(title: str, points: Sequence[Point], x_axis: str, y_axis: str) -> str:
    """Returns an SVG file. A line leads through the points that are ``best``, in their order."""
    x_range, y_range = _range([point.x for point in points]), _range([point.y for point in points])
    placed = [(LEFT + _part(p.x, x_range) * INNER_WIDTH, TOP + (1 - _part(p.y, y_range)) * INNER_HEIGHT, p) for p in points]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y, point in placed if point.best)
    parts = [
        element("title", title),
        element("desc", f"{y_axis} against {x_axis}: " + "; ".join(p.told or f"{p.x:.4g}, {p.y:.4g}" for p in points)),
        element("style", Markup(STYLE)),
        *_grid(x_range, y_range),
        single("polyline", points=line, class_="line"),
        *(one for place, (x, y, point) in enumerate(placed) for one in _drawn(x, y, point, place % 2 == 1)),  # neighbours share no room
        element("text", x_axis, x=LEFT + INNER_WIDTH / 2, y=HEIGHT - 5, text_anchor="middle"),
        element("text", y_axis, x=LEFT + INNER_WIDTH, y=TOP - 2, text_anchor="end"),
    ]
    whole = {"xmlns": "http://www.w3.org/2000/svg", "viewBox": f"0 0 {WIDTH} {HEIGHT}", "role": "img"}
    return element("svg", *parts, width=2 * WIDTH, height=2 * HEIGHT, **whole) + "\n"


def _drawn(x: float, y: float, point: Point, above: bool) -> list[Markup]:
    told = element("title", point.told or f"{point.x:.4g}, {point.y:.4g}")
    drawn = [element("circle", told, cx=round(x, 1), cy=round(y, 1), r=3, class_="best" if point.best else "point")]
    if point.label:
        drawn.append(element("text", point.label, x=round(x, 1), y=round(y + (-7 if above else 15), 1), text_anchor="middle"))
    return drawn


def _grid(x_range: tuple[float, float], y_range: tuple[float, float]) -> list[Markup]:
    drawn = []
    for tick in range(TICKS + 1):
        part = tick / TICKS
        x, y = round(LEFT + part * INNER_WIDTH, 1), round(TOP + (1 - part) * INNER_HEIGHT, 1)
        drawn.append(single("line", x1=LEFT, y1=y, x2=LEFT + INNER_WIDTH, y2=y, class_="grid"))
        drawn.append(element("text", f"{y_range[0] + part * (y_range[1] - y_range[0]):.3g}", x=LEFT - 4, y=y + 4, text_anchor="end"))
        label = f"{x_range[0] + part * (x_range[1] - x_range[0]):.3g}"
        anchor = "end" if tick == TICKS else "middle"
        drawn.append(element("text", label, x=x, y=HEIGHT - BOTTOM + 14, text_anchor=anchor))
    return drawn


def _range(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    margin = 0.1 * (high - low) or max(abs(low) * 0.05, 1e-6)
    return low - margin, high + margin


def _part(value: float, bounds: tuple[float, float]) -> float:
    return (value - bounds[0]) / (bounds[1] - bounds[0])
