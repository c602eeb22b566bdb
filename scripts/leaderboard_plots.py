"""A leaderboard as two drawings (SVG): bars with intervals, and accuracy against training time."""

from __future__ import annotations

import math
from collections.abc import Sequence

from scripts.leaderboard_rows import Row
from training.quality.markup import Markup, element, single

WIDTH, BAR, LEFT, RIGHT, TOP, BOTTOM = 720, 26, 190, 80, 44, 36
STYLE = """
svg{background:#fff}text{font:12px system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;fill:#1b2125}.dim{fill:#59646c}
.bar{fill:#0a6c74}.grid{stroke:#d9dee2}.interval{stroke:#1b2125;stroke-width:1.5}.point{fill:#0a6c74}
@media (prefers-color-scheme:dark){svg{background:#14181b}text{fill:#e6eaec}.dim{fill:#a0abb2}.bar,.point{fill:#5cc3cb}
.grid{stroke:#343d43}.interval{stroke:#e6eaec}}
""".strip()


def bars(rows: Sequence[Row], measure: str, seed: int) -> str:
    """Returns a drawing with a bar for each contestant and the 95 % interval of its mean."""
    estimates = [(row.name, one) for row in rows if (one := row.estimate(measure, seed)) is not None]
    top = max([one.high for _, one in estimates] + [1e-9])
    height, inner = TOP + BAR * len(estimates) + BOTTOM, WIDTH - LEFT - RIGHT

    def at(value: float) -> float:
        return round(LEFT + inner * value / top, 1)

    parts: list[Markup] = []
    for place, (name, one) in enumerate(estimates):
        y = TOP + place * BAR
        middle = y + BAR / 2
        parts += [
            element("text", name, x=LEFT - 8, y=middle + 4, text_anchor="end"),
            element(
                "rect",
                element("title", f"{name}: {one.mean:.4f}"),
                x=LEFT,
                y=y + 4,
                width=at(one.mean) - LEFT,
                height=BAR - 8,
                class_="bar",
            ),
            single("line", x1=at(one.low), x2=at(one.high), y1=middle, y2=middle, class_="interval"),
            *(single("line", x1=at(end), x2=at(end), y1=middle - 4, y2=middle + 4, class_="interval") for end in (one.low, one.high)),
            element("text", f"{one.mean:.4f}", x=at(one.high) + 8, y=middle + 4, class_="dim"),
        ]
    return _drawing(f"{measure}, with 95 % intervals", parts, height)


def accuracy_and_time(rows: Sequence[Row], measure: str, seed: int) -> str:
    """Returns a drawing with a point for each contestant: seconds of fitting (logarithmic) and the mean of the measure. A hybrid
    without one of its parts was not trained, and is not there."""
    trained = [row for row in rows if row.cost("seconds") > 0]
    points = [
        (row.name, max(row.cost("fit_seconds"), 0.01), one.mean) for row in trained if (one := row.estimate(measure, seed)) is not None
    ]
    height, left = 420, 70
    low = math.floor(math.log10(min(x for _, x, _ in points)))
    high = max(math.ceil(math.log10(max(x for _, x, _ in points))), low + 1)
    top = max([y for _, _, y in points] + [1e-9]) * 1.08

    def x_of(seconds: float) -> float:
        return round(left + (WIDTH - left - RIGHT) * (math.log10(seconds) - low) / (high - low), 1)

    def y_of(value: float) -> float:
        return round(height - BOTTOM - (height - TOP - BOTTOM) * value / top, 1)

    parts: list[Markup] = []
    for power in range(low, high + 1):
        x = x_of(10.0**power)
        parts.append(single("line", x1=x, x2=x, y1=TOP, y2=height - BOTTOM, class_="grid"))
        parts.append(element("text", f"{10.0**power:g} s", x=x, y=height - 14, text_anchor="middle", class_="dim"))
    for step in range(5):
        value = top * step / 4
        parts.append(single("line", x1=left, x2=WIDTH - RIGHT, y1=y_of(value), y2=y_of(value), class_="grid"))
        parts.append(element("text", f"{value:.3f}", x=left - 8, y=y_of(value) + 4, text_anchor="end", class_="dim"))
    for name, seconds, value in points:
        parts.append(
            element(
                "circle", element("title", f"{name}: {value:.4f}, {seconds:.2f} s"), cx=x_of(seconds), cy=y_of(value), r=5, class_="point"
            )
        )
        parts.append(element("text", name, x=x_of(seconds) + 8, y=y_of(value) - 6))
    return _drawing(f"{measure} against seconds of fitting", parts, height)


def _drawing(title: str, parts: Sequence[Markup], height: float) -> str:
    style = Markup(f"<style>{STYLE}</style>")
    heading = element("text", title, x=12, y=22)
    told = element("title", title)
    view = f"0 0 {WIDTH} {height:g}"
    return element("svg", told, style, heading, *parts, xmlns="http://www.w3.org/2000/svg", viewBox=view, role="img") + "\n"
