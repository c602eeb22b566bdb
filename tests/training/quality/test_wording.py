"""Numbers and foreign text read well, whatever they are; plots stay within their frame."""

from __future__ import annotations

import re
import xml.etree.ElementTree
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.quality.markup import Markup, element, escaped, table
from training.quality.svg import HEIGHT, SPARK_HEIGHT, SPARK_WIDTH, WIDTH, bars, histogram, lorenz, spark
from training.quality.wording import JOINERS, clean, count, counted, decimal, percent, short, size

COUNTS = st.lists(st.one_of(st.integers(0, 20), st.integers(0, 10**12)), min_size=1, max_size=60)


WRITTEN: dict[Callable[[Any], str], dict[object, str]] = {
    percent: {0: "0 %", 0.0004: "< 0.1 %", 0.0951: "9.5 %", 0.07: "7 %", 0.123: "12 %", 0.995: "99.5 %", 0.9998: "> 99.9 %", 1: "100 %"},
    short: {1234567: "1.23M", 999: "999", 12345: "12.3k", -2e9: "-2G", 0.25: "0.25"},
    decimal: {None: "–", 1999.0: "1999", 0.12345: "0.1235", 1234.56: "1235", 2e-6: "2.00e-06"},
    size: {999: "999 bytes", 8123456: "8.1 MB"},
    count: {1234567: "1,234,567"},
}


@pytest.mark.parametrize("function", WRITTEN, ids=lambda one: one.__name__)
def test_numbers_are_written_as_people_read_them(function: Callable[[object], str]) -> None:
    assert {value: function(value) for value in WRITTEN[function]} == WRITTEN[function]


def test_one_is_not_many() -> None:
    assert (counted(1, "song"), counted(2000, "song")) == ("1 song", "2,000 songs")


@given(share=st.floats(0, 1))
def test_what_is_not_nothing_is_not_0_and_what_is_not_all_is_not_100(share: float) -> None:
    assert (percent(share) == "0 %") == (share == 0)
    assert (percent(share) == "100 %") == (share == 1)


@given(number=st.floats(-1e300, 1e300))
def test_a_number_is_written_closely_and_briefly(number: float) -> None:
    assert float(decimal(number)) == pytest.approx(number, rel=6e-3)
    assert len(decimal(number)) <= 10


@given(text=st.text(st.characters(), max_size=120))
def test_cleaned_text_is_printable_short_and_stays_what_it_was_if_it_was_fine(text: str) -> None:
    found = clean(text)
    assert len(found) == min(len(text), 80)
    assert all(one.isprintable() or one in JOINERS for one in found)
    found.encode("utf-8")
    if len(text) <= 80 and text.isprintable():
        assert found == text


@given(text=st.text(st.characters(), max_size=60))
def test_escaped_text_is_read_as_it_was_and_nothing_of_it_as_markup(text: str) -> None:
    inner = xml.etree.ElementTree.fromstring(f"<p title='{escaped(text)}'>{escaped(text)}</p>")
    assert inner.text == inner.get("title") or (not text and inner.text is None)
    assert [ours for ours, theirs in zip(inner.text or "", text, strict=True) if theirs.isprintable() and ours != theirs] == []


def test_text_is_escaped_wherever_it_is_put_and_markup_is_not_escaped_twice() -> None:
    assert element("p", "<b>", element("i", "&"), Markup("<br>"), None, 7, title='"') == '<p title="&quot;">&lt;b&gt;<i>&amp;</i><br>7</p>'
    found = table(["<h>"], [["<c>"]], ["<h>"], "<caption>")
    assert "<h>" not in found
    assert '<td data-label="&lt;h&gt;" class="number">&lt;c&gt;</td>' in found
    assert "<caption>&lt;caption&gt;</caption>" in found


def svg(figure: str) -> xml.etree.ElementTree.Element:
    (found,) = re.findall("<svg.*</svg>", figure, re.DOTALL)
    return xml.etree.ElementTree.fromstring(found)


def within_the_frame(drawing: xml.etree.ElementTree.Element, counts: list[int]) -> None:
    """One bar per count that is not 0, none beyond the frame or the next one; the higher count has the higher bar."""
    boxes = [{name: float(rect.get(name, "nan")) for name in ("x", "y", "width", "height")} for rect in drawing.iter("rect")]
    assert len(boxes) == sum(n > 0 for n in counts)
    assert all(box["x"] >= 0 and box["y"] >= 0 and box["width"] > 0 and box["height"] > 0 for box in boxes)
    assert all(box["x"] + box["width"] <= WIDTH and box["y"] + box["height"] <= HEIGHT for box in boxes)
    assert all(one["x"] + one["width"] <= other["x"] + 0.02 for one, other in pairwise(boxes))
    heights = [box["height"] for _, box in sorted(zip([n for n in counts if n], boxes, strict=True), key=lambda pair: pair[0])]
    assert heights == sorted(heights)
    labels = [float(text.get("x", "nan")) for text in drawing.iter("text") if text.get("text-anchor") == "middle"]
    assert all(0 <= x <= WIDTH for x in labels)


@given(counts=COUNTS)
def test_bars_are_drawn_within_their_frame(counts: list[int]) -> None:
    within_the_frame(svg(bars("name", "Title", [f"2020-01-{i:02}" for i in range(len(counts))], counts, "day", "pairs", "told")), counts)


@given(counts=COUNTS, step=st.sampled_from([1, 0.05, 1e30, 2.5]), is_open=st.booleans())
def test_histograms_are_drawn_within_their_frame(counts: list[int], step: float, is_open: bool) -> None:
    drawn = {"edges": [i * step for i in range(len(counts) + 1)], "counts": counts, "open_low": is_open, "open_high": is_open}
    drawing = svg(histogram("name", "Title", drawn, "number", "songs", "told"))
    within_the_frame(drawing, counts)
    told = [title.text or "" for rect in drawing.iter("rect") for title in rect]
    assert all(re.fullmatch(r".+: [\d,]+ songs", text) for text in told)
    if counts[-1] and is_open and len(counts) > 1:
        assert told[-1].startswith("from ")


@given(counts=COUNTS)
def test_small_histograms_are_drawn_within_their_frame(counts: list[int]) -> None:
    path = next(xml.etree.ElementTree.fromstring(spark(counts, "<told>")).iter("path")).get("d", "")
    parts = re.findall(rf"M([\d.]+) {SPARK_HEIGHT}v-([\d.]+)h([\d.]+)v([\d.]+)z", path)
    assert len(parts) == path.count("M") == sum(n > 0 for n in counts)
    assert all(float(x) + float(width) <= SPARK_WIDTH + 0.1 and up == down for x, up, width, down in parts)
    assert all(1 <= float(up) <= SPARK_HEIGHT for _, up, _, _ in parts)


def test_the_lorenz_curve_begins_and_ends_in_the_corners() -> None:
    drawing = svg(lorenz("name", "Title", [0, 0.5, 1], [0, 0.1, 1], "told"))
    curve, equal = next(drawing.iter("polyline")), next(line for line in drawing.iter("line") if line.get("class") == "equal")
    first, middle, last = [tuple(map(float, point.split(","))) for point in curve.get("points", "").split()]
    assert first == (float(equal.get("x1", "nan")), float(equal.get("y1", "nan")))
    assert last == (float(equal.get("x2", "nan")), float(equal.get("y2", "nan")))
    assert middle[1] > (first[1] + last[1]) / 2  # below the diagonal
