"""What a hyperparameter is, and how SageMaker's flat map of strings becomes typed values, with every mistake reported at once."""

from __future__ import annotations

import dataclasses
import difflib
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from training.hyperparameter_values import TYPE_NAMES, Option, parse_value, shown

PLATFORM_PREFIXES = ("sagemaker_", "_tuning_", "_kfold")
"""Keys that SageMaker, its SDK, or a tuning job put among the user's own."""


class ConfigError(ValueError):
    """The user's hyperparameters are wrong. ``mistakes`` has one sentence for each; the message is all of them."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        self.mistakes = tuple(mistakes)
        count = "the hyperparameter" if len(self.mistakes) == 1 else f"{len(self.mistakes)} hyperparameters"
        super().__init__(f"Correct {count}: {'; '.join(self.mistakes)}.")


def option(
    default: Any,
    help: str,
    *,
    min: float | None = None,
    max: float | None = None,
    choices: tuple[str, ...] | None = None,
    nonempty: bool = False,
) -> Any:
    """Returns a dataclass field with what the parser, ``--help`` and the README need to know. Bounds are inclusive; for lists, bounds
    and choices hold for each entry, and ``nonempty`` refuses a list without entries."""
    metadata = {"help": help, "min": min, "max": max, "choices": choices, "nonempty": nonempty}
    return dataclasses.field(default=default, metadata=metadata)


def options_of(section: type, prefix: str = "") -> list[Option]:
    """Returns the options of a frozen dataclass, in order. Fields that are dataclasses themselves are left out."""
    hints = typing.get_type_hints(section)
    fields = [field for field in dataclasses.fields(section) if not dataclasses.is_dataclass(hints[field.name])]
    return [_option(field, hints[field.name], prefix) for field in fields]


def _option(field: dataclasses.Field[Any], hint: Any, prefix: str) -> Option:
    optional = typing.get_origin(hint) in (types.UnionType, typing.Union)
    if optional:
        (hint,) = (part for part in typing.get_args(hint) if part is not type(None))
    shape, kind = _shape(hint)
    if kind not in TYPE_NAMES:
        raise TypeError(f"{field.name}: a hyperparameter cannot have the type {hint}")
    default = field.default_factory() if field.default_factory is not dataclasses.MISSING else field.default
    names = ("help", "min", "max", "choices", "nonempty")
    metadata = {name: field.metadata[name] for name in names if name in field.metadata}
    return Option(name=prefix + field.name, type=kind, shape=shape, optional=optional, default=default, **metadata)


def _shape(hint: Any) -> tuple[Literal["one", "list", "map"], type]:
    """Returns how many values a hyperparameter holds, and the type of each: of ``tuple[int, ...]``, a list and int."""
    if typing.get_origin(hint) is tuple:
        return "list", typing.get_args(hint)[0]
    if typing.get_origin(hint) is dict:
        return "map", typing.get_args(hint)[1]
    return "one", hint


def parse(options: Sequence[Option], given: Mapping[str, object]) -> dict[str, Any]:
    """Returns the typed value of every given hyperparameter by its flat name.

    Values come as SageMaker sends them: strings, possibly JSON-quoted; lists and maps as JSON or with commas. Keys of the
    platform (``PLATFORM_PREFIXES``) are left out. Raises ``ConfigError`` with all mistakes.
    """
    known = {option.name: option for option in options}
    values: dict[str, Any] = {}
    mistakes: list[str] = []
    for name, value in given.items():
        if name.startswith(PLATFORM_PREFIXES):
            continue
        if name not in known:
            mistakes.append(_unknown(name, list(known)))
            continue
        try:
            values[name] = parse_value(known[name], value)
        except ValueError as error:
            mistakes.append(f"{name}={shown(value)} {error}")
    if mistakes:
        raise ConfigError(mistakes)
    return values


def _unknown(name: str, known: list[str]) -> str:
    word = name.lower().replace("-", "_")
    near = [key for key in known if key == word or key.endswith("_" + word)] or difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f"{shown(name)} is not known" + (f" (did you mean {' or '.join(near)}?)" if near else " (the README lists all that are)")
