"""From a table of events to the columns of Amazon Personalize's Interactions, and what it will say to all of them together."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from training.data.errors import UserDataError
from training.data.problems import shown
from training.personalize import limits
from training.personalize.dialect import TEXT
from training.personalize.fitting_ids import fitting

MISSING_TYPE = "unspecified"  # of an event without a type: EVENT_TYPE may not be empty


@dataclass(frozen=True)
class EventPolicy:
    """``first_time``: events without a time are numbered in their order, one a second from this one on; None refuses them.

    ``drop_unfit``: leave out events whose ids Amazon Personalize can't have, instead of refusing them.
    """

    first_time: int | None = None
    drop_unfit: bool = False


@dataclass
class EventTally:
    """What was seen so far. ``rows``: events that came. ``events_of``: of listeners, until enough of them have two events."""

    counts: Counter[str] = field(default_factory=Counter)
    rows: int = 0
    written: int = 0
    types: set[str] = field(default_factory=set)
    events_of: Counter[str] = field(default_factory=Counter)
    active_users: int = 0

    def notes(self, n_metadata: int) -> list[str]:
        """Sentences on what Amazon Personalize will not take, or not train on. ``n_metadata``: optional columns."""
        notes = []
        if self.written < limits.MIN_INTERACTIONS:
            notes.append(f"{self.written:,} interactions: Amazon Personalize takes {limits.MIN_INTERACTIONS:,} and more")
        if self.active_users < limits.MIN_ACTIVE_USERS:
            notes.append(
                f"{self.active_users} listeners have {limits.MIN_EVENTS_OF_ACTIVE_USER} or more interactions: to train, Amazon Personalize "
                f"needs {limits.MIN_ACTIVE_USERS} such listeners"
            )
        if len(self.types) + n_metadata > limits.MAX_EVENT_TYPES_AND_METADATA:
            notes.append(
                f"{len(self.types)} event types or more: beside {n_metadata} optional columns Amazon Personalize takes "
                f"{limits.MAX_EVENT_TYPES_AND_METADATA - n_metadata}"
            )
        return notes


def event_columns(table: pa.Table, names: list[str], policy: EventPolicy, tally: EventTally) -> dict[str, pa.Array]:
    """The columns of these names for the events of one table that can be written; the tally counts them."""
    users, items = _column(table, "user", TEXT), _column(table, "item", TEXT)
    fits = fitting(users, "USER_ID", "event", policy.drop_unfit, tally.rows)
    fits &= fitting(items, "ITEM_ID", "event", policy.drop_unfit, tally.rows)
    columns = {"USER_ID": users, "ITEM_ID": items}
    rows_before, tally.rows = tally.rows, tally.rows + len(users)
    if not fits.all():
        tally.counts["rows_with_unfit_id"] += int((~fits).sum())
    times = _column(table, "timestamp", pa.int64())
    if policy.first_time is None:
        _refuse_missing_times(times, users, items, rows_before)
    keep = pa.array(fits)
    columns = {name: values.filter(keep) for name, values in columns.items()}
    columns["TIMESTAMP"] = _numbered(times.filter(keep), policy.first_time or 0, tally)
    if "EVENT_TYPE" in names:
        columns["EVENT_TYPE"] = _types(_column(table, "event_type", TEXT).filter(keep), tally)
    if "EVENT_VALUE" in names:
        columns["EVENT_VALUE"] = _values(_column(table, "event_value", pa.float64()).filter(keep), tally)
    tally.written += len(columns["USER_ID"])
    _count_users(columns["USER_ID"], tally)
    return columns


def _column(table: pa.Table, name: str, kind: pa.DataType) -> pa.Array:
    if name not in table.column_names:
        return pa.nulls(table.num_rows, kind)
    return table.column(name).cast(kind).combine_chunks()


def _refuse_missing_times(times: pa.Array, users: pa.Array, items: pa.Array, rows_before: int) -> None:
    if times.null_count:
        place = int(np.argmax(pc.is_null(times).to_numpy(zero_copy_only=False)))
        whose = f"listener {shown(users[place].as_py())}, song {shown(items[place].as_py())}"
        raise UserDataError(
            f"event {rows_before + place + 1:,} ({whose}) has no time, and Amazon Personalize needs a TIMESTAMP for every interaction; "
            "give the events a time, or have those without one numbered in their order from a second of your choice (--first-time)"
        )


def _numbered(times: pa.Array, first_time: int, tally: EventTally) -> pa.Array:
    """The times, missing ones filled with a second each that counts up over all tables."""
    if not times.null_count:
        return times
    missing = pc.is_null(times).to_numpy(zero_copy_only=False)
    start = first_time + tally.counts["times_numbered"]
    seconds = np.array(pc.fill_null(times, 0).to_numpy())
    seconds[missing] = start + np.arange(int(missing.sum()))
    tally.counts["times_numbered"] += int(missing.sum())
    return pa.array(seconds)


def _types(types: pa.Array, tally: EventTally) -> pa.Array:
    missing = pc.fill_null(pc.equal(types, ""), True)
    tally.counts["types_missing"] += pc.sum(missing).as_py() or 0
    types = pc.if_else(missing, pa.scalar(MISSING_TYPE, TEXT), types)
    broken = pc.sum(pc.match_substring_regex(types, r"[\r\n]")).as_py() or 0
    if broken:
        tally.counts["line_breaks_removed"] += broken
        types = pc.replace_substring_regex(types, r"[\r\n]+", " ")
    if len(tally.types) <= limits.MAX_EVENT_TYPES_AND_METADATA:
        tally.types.update(pc.unique(types).to_pylist())
    return types


def _values(values: pa.Array, tally: EventTally) -> pa.Array:
    """The values; one that a float can't hold is missing."""
    holds = pc.fill_null(pc.less_equal(pc.abs(values), limits.LARGEST_FLOAT), False)
    tally.counts["values_too_large"] += len(values) - values.null_count - (pc.sum(holds).as_py() or 0)
    return pc.if_else(holds, values, pa.scalar(None, pa.float64()))


def _count_users(users: pa.Array, tally: EventTally) -> None:
    """Counts the listeners with enough events, as far as it matters."""
    if tally.active_users >= limits.MIN_ACTIVE_USERS:
        return
    for count in pc.value_counts(users).to_pylist():
        tally.events_of[count["values"]] += count["counts"]
    tally.active_users = sum(count >= limits.MIN_EVENTS_OF_ACTIVE_USER for count in tally.events_of.values())
