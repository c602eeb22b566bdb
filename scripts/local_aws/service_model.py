"""Holds requests and answers against botocore's model of SageMaker: the constraints that boto3 leaves to the server are checked here."""

from __future__ import annotations

import difflib
import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import botocore.session

from scripts.local_aws.errors import ApiError, invalid

SHOWN = 200  # characters of a wrong value in a message
MOST_CHOICES = 12
_PYTHON_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "structure": dict,
    "map": dict,
    "list": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "long": int,
    "float": (int, float),
    "double": (int, float),
    "timestamp": (int, float),
}


@functools.cache
def _service() -> Any:
    return botocore.session.get_session().get_service_model("sagemaker")


def _operation(name: str) -> Any:
    if name not in _service().operation_names:
        raise ApiError("UnknownOperationException", f"SageMaker has no operation {name[:SHOWN]}.")
    return _service().operation_model(name)


def check_request(operation: str, request: Any) -> dict[str, Any]:
    """Returns the request if it meets the types, patterns, lengths and ranges of the operation, and has all that is required.

    Raises ``ApiError`` with every mistake: ``ValidationException``, or ``UnknownOperationException``.
    """
    mistakes = list(_mistakes(_operation(operation).input_shape, request, ""))
    if mistakes:
        count = "1 validation error" if len(mistakes) == 1 else f"{len(mistakes)} validation errors"
        raise invalid(f"{count} detected: {'; '.join(mistakes)}")
    return dict(request)


def members_of(operation: str, *path: str) -> frozenset[str]:
    """Returns the members that the operation's answer may have, or those of a structure or of a list's entries inside it."""
    shape = _operation(operation).output_shape
    for name in path:
        shape = shape.members[name]
        shape = shape.member if shape.type_name == "list" else shape
    return frozenset(shape.members)


def _mistakes(shape: Any, value: Any, place: str) -> Iterator[str]:
    if not _has_type(value, shape.type_name):
        yield f"Value at '{place}' failed to satisfy constraint: Member must be of type {shape.type_name}"
        return
    yield from (f"Value {_shown(value)} at '{place}' failed to satisfy constraint: {rule}" for rule in _broken_rules(shape, value))
    if shape.type_name == "structure":
        for name in shape.required_members:
            if value.get(name) is None:
                yield f"Value null at '{_inside(place, name)}' failed to satisfy constraint: Member must not be null"
        for name, member in shape.members.items():
            if value.get(name) is not None:
                yield from _mistakes(member, value[name], _inside(place, name))
    elif shape.type_name == "list":
        for index, entry in enumerate(value):
            yield from _mistakes(shape.member, entry, f"{place}.{index + 1}.member")
    elif shape.type_name == "map":
        for key, entry in value.items():
            yield from _mistakes(shape.key, key, f"{place}.key")
            yield from _mistakes(shape.value, entry, f"{place}.{key[:SHOWN]}.member")


def _has_type(value: Any, name: str) -> bool:
    return isinstance(value, _PYTHON_TYPES.get(name, object)) and (name == "boolean" or not isinstance(value, bool))


def _broken_rules(shape: Any, value: Any) -> Iterator[str]:
    rules = shape.metadata
    number = shape.type_name in ("integer", "long", "float", "double")
    measured = value if number else len(value) if isinstance(value, str | list | dict) else None
    what = "value" if number else "length"
    if measured is not None and "min" in rules and measured < rules["min"]:
        yield f"Member must have {what} greater than or equal to {rules['min']}"
    if measured is not None and "max" in rules and measured > rules["max"]:
        yield f"Member must have {what} less than or equal to {rules['max']}"
    if isinstance(value, str) and "enum" in rules and value not in rules["enum"]:
        yield f"Member must satisfy enum value set: [{_choices(value, rules['enum'])}]"
    if isinstance(value, str) and "pattern" in rules and not _matches(rules["pattern"], value):
        yield f"Member must satisfy regular expression pattern: {rules['pattern']}"


def _choices(value: str, allowed: Sequence[str]) -> str:
    """All of them, or of hundreds, such as instance types, the nearest."""
    if len(allowed) <= MOST_CHOICES:
        return ", ".join(allowed)
    return ", ".join([*difflib.get_close_matches(value, allowed, MOST_CHOICES, 0.3), "..."])


def _matches(pattern: str, value: str) -> bool:
    try:
        return re.fullmatch(pattern, value) is not None
    except re.error:  # a few are written for Java only: \p{L}
        return True


def _inside(place: str, name: str) -> str:
    name = name[0].lower() + name[1:]
    return f"{place}.{name}" if place else name


def _shown(value: Any) -> str:
    return f"'{value[:SHOWN]}'" if isinstance(value, str) else str(value)[:SHOWN]
