"""Checks of decoded JSON values. Each returns the value, or raises ``RequestError`` 422 with the name of the field."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from typing import Any

from inference.errors import RequestError

MAX_IDS = 10_000
MAX_ID_CHARACTERS = 1_000
_LARGE = 1 << 53


def optional(value: Mapping[str, Any], name: str, parse: Any) -> Any:
    return parse(value[name], name) if value.get(name) is not None else None


def refuse_unknown(value: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    for name in value:
        if name not in known:
            near = difflib.get_close_matches(str(name)[:50], known, n=1)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            raise RequestError(422, "unknown_field", f"Unknown field '{str(name)[:50]}' in the {where}.{hint} Known: {', '.join(known)}.")


def kind(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    return {str: "a string", int: "a number", float: "a number", list: "a list", dict: "an object"}.get(type(value), "something else")


def invalid(name: str, must: str, value: object) -> RequestError:
    return RequestError(422, "invalid_field", f"'{name}' must be {must}, not {kind(value)}.")


def an_id(value: object, name: str) -> str:
    """Takes a string or a whole number: catalogues with numeric ids are common, and JSON writers don't quote them."""
    if type(value) is str and 0 < len(value) <= MAX_ID_CHARACTERS:  # as almost always
        return value
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise invalid(name, "a string or a whole number", value)
    text = value if isinstance(value, str) else str(value)
    if not text or len(text) > MAX_ID_CHARACTERS:
        raise RequestError(422, "invalid_field", f"'{name}' must have 1 to {MAX_ID_CHARACTERS} characters, not {len(text)}.")
    return text


def a_list(value: object, name: str) -> list[Any]:
    if not isinstance(value, list):
        raise invalid(name, "a list", value)
    if len(value) > MAX_IDS:
        raise RequestError(422, "invalid_field", f"'{name}' may have at most {MAX_IDS} entries, not {len(value)}.")
    return value


def ids(value: object, name: str) -> tuple[str, ...]:
    given = a_list(value, name)
    if all(type(one) is str and 0 < len(one) <= MAX_ID_CHARACTERS for one in given):  # as almost always; the names of places take long
        return tuple(given)
    return tuple(an_id(v, f"{name}[{i}]") for i, v in enumerate(given))


def a_number(value: object, name: str) -> float:
    if type(value) is int and -_LARGE < value < _LARGE:  # as timestamps are
        return float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise invalid(name, "a number", value)
    if (isinstance(value, int) and value.bit_length() > 1000) or not math.isfinite(value):
        raise RequestError(422, "invalid_field", f"'{name}' must be a finite number.")
    return float(value)


def a_boolean(value: object, name: str) -> bool:
    if not isinstance(value, bool):
        raise invalid(name, "true or false", value)
    return value
