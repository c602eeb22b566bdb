"""Draws plots as SVG: bars, a Lorenz curve, small histograms. Each has a title and a description for those who do not see it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from training.quality.markup import Markup, element, single
from training.quality.wording import count, percent, short

# A drawing is shown at about its own size on a phone and on a desk, so that its letters keep theirs.
WIDTH, HEIGHT = 360, 190
LEFT, RIGHT, TOP, BOTTOM = 44, 12, 12, 36
INNER_WIDTH, INNER_HEIGHT = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
LETTER = 6.2  # the width of a letter of the axes, on average
SPARK_WIDTH, SPARK_HEIGHT = 120, 28


def bars(name: str, title: str, labels: Sequence[str], counts: Sequence[int], axis: str, unit: str, description: str) -> Markup:
    """One bar for each label, as at the months of a year. ``name``: distinct in the page.

    ``axis``: what the labels are; ``unit``: of the counts.
    """
    step = INNER_WIDTH / max(len(counts), 1)
    every = _every(len(labels), max((len(label) for label in labels), default=1))
    ticks = [(LEFT + (place + 0.5) * step, labels[place]) for place in range(0, len(labels), every)]
    names = [f"{label}: {count(n)} {unit}" for label, n in zip(labels, counts, strict=True)]
    return _plot(name, title, description, [*_grid(counts), *_bars(counts, names), *_x_axis(ticks, axis)])


def histogram(name: str, title: str, drawn: dict[str, Any], axis: str, unit: str, description: str) -> Markup:
    """A ``histogram`` of ``distribution``: bars between ``edges``. All bars are equally wide, also where the edges double."""
    edges, counts = drawn["edges"], drawn["counts"]
    step = INNER_WIDTH / len(counts)
    shown = [short(edge) for edge in edges]
    every = _every(len(edges), max(map(len, shown)))
    ticks = [(LEFT + place * step, shown[place]) for place in range(0, len(edges), every)]
    whole = all(float(edge).is_integer() for edge in edges)
    names = [f"{_range(drawn, place, whole)}: {count(n)} {unit}" for place, n in enumerate(counts)]
    return _plot(name, title, description, [*_grid(counts), *_bars(counts, names), *_x_axis(ticks, axis)])


def lorenz(name: str, title: str, songs: Sequence[float], entries: Sequence[float], description: str) -> Markup:
    """The Lorenz curve, and the diagonal on which it would lie if all songs were played alike."""
    points = [(LEFT + x * INNER_WIDTH, TOP + (1 - y) * INNER_HEIGHT) for x, y in zip(songs, entries, strict=True)]
    curve = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    right, bottom = LEFT + INNER_WIDTH, TOP + INNER_HEIGHT
    lines = [_level(TOP + (1 - part) * INNER_HEIGHT, percent(part)) for part in (0, 0.5, 1)]
    parts = [
        *(one for line in lines for one in line),
        single("line", x1=LEFT, y1=bottom, x2=right, y2=TOP, class_="equal"),
        single("polygon", points=f"{curve} {right},{bottom}", class_="area"),
        single("polyline", points=curve, class_="line"),
        *_x_axis([(LEFT + part * INNER_WIDTH, percent(part)) for part in (0, 0.25, 0.5, 0.75, 1)], "of the songs, the least played first"),
    ]
    return _plot(name, title, description, parts)


def spark(counts: Sequence[int], description: str) -> Markup:
    """A histogram as small as a word."""
    most, step = max([*counts, 1]), SPARK_WIDTH / max(len(counts), 1)
    path = ""
    for place, n in enumerate(counts):
        if n:
            height = max(1.0, n / most * (SPARK_HEIGHT - 2))
            path += f"M{place * step:.1f} {SPARK_HEIGHT}v-{height:.1f}h{max(step - 0.6, 0.6):.1f}v{height:.1f}z"
    base = single("line", x1=0, y1=SPARK_HEIGHT - 0.5, x2=SPARK_WIDTH, y2=SPARK_HEIGHT - 0.5, class_="grid")
    drawn = [element("title", description), base, single("path", d=path, class_="bar")]
    return element("svg", *drawn, viewBox=f"0 0 {SPARK_WIDTH} {SPARK_HEIGHT}", class_="spark", role="img", aria_label=description)


def _plot(name: str, title: str, description: str, parts: Sequence[Markup]) -> Markup:
    labels = {"aria_labelledby": f"{name}-title", "aria_describedby": f"{name}-text"}
    told = [element("title", title, id=f"{name}-title"), element("desc", description, id=f"{name}-text")]
    drawing = element("svg", *told, *parts, viewBox=f"0 0 {WIDTH} {HEIGHT}", class_="plot", role="img", **labels)
    return element("figure", element("figcaption", element("strong", title), " ", element("span", description)), drawing)


def _bars(counts: Sequence[int], names: Sequence[str]) -> list[Markup]:
    top, step = _top(counts), INNER_WIDTH / max(len(counts), 1)
    gap = 0.0 if step < 3 else min(2.0, step * 0.15)
    drawn = []
    for place, (n, name) in enumerate(zip(counts, names, strict=True)):
        height = max(n / top * INNER_HEIGHT, 1.0) if n else 0.0
        box = {"x": round(LEFT + place * step, 2), "y": round(TOP + INNER_HEIGHT - height, 2)}
        if n:
            size = {"width": round(step - gap, 2), "height": round(height, 2)}
            drawn.append(element("rect", element("title", name), class_="bar", **box, **size))
    return drawn


def _grid(counts: Sequence[int]) -> list[Markup]:
    top = _top(counts)
    levels = [0, top // 2, top] if top > 1 else [0, 1]
    return [one for level in levels for one in _level(TOP + INNER_HEIGHT * (1 - level / top), short(level))]


def _level(y: float, label: str) -> tuple[Markup, Markup]:
    line = single("line", x1=LEFT, y1=round(y, 1), x2=LEFT + INNER_WIDTH, y2=round(y, 1), class_="grid")
    return line, element("text", label, x=LEFT - 6, y=round(y + 4, 1), text_anchor="end")


def _x_axis(ticks: Sequence[tuple[float, str]], axis: str) -> list[Markup]:
    bottom = TOP + INNER_HEIGHT
    labels = [element("text", label, x=round(x, 1), y=bottom + 14, text_anchor="middle") for x, label in ticks]
    return [*labels, element("text", axis, x=LEFT + INNER_WIDTH / 2, y=HEIGHT - 5, text_anchor="middle", class_="axis")]


def _top(counts: Sequence[int]) -> int:
    """The smallest even 1, 2, 4, 5, 6, 8 times a power of ten that no bar is higher than."""
    most = max([*counts, 1])
    power = 10 ** int(math.log10(most))
    return next(int(factor * power) for factor in (1, 2, 4, 6, 8, 10, 20) if factor * power >= most)


def _every(labels: int, longest: int) -> int:
    """Each how many labels one is written, so that they do not touch: 1, 2, 5, 10, ..."""
    room = max(1, int(INNER_WIDTH / (longest * LETTER + 12)))
    return next(step for power in range(12) for step in (10**power, 2 * 10**power, 5 * 10**power) if labels / step <= room)


def _range(drawn: dict[str, Any], place: int, whole: bool) -> str:
    low, high = drawn["edges"][place], drawn["edges"][place + 1]
    if drawn.get("open_low") and place == 0:
        return f"below {short(high)}"
    if drawn.get("open_high") and place == len(drawn["counts"]) - 1:
        return f"from {short(low)} on"
    if whole:
        return short(low) if high - low == 1 else f"{short(low)} to {short(high - 1)}"
    return f"{short(low)} to {short(high)}"
