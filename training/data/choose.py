"""Which column of a file plays which role: as its schema says, as the user named it, or as its name is known."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from training.data.columns import USER_CATEGORIES, USER_TEXTS, find_column, missing_column, named_column, plain
from training.data.config import DataConfig, FeaturesConfig
from training.data.errors import UserDataError
from training.data.schemas import EVENT_SCHEMAS, ITEM_SCHEMAS, USER_SCHEMAS, Schema, detect

# Kinds of columns that the user names for features; the role of such a column is "numeric:COLUMN".
NAMED_KINDS = ("numeric", "categorical", "text", "embedding")


def song_columns(
    path: Path, columns: Sequence[str], config: DataConfig, features: FeaturesConfig, strict: bool
) -> tuple[Schema, dict[str, str]]:
    """The schema of a file of songs, and its columns by role. ``strict``: the song's id column that the user named must be there."""
    schema = _schema(path, columns, ITEM_SCHEMAS, config.items_schema, "data_items_schema")
    chosen: dict[str, str] = {}
    for role in schema.columns or schema.names:
        names = (schema.columns[role],) if schema.columns else schema.names[role]
        named: str = getattr(config, f"{role}_column", "")
        column = named_column(columns, named) if named else None
        if named and column is None and (strict or role != "item"):
            raise missing_column(path, columns, "", named, names, f"data_{role}_column")
        if column := column or find_column(columns, names):
            chosen[role] = column
    if config.item_column and "item" not in chosen and (column := named_column(columns, config.item_column)):
        chosen["item"] = column
    if "item" not in chosen and not {"artist", "title"} <= chosen.keys():
        raise missing_column(path, columns, "the song", config.item_column, ITEM_SCHEMAS[-1].names["item"], "data_item_column")
    for kind in NAMED_KINDS:
        for name in getattr(features, kind):
            column = named_column(columns, name)
            if column is None:
                raise missing_column(path, columns, "", name, (), f"features_{kind}")
            chosen[f"{kind}:{name}"] = column
    if not features.lyrics:
        chosen.pop("lyrics", None)
    return schema, chosen


def event_columns(path: Path, columns: Sequence[str], config: DataConfig, strict: bool) -> tuple[Schema, dict[str, str]]:
    """The schema of a file of events, and its columns by role. ``strict``: a column that the user named must be there."""
    schema = _schema(path, columns, EVENT_SCHEMAS, config.interactions_schema, "data_interactions_schema")
    chosen: dict[str, str] = {}
    for role, names in schema.names.items():
        setting = f"{role}_column"
        named: str = getattr(config, setting)
        column = named_column(columns, named) if named else find_column(columns, names)
        if column is None and named and strict:
            raise missing_column(path, columns, "", named, names, f"data_{setting}")
        column = column or find_column(columns, names)
        if column:
            chosen[role] = column
    if "timestamp" in chosen:
        chosen.pop("position", None)  # times tell the order
    if "user" not in chosen:
        raise missing_column(path, columns, "the listener", config.user_column, schema.names["user"], "data_user_column")
    if "item" not in chosen:
        pair = {role: find_column(columns, ITEM_SCHEMAS[-1].names[role]) for role in ("artist", "title")}
        if not all(pair.values()):
            raise missing_column(path, columns, "the song", config.item_column, schema.names["item"], "data_item_column")
        chosen |= {role: column for role, column in pair.items() if column}
    return schema, chosen


def user_columns(path: Path, columns: Sequence[str], config: DataConfig) -> tuple[Schema, dict[str, str]]:
    """The schema of a file of listeners, and its columns: the id, what listeners are called ("text:NAME") and are ("category:NAME")."""
    schema = detect(USER_SCHEMAS, columns)
    names = schema.names["user"]
    column = (named_column(columns, config.user_column) if config.user_column else None) or find_column(columns, names)
    if column is None:
        raise missing_column(path, columns, "the listener", config.user_column, names, "data_user_column")
    chosen = {"user": column}
    for kind, wanted, known in (
        ("text", config.user_text, USER_TEXTS),
        ("category", config.user_categorical, USER_CATEGORIES),
    ):
        for name in wanted:
            if named_column(columns, name) is None:
                raise missing_column(path, columns, "", name, (), f"data_user_{'text' if kind == 'text' else 'categorical'}")
        found = [named_column(columns, name) for name in wanted] if wanted else [one for one in columns if plain(one) in known]
        chosen |= {f"{kind}:{plain(one)}": one for one in found if one is not None and one not in chosen.values()}
    return schema, chosen


def _schema(path: Path, columns: Sequence[str], schemas: Sequence[Schema], wanted: str, setting: str) -> Schema:
    if wanted == "auto":
        return detect(schemas, columns)
    schema = next(schema for schema in schemas if schema.name == wanted)
    if missing := schema.missing(columns):
        has = ", ".join(column[:40] for column in columns[:40])
        raise UserDataError(f"{path}: is not in the format {wanted} ({setting}): it lacks {', '.join(missing)}; it has: {has}")
    return schema
