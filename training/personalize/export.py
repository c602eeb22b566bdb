"""Writes Amazon Personalize's three datasets, each as a CSV and its schema."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from training.data.dataset import Catalogue
from training.data.errors import UserDataError
from training.personalize import limits
from training.personalize.avro import AvroSchema, Field, build_schema, write_schema
from training.personalize.dialect import TEXT, CsvFile
from training.personalize.event_columns import EventPolicy, EventTally, event_columns
from training.personalize.fitting_ids import fitting
from training.personalize.item_columns import item_columns

ROWS_AT_ONCE = 100_000
EVENT_FIELDS = {"event_type": Field("EVENT_TYPE", "string"), "event_value": Field("EVENT_VALUE", "float", nullable=True)}


@dataclass
class Written:
    """``counts``: rows, and what was changed or left out, by reason. ``notes``: sentences on what Amazon Personalize will say to it."""

    data: Path
    schema: Path
    rows: int
    counts: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)


def write_interactions(tables: Iterator[pa.Table], folder: Path, policy: EventPolicy | None = None) -> Written:
    """Writes ``interactions.csv`` and ``interactions-schema.json``, one row per event, in the order of the tables, one table at a time.

    ``tables``: columns user, item (text), timestamp (int64 seconds, null missing) and, the same in all tables, event_type (text) and
    event_value (float64) or not. An event without a type gets ``MISSING_TYPE``, since EVENT_TYPE may not be empty.
    Raises ``UserDataError`` for what the policy says to refuse, and if there is no event.
    """
    policy = policy or EventPolicy()
    tables = iter(tables)
    first = next(tables, None)
    if first is None:
        raise UserDataError("there is no event to write: Amazon Personalize needs interactions")
    fields = [Field(name, kind) for name, (kind, _) in limits.REQUIRED["Interactions"].items()]
    schema = build_schema("Interactions", [*fields, *(made for name, made in EVENT_FIELDS.items() if name in first.column_names)])
    tally = EventTally()
    with CsvFile(folder / "interactions.csv", schema.names) as file:
        for table in chain([first], tables):
            file.write(event_columns(table, schema.names, policy, tally))
        if not file.rows:
            raise UserDataError("no event is left to write: all of them have ids that Amazon Personalize can't have")
    return _written(schema, file, tally.counts, tally.notes(len(schema.fields) - len(fields)))


def write_items(item_ids: Sequence[str] | NDArray[np.object_], catalogue: Catalogue, folder: Path, drop_unfit: bool = False) -> Written:
    """Writes ``items.csv`` and ``items-schema.json``: a row per song that has a row in the catalogue, a field per thing known of one.

    A song that only events know is in the interactions alone. Fields: see ``item_columns``. CREATION_TIMESTAMP is left out: it tells
    an item's age, and of most songs only the year is known; Amazon Personalize takes the first event of each song instead.
    Raises ``UserDataError`` for an id that Amazon Personalize can't have, unless ``drop_unfit``.
    """
    counts: Counter[str] = Counter()
    fields, columns, notes = item_columns(catalogue, counts)
    schema = build_schema("Items", [Field("ITEM_ID", "string"), *fields])
    ids = pa.array(item_ids, TEXT)
    fits = fitting(ids, "ITEM_ID", "song", drop_unfit)
    rows = np.flatnonzero(catalogue.known & fits)
    counts["songs_only_in_events"] = int((~catalogue.known).sum())
    counts["rows_with_unfit_id"] = int((catalogue.known & ~fits).sum())
    with CsvFile(folder / "items.csv", schema.names) as file:
        for start in range(0, len(rows), ROWS_AT_ONCE):
            places = pa.array(rows[start : start + ROWS_AT_ONCE])
            file.write({"ITEM_ID": ids.take(places), **{name: column.take(places) for name, column in columns.items()}})
    if len(rows) > limits.MAX_TRAINED_ITEMS:
        notes.append(f"{len(rows):,} items: most recipes of Amazon Personalize learn from {limits.MAX_TRAINED_ITEMS:,} at most")
    return _written(schema, file, counts, notes)


def write_users(
    user_ids: Sequence[str] | NDArray[np.object_], song_counts: NDArray[np.integer], folder: Path, drop_unfit: bool = False
) -> Written:
    """Writes ``users.csv`` and ``users-schema.json``: a row per listener.

    A schema of Users has to have a field besides the id, and of our listeners nothing else is known, so it is SONG_COUNT:
    ``song_counts``, of how many songs each has events, 0 for one without. Raises ``UserDataError`` as ``write_items`` does.
    """
    schema = build_schema("Users", [Field("USER_ID", "string"), Field("SONG_COUNT", "int")])
    ids, numbers = pa.array(user_ids, TEXT), pa.array(song_counts, pa.int32())
    fits = fitting(ids, "USER_ID", "listener", drop_unfit)
    rows = np.flatnonzero(fits)
    with CsvFile(folder / "users.csv", schema.names) as file:
        for start in range(0, len(rows), ROWS_AT_ONCE):
            places = pa.array(rows[start : start + ROWS_AT_ONCE])
            file.write({"USER_ID": ids.take(places), "SONG_COUNT": numbers.take(places)})
    return _written(schema, file, Counter(rows_with_unfit_id=len(ids) - len(rows)), [])


def _written(schema: AvroSchema, file: CsvFile, counts: Counter[str], notes: list[str]) -> Written:
    path = write_schema(schema, file.path.parent)
    return Written(file.path, path, file.rows, Counter({name: count for name, count in counts.items() if count}), notes)
