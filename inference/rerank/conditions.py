"""What a filter asks of a song, as a request writes it: checked for its form, whatever the model knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from inference.checks import MAX_ID_CHARACTERS, a_boolean, a_number, invalid, refuse_unknown
from inference.errors import RequestError

# Of one request in all, so that a filter costs milliseconds and not a worker.
MAX_CONDITIONS = 100
MAX_VALUES = 1_000

Value = str | float
OPERATORS = ("any", "not", "gte", "gt", "lte", "lt", "exists")
_BOUNDS = ("gte", "gt", "lte", "lt")
_FORM = "a value, a list of values, or an object of any, not, gte, gt, lte, lt, exists"


@dataclass(frozen=True)
class Condition:
    """On one column, as the request calls it: a song must have one of the values ``any`` (None: whatever it has), none of those in
    ``none``, a number within all ``bounds`` (operator, value), and the column at all, or not, where ``exists`` says so.

    Values are texts or finite numbers; true and false are the texts "true" and "false". It can be hashed: masks are cached by it.
    """

    column: str
    any: tuple[Value, ...] | None = None
    none: tuple[Value, ...] = ()
    bounds: tuple[tuple[str, Value], ...] = ()
    exists: bool | None = None

    @property
    def size(self) -> int:
        """Returns how many values it names."""
        return len(self.any or ()) + len(self.none) + len(self.bounds) + (self.exists is not None)

    @property
    def bytes(self) -> int:
        """Returns about how much memory it takes."""
        named = (self.column, *(self.any or ()), *self.none, *(value for _, value in self.bounds))
        return 500 + sum(100 + 4 * len(value) if isinstance(value, str) else 50 for value in named)


Filter = tuple[Condition, ...]  # all of them must hold


def parse_filter(value: object, name: str) -> Filter:
    """Checks a decoded JSON object of column and condition. Raises ``RequestError`` 422 that names the field."""
    if not isinstance(value, Mapping):
        raise invalid(name, "an object of columns and what they must be", value)
    if len(value) > MAX_CONDITIONS:
        raise RequestError(422, "invalid_field", f"'{name}' may have at most {MAX_CONDITIONS} conditions, not {len(value)}.")
    return tuple(_condition(str(column), condition, f"{name}.{str(column)[:40]}") for column, condition in value.items())


def _condition(column: str, value: object, name: str) -> Condition:
    if not column or len(column) > MAX_ID_CHARACTERS:
        raise RequestError(422, "invalid_field", f"'{name}': the name of a column has 1 to {MAX_ID_CHARACTERS} characters.")
    if value is None:
        raise RequestError(422, "invalid_field", f"'{name}' must be {_FORM}, not null. Songs without it: {{'exists': false}}.")
    if not isinstance(value, Mapping):
        return Condition(column, any=_values(value, name))
    refuse_unknown(value, OPERATORS, name)
    given = {str(operator): operand for operator, operand in value.items() if operand is not None}
    if not given:
        raise RequestError(422, "invalid_field", f"'{name}' must have one of {', '.join(OPERATORS)}.")
    condition = Condition(column, bounds=tuple((one, _value(given[one], f"{name}.{one}")) for one in _BOUNDS if one in given))
    if "any" in given:
        condition = replace(condition, any=_values(given["any"], f"{name}.any"))
    if "not" in given:
        condition = replace(condition, none=_values(given["not"], f"{name}.not"))
    if "exists" in given:
        condition = replace(condition, exists=a_boolean(given["exists"], f"{name}.exists"))
    return condition


def _values(value: object, name: str) -> tuple[Value, ...]:
    listed = value if isinstance(value, list) else [value]
    if not 1 <= len(listed) <= MAX_VALUES:
        raise RequestError(422, "invalid_field", f"'{name}' must have 1 to {MAX_VALUES} values, not {len(listed)}.")
    return tuple(dict.fromkeys(_value(one, name) for one in listed))


def _value(value: object, name: str) -> Value:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        if not value.strip() or len(value) > MAX_ID_CHARACTERS:
            raise RequestError(422, "invalid_field", f"'{name}': a text has 1 to {MAX_ID_CHARACTERS} characters, and not only blanks.")
        return value
    if isinstance(value, int | float):
        number = a_number(value, name)
        return number if number == value and abs(number) < 2**53 else str(value)  # a long number as an id keeps all its digits
    raise invalid(name, _FORM, value)
