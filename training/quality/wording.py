"""Numbers and foreign text as people read them."""

from __future__ import annotations

import math

LONGEST = 80  # characters of a name that are shown
JOINERS = "\u200c\u200d"  # unprintable, but parts of Persian words and of emoji


def clean(value: object, longest: int = LONGEST) -> str:
    """Text of the data, fit for any report: cut, without control characters and without code points that no encoding has."""
    text = str(value)
    text = text if len(text) <= longest else text[: longest - 1] + "…"
    return "".join(one if one.isprintable() or one in JOINERS else " " if one.isspace() else "\ufffd" for one in text)


def count(number: int) -> str:
    """1234567 is "1,234,567"."""
    return f"{number:,}"


def counted(number: int, word: str) -> str:
    """1 is "1 song", 2 is "2 songs"."""
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"


def short(number: float) -> str:
    """As on an axis: 1234567 is "1.23M"."""
    for limit, divisor, unit in ((1e12, 1e12, "T"), (1e9, 1e9, "G"), (1e6, 1e6, "M"), (1e4, 1e3, "k")):
        if abs(number) >= limit:
            return decimal(float(f"{number / divisor:.3g}")) + unit
    return decimal(number)


def decimal(number: float | None) -> str:
    """Four significant digits, without needless zeros; "–" where there is none. Years and counts stay whole."""
    if number is None:
        return "–"
    if abs(number) >= 1e7 or (number and abs(number) < 1e-4):
        return f"{number:.2e}"
    if float(number).is_integer():
        return f"{number:.0f}"
    digits = max(0, 3 - math.floor(math.log10(abs(number))))
    return f"{number:.{digits}f}".rstrip("0").rstrip(".") if digits else f"{number:.0f}"


def percent(share: float) -> str:
    """0.123 is "12 %"; what is not nothing is never called 0 %, and what is not all never 100 %."""
    if share <= 0:
        return "0 %"
    if share >= 1:
        return "100 %"
    if share < 0.001:
        return "< 0.1 %"
    if share > 0.999:
        return "> 99.9 %"
    value = 100 * share
    return f"{value:.1f} %".replace(".0 %", " %") if value < 10 or value > 90 else f"{value:.0f} %"


def size(n_bytes: int) -> str:
    """8123456 is "8.1 MB"."""
    for limit, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if n_bytes >= limit:
            return f"{n_bytes / limit:.1f} {unit}"
    return f"{n_bytes} bytes"
