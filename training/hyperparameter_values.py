"""One hyperparameter's value: from text to its type, and what is allowed. No text is ever evaluated."""

from __future__ import annotations

import difflib
import json
import math
from dataclasses import dataclass
from typing import Any, Literal

TYPE_NAMES = {int: "integer", float: "number", bool: "true or false", str: "text"}
_ARTICLES = {int: "an integer", float: "a number", bool: "true or false", str: "text"}
_TRUE = ("true", "yes", "on", "1")
_FALSE = ("false", "no", "off", "0")


@dataclass(frozen=True)
class Option:
    """One hyperparameter: its flat name, the type of a value (in a list or a map: of each entry), and what is allowed."""

    name: str
    type: type
    shape: Literal["one", "list", "map"]
    optional: bool
    default: Any
    help: str = ""
    min: float | None = None
    max: float | None = None
    choices: tuple[str, ...] | None = None
    nonempty: bool = False

    @property
    def type_name(self) -> str:
        """Returns the type in words: ``integer``, ``list of text``, ``map of text to number``."""
        name = TYPE_NAMES[self.type]
        return {"one": name, "list": f"list of {name}", "map": f"map of text to {name}"}[self.shape]

    @property
    def allowed(self) -> str:
        """Returns what a value may be, for a message or a table: ``1 to 10``, ``at least 0``, ``one of a, b``; else empty."""
        if self.choices:
            return "one of " + ", ".join(self.choices)
        low, high = (None if bound is None else f"{bound:.10f}".rstrip("0").rstrip(".") for bound in (self.min, self.max))
        if low and high:
            return f"{low} to {high}"
        if low:
            return f"at least {low}"
        return f"at most {high}" if high else ""


def parse_value(option: Option, value: object) -> Any:
    """Returns a value in the option's type. Raises ``ValueError`` with the end of a sentence: ``must be …``."""
    text = _unquoted(value if isinstance(value, str) else json.dumps(value))
    if option.optional and text.strip().lower() in ("", "none", "null"):
        return None
    if option.shape == "map":
        return {name: _scalar(option, entry) for name, entry in _pairs(option, text).items()}
    if option.shape == "one":
        return _scalar(option, text)
    entries = tuple(_scalar(option, entry) for entry in _entries(option, text))
    if option.nonempty and not entries:
        raise ValueError(f"must have at least one entry{_hint(option)}")
    if len(set(entries)) < len(entries):
        raise ValueError("must not name an entry twice")
    return entries


def shown(value: object) -> str:
    """Returns a value in quotes, ASCII, cut to a length that leaves room for what is wrong with it."""
    text = value if isinstance(value, str) else json.dumps(value)
    return json.dumps(text if len(text) <= 60 else text[:57] + "...")


def _unquoted(text: str) -> str:
    """Returns what a JSON string holds, and any other text as it is: script mode and tuning jobs quote values once more."""
    if text.startswith('"') and isinstance(decoded := _json(text), str):
        return decoded
    return text


def _entries(option: Option, text: str) -> list[str]:
    if not text.strip().startswith("["):
        return [entry.strip() for entry in text.split(",") if entry.strip()]
    decoded = _json(text)
    if not isinstance(decoded, list) or not all(isinstance(entry, str | int | float) for entry in decoded):
        raise ValueError(f"must be a {option.type_name}, as JSON ([1, 2]) or with commas (1,2){_hint(option)}")
    return [_text(entry) for entry in decoded]


def _pairs(option: Option, text: str) -> dict[str, str]:
    if not text.strip().startswith("{"):
        pairs = [pair.split("=") for pair in text.split(",") if pair.strip()]
        if all(len(pair) == 2 for pair in pairs):
            return {name.strip(): entry.strip() for name, entry in pairs}
    decoded = _json(text)
    if not isinstance(decoded, dict) or not all(isinstance(entry, str | int | float) for entry in decoded.values()):
        raise ValueError(f'must be a {option.type_name}, as JSON ({{"a": 1}}) or with commas (a=1,b=2){_hint(option)}')
    return {name: _text(entry) for name, entry in decoded.items()}


def _text(entry: object) -> str:
    return entry if isinstance(entry, str) else json.dumps(entry)


def _scalar(option: Option, text: str) -> Any:
    value = _typed(option.type, text)
    if value is None:
        where = {"one": "", "list": "a list and each entry ", "map": "a map and each value "}[option.shape]
        raise ValueError(f"must be {where}{_ARTICLES[option.type]}{_hint(option)}")
    if option.choices and value not in option.choices:
        near = difflib.get_close_matches(str(value), option.choices, n=1)
        raise ValueError(f"must be {option.allowed}" + (f" (did you mean {near[0]}?)" if near else ""))
    if (option.min is not None and value < option.min) or (option.max is not None and value > option.max):
        raise ValueError(f"must be {option.allowed}")
    return value


def _typed(kind: type, text: str) -> Any:
    """Returns the value that ``text`` spells, or None if it spells none of this type."""
    if kind is str:
        return text
    word = text.strip().lower()
    if kind is bool:
        return word in _TRUE if word in _TRUE + _FALSE else None
    number = _number(word)
    if number is None:
        return None
    if kind is float:
        return float(number)
    return int(number) if float(number).is_integer() else None


def _number(word: str) -> int | float | None:
    """Returns the finite number that ``word`` spells, or None. Whole numbers stay exact; Python's ``1_000`` is not one."""
    if "_" in word or len(word) > 100:
        return None
    try:
        return int(word)
    except ValueError:
        pass
    try:
        number = float(word)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _hint(option: Option) -> str:
    return f" ({option.allowed})" if option.allowed else ""


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
