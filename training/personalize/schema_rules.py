"""What Amazon Personalize asks of a schema (pages how-it-works-dataset-schema, custom-datasets-and-schemas, limits of its guide)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from training.personalize import limits

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")  # Avro's names
NUMBERS = ("float", "double", "int", "long")


def mistakes_of(content: object) -> list[str]:
    """All that is wrong with the content of a schema file, each a sentence without its full stop; empty if it is right."""
    if not isinstance(content, Mapping):
        return ["it has to be a JSON object"]
    if content.get("type") != "record":
        return [f'"type" has to be "record", it is {_quoted(content.get("type"))}']
    kind = content.get("name")
    if not isinstance(kind, str) or kind not in limits.KINDS:
        return [f'"name" says which dataset it is: {", ".join(limits.KINDS)}; it is {_quoted(kind)}']
    fields = content.get("fields")
    if not isinstance(fields, list) or not fields:
        return ['"fields" has to be a list of fields']
    mistakes = [mistake for place, field in enumerate(fields, 1) for mistake in _mistakes_of_field(field, place)]
    if mistakes:
        return mistakes
    return [*_names_twice(fields), *_wrong_types(kind, fields), *_wrong_flags(kind, fields), *_wrong_number(kind, fields)]


def types_of(field: Mapping[str, Any]) -> list[str]:
    """The types of a field, null among them if it may be empty."""
    return [field["type"]] if isinstance(field["type"], str) else list(field["type"])


def _mistakes_of_field(field: object, place: int) -> Iterator[str]:
    """What is wrong with the form of one field."""
    if not isinstance(field, Mapping) or not isinstance(field.get("name"), str) or "type" not in field:
        yield f'field {place} has to be an object with a "name" and a "type"'
        return
    name = field["name"]
    if not NAME.fullmatch(name):
        yield f"field {place}: the name {_quoted(name)} may have letters, digits and underscores only, and no digit first"
    types = [field["type"]] if isinstance(field["type"], str) else field["type"]
    if not isinstance(types, list) or not all(isinstance(one, str) and one in limits.TYPES for one in types):
        yield f"{name}: its type is {_quoted(field['type'])}; there are {', '.join(limits.TYPES)}, and no nested ones"
    elif len({*types} - {"null"}) != 1 or len({*types}) != len(types):
        yield f"{name}: its type has to be one of {', '.join(limits.TYPES[:-1])}, alone or in a list with null"
    for flag in ("categorical", "textual"):
        if not isinstance(field.get(flag, False), bool):
            yield f'{name}: "{flag}" has to be true or false'


def _names_twice(fields: list[Mapping[str, Any]]) -> Iterator[str]:
    """Underscores don't tell names apart: GENRES_1 and GENRES1 are one."""
    counts = Counter(plain_name(field["name"]) for field in fields)
    for name, count in counts.items():
        if count > 1:
            same = [field["name"] for field in fields if plain_name(field["name"]) == name]
            yield f"{' and '.join(same)} are one name to Amazon Personalize, which ignores underscores"


def plain_name(name: str) -> str:
    """A name as Amazon Personalize tells names apart."""
    return name.replace("_", "").upper()


def _wrong_types(kind: str, fields: list[Mapping[str, Any]]) -> Iterator[str]:
    """Required fields that are not there, and required or reserved ones of another type."""
    by_name = {field["name"]: field for field in fields}
    for name in limits.REQUIRED[kind]:
        if name not in by_name:
            yield f"the field {name} is required"
    for name, (wanted, nullable) in {**limits.REQUIRED[kind], **limits.RESERVED[kind]}.items():
        if name in by_name:
            types = {*types_of(by_name[name])}
            if types - {"null"} != {wanted} or ("null" in types and not nullable):
                yield f"{name} has to be of type {wanted}{', with or without null' if nullable else ' without null'}"


def _wrong_flags(kind: str, fields: list[Mapping[str, Any]]) -> Iterator[str]:
    """Flags on fields that can't have them."""
    own = {*limits.REQUIRED[kind], *limits.RESERVED[kind]}
    for field in fields:
        flags = [flag for flag in ("categorical", "textual") if field.get(flag)]
        if flags and field["name"] in own:
            yield f"{field['name']} can't be {' or '.join(flags)}"
        elif flags and "string" not in types_of(field):
            yield f"{field['name']}: only a string can be {' or '.join(flags)}"
        elif len(flags) > 1:
            yield f"{field['name']} can't be both categorical and textual"
        elif "textual" in flags and kind != "Items":
            yield f"{field['name']}: only Items have textual fields"
    textual = [field["name"] for field in fields if field.get("textual")]
    if len(textual) > limits.MAX_TEXTUAL_FIELDS:
        yield f"at most {limits.MAX_TEXTUAL_FIELDS} field can be textual: {', '.join(textual)}"


def _wrong_number(kind: str, fields: list[Mapping[str, Any]]) -> Iterator[str]:
    """Too many metadata fields, or none that can be learned from."""
    own = {*limits.REQUIRED[kind], *limits.RESERVED[kind]}
    metadata = [field for field in fields if field["name"] not in own]
    most = limits.MAX_METADATA_FIELDS[kind]
    if len(metadata) > most:
        yield f"{kind} can have {most} metadata fields; there are {len(metadata)}"
    useful = [field for field in metadata if field.get("categorical") or field.get("textual") or {*types_of(field)} & {*NUMBERS}]
    if kind in limits.NEEDS_METADATA and not useful:
        yield f"{kind} need a metadata field that is a number or a categorical{' or textual' if kind == 'Items' else ''} string"


def _quoted(value: object) -> str:
    text = repr(value) if not isinstance(value, str) else f'"{value}"'
    return text if len(text) <= 80 else text[:79] + "…"
