"""Reads one raw value as catalogues write it: "-6.85db", "03:47", "29th April 2013", "D min", "Yes", "pop; rock"."""

from __future__ import annotations

import functools
import math
import re
import unicodedata
from collections.abc import Callable

LIST_SEPARATOR = "\x1f"  # joins the values of a list into one text: ASCII's own "unit separator", which no name holds
YEAR = re.compile(r"(?<!\d)(1[89]\d\d|20\d\d)(?!\d)")
CLOCK = re.compile(r"\s*(?:(\d{1,2}):)?(\d{1,3}):(\d{2}(?:\.\d+)?)\s*")
NUMBER = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)\s*(?:db|bpm)?\s*", re.IGNORECASE)
PYTHON_LIST = re.compile(r"\[\s*['\"].*['\"]\s*\]", re.DOTALL)
QUOTED = re.compile(r"'([^']*)'|\"([^\"]*)\"")
_PITCH = r"([a-g])\s*(#|♯|b|♭|sharp|flat)?"
KEY = re.compile(rf"{_PITCH}\s*(?:/\s*{_PITCH}\s*)?[\s_:-]*(m|min|minor|maj|major)?\.?")
VECTOR_SEPARATORS = re.compile(rf"[\s,;|{LIST_SEPARATOR}]+")
CAMELOT = re.compile(r"(1[0-2]|[1-9])\s*([ab])")
PITCHES = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}
ACCIDENTALS = {"#": 1, "♯": 1, "sharp": 1, "b": -1, "♭": -1, "flat": -1}
MODES = {"m": 0, "min": 0, "minor": 0, "0": 0, "0.0": 0, "maj": 1, "major": 1, "1": 1, "1.0": 1}
YES = frozenset({"1", "1.0", "yes", "y", "true", "t", "on", "explicit"})
NO = frozenset({"0", "0.0", "no", "n", "false", "f", "off", "clean", "not explicit"})
MISSING = -1
LONGEST = 64  # characters of one value
LARGEST = 3.4028234663852886e38  # that a float of 32 bits holds


def number(value: object) -> float:
    """The number in a text that may end in "db" or "bpm", or a number as it is; NaN if there is none or it is not finite."""
    if isinstance(value, str):
        match = NUMBER.fullmatch(value) if _short(value) else None
        value = match[1] if match else math.nan
    elif not isinstance(value, int | float):
        return math.nan
    try:
        found = float(value)
    except OverflowError:  # a whole number beyond floating point
        return math.nan
    return found if math.isfinite(found) else math.nan


def _short(text: str) -> bool:
    """Whether a text may be a number, a time or a key; the patterns for these take a time that grows with a power of the length."""
    return len(text) <= LONGEST


def year(value: object) -> float:
    """The year in a text: "2013", "2013-04-29", "29th April 2013"; NaN if there is none from 1800 to 2099."""
    match = YEAR.search(value if isinstance(value, str) else repr(value))
    return float(match[1]) if match else math.nan


def clock_or_number(value: object) -> float:
    """Seconds of "03:47" or "1:02:03", or else the number as it is; NaN if it is neither."""
    if isinstance(value, str) and _short(value) and (match := CLOCK.fullmatch(value)):
        return int(match[1] or 0) * 3600 + int(match[2]) * 60 + float(match[3])
    return number(value)


def key_and_mode(value: object) -> tuple[int, int]:
    """Pitch class 0-11 with C = 0, and mode, 1 major or 0 minor; each -1 where the value does not say it.

    "D min", "C#/Db Maj", "Am", "B♭", Camelot's "8A", and pitch classes as numbers (-1 is how catalogues write "not found").
    """
    if not isinstance(value, str):
        return _pitch_class(number(value)), MISSING
    text = value.strip().casefold() if _short(value) else ""
    if match := CAMELOT.fullmatch(text):  # a wheel of fifths with C major at 8B and A minor at 8A
        steps, minor = int(match[1]) - 8, match[2] == "a"
        return (9 * minor + 7 * steps) % 12, int(not minor)
    if match := KEY.fullmatch(text):
        return (PITCHES[match[1]] + ACCIDENTALS.get(match[2], 0)) % 12, MODES.get(match[5], MISSING)
    return _pitch_class(number(text)), MISSING


def _pitch_class(found: float) -> int:
    return int(found) if found in range(12) else MISSING


def mode(value: object) -> int:
    """1 for major ("Major", "maj", 1), 0 for minor, -1 for anything else."""
    return MODES.get(_plain(value), MISSING)


def yes_no(value: object) -> int:
    """1 for yes ("Yes", "true", 1, True), 0 for no, -1 for anything else."""
    text = _plain(value)
    return 1 if text in YES else 0 if text in NO else MISSING


def vector(value: object) -> list[float] | None:
    """The numbers of a list, or of a text with spaces, commas, ; or | between them, in brackets or not; None if it is neither, or one of
    them is larger than a float of 32 bits holds."""
    if isinstance(value, str):
        value = [part for part in VECTOR_SEPARATORS.split(value.strip(" \t\r\n[]()")) if part]
    if not isinstance(value, list | tuple) or not value:
        return None
    numbers = [number(part) for part in value]
    return numbers if all(abs(one) <= LARGEST for one in numbers) else None  # False for NaN


def text(value: object) -> str:
    """A value as the text that a file would hold: whole numbers without a fraction, the values of a list joined by
    `LIST_SEPARATOR`; "" for None and what is no value."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value) if value.bit_length() < 1000 else ""
    if isinstance(value, float):
        return (str(int(value)) if value.is_integer() and abs(value) < 2.0**63 else repr(value)) if math.isfinite(value) else ""
    return LIST_SEPARATOR.join(filter(None, map(text, value))) if isinstance(value, list | tuple) else ""


def _plain(value: object) -> str:
    return str(value).strip().casefold() if isinstance(value, str | int | float) and value == value else ""


def normal(text: str) -> str:
    """Text as it is compared: casefolded, NFC, white space collapsed and stripped."""
    folded = " ".join(text.casefold().split())
    return folded if folded.isascii() else unicodedata.normalize("NFC", folded)


def as_written(text: str) -> str:
    """Text as people read it: only its white space is tidied."""
    return " ".join(text.split())


def names(text: str, separators: str, form: Callable[[str], str] = normal) -> list[str]:
    """The names in a text, in its order, each once: "Pop; rock;pop" gives pop, rock. Also "['pop', 'rock']", as Python prints a list."""
    if "[" in text and PYTHON_LIST.fullmatch(text.strip()):
        found = [first or second for first, second in QUOTED.findall(text)]
    else:
        found = _splitter(separators).split(text)
        if len(found) == 1:
            name = form(text)
            return [name] if name else []
    return list(dict.fromkeys(filter(None, map(form, found))))


@functools.cache
def _splitter(separators: str) -> re.Pattern[str]:
    return re.compile(f"[{re.escape(separators + LIST_SEPARATOR)}]")
