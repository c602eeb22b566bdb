"""The Avro schemas of Amazon Personalize's datasets: built, written, and read from a file that a user gives."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.data.errors import UserDataError
from training.personalize import limits
from training.personalize.schema_rules import mistakes_of


@dataclass(frozen=True)
class Field:
    """One column. ``type``: one of ``limits.TYPES`` but null. ``nullable``: whether it may be empty."""

    name: str
    type: str
    nullable: bool = False
    categorical: bool = False
    textual: bool = False

    def to_json(self) -> dict[str, Any]:
        """The field as Avro has it; null stands first, as in a union whose default is missing."""
        types: str | list[str] = ["null", self.type] if self.nullable else self.type
        flags = {flag: True for flag in ("categorical", "textual") if getattr(self, flag)}
        return {"name": self.name, "type": types, **flags}


@dataclass(frozen=True)
class AvroSchema:
    """``kind``: "Interactions", "Items" or "Users". ``fields``: in the order of the CSV's columns."""

    kind: str
    fields: tuple[Field, ...]

    @property
    def names(self) -> list[str]:
        """The header of the CSV."""
        return [field.name for field in self.fields]

    def to_json(self) -> dict[str, Any]:
        """The schema as Amazon Personalize's CreateSchema takes it."""
        fields = [field.to_json() for field in self.fields]
        return {"type": "record", "name": self.kind, "namespace": limits.NAMESPACE, "fields": fields, "version": "1.0"}


def build_schema(kind: str, fields: list[Field]) -> AvroSchema:
    """A schema of these fields. Raises ``UserDataError`` if Amazon Personalize would refuse it."""
    schema = AvroSchema(kind, tuple(fields))
    _refuse_mistakes(schema.to_json(), f"the schema of {kind}")
    return schema


def write_schema(schema: AvroSchema, folder: Path) -> Path:
    """Writes ``interactions-schema.json`` (or items, users) into a folder and returns its path."""
    path = folder / f"{schema.kind.lower()}-schema.json"
    path.write_text(json.dumps(schema.to_json(), indent=2) + "\n", encoding="utf-8")
    return path


def read_schema(path: Path) -> AvroSchema:
    """Reads a schema. Raises ``UserDataError`` with all that is wrong with it."""
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise UserDataError(f"{path}: can't be read as JSON: {error}") from None
    _refuse_mistakes(content, str(path))
    return AvroSchema(content["name"], tuple(map(_field, content["fields"])))


def _field(content: Mapping[str, Any]) -> Field:
    types = [content["type"]] if isinstance(content["type"], str) else content["type"]
    kind = next(name for name in types if name != "null")
    return Field(content["name"], kind, "null" in types, content.get("categorical") is True, content.get("textual") is True)


def _refuse_mistakes(content: object, what: str) -> None:
    mistakes = mistakes_of(content)
    if mistakes:
        raise UserDataError(f"{what} is not one that Amazon Personalize takes: " + "; ".join(mistakes))
