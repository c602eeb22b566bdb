"""Reads a channel of listening events: which column is what, what each event weighs, which events are dropped."""

import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.data.channel import Columns, read_channel
from training.data.columns import EVENT_ROLES, SONG_ROLES, find_column, missing_column, named_column
from training.data.config import DataConfig
from training.data.entries import Entries, combine
from training.data.errors import UserDataError
from training.data.values import encode, to_number

log = logging.getLogger(__name__)


def read_events(name: str, paths: Sequence[Path], config: DataConfig, strict: bool, counts: Counter[str]) -> Entries | None:
    """Reads a channel of events; None if it has no rows. `strict`: a column that the user named must be there.

    Raises `UserDataError` for files that cannot be read, columns that are not there, or if no event is usable.
    """
    columns = read_channel(name, paths, lambda path, found: choose_columns(path, found, config, strict), counts)
    if columns is None or not len(columns["user"]):
        return None
    if strict:
        check_settings(name, columns, config)
    entries = combine(columns, _weigh(name, columns, config, counts), config.weighting, name, counts)
    if not len(entries):
        reasons = ", ".join(f"{key.split('.')[1]}={n}" for key, n in counts.items() if n and key.startswith(f"{name}.dropped"))
        raise UserDataError(f"channel {name}: none of its {counts[f'{name}.rows_read']} rows is a usable event ({reasons})")
    return entries


def choose_columns(path: Path, columns: Sequence[str], config: DataConfig, strict: bool) -> dict[str, str]:
    """Which column plays which role in a file of events: as named by the user, or else as detected."""
    chosen: dict[str, str] = {}
    for role, names in EVENT_ROLES.items():
        setting = f"{role}_column"
        named: str = getattr(config, setting)
        column = named_column(columns, named) if named else find_column(columns, names)
        if column is None and named and strict:
            raise missing_column(path, columns, "", named, names, f"data_{setting}")
        column = column or find_column(columns, names)
        if column:
            chosen[role] = column
    if "user" not in chosen:
        raise missing_column(path, columns, "the listener", config.user_column, EVENT_ROLES["user"], "data_user_column")
    if "item" not in chosen:
        pair = {role: find_column(columns, SONG_ROLES[role]) for role in ("artist", "title")}
        if not all(pair.values()):
            raise missing_column(path, columns, "the song", config.item_column, EVENT_ROLES["item"], "data_item_column")
        chosen |= {role: column for role, column in pair.items() if column}
    return chosen


def check_settings(name: str, columns: Columns, config: DataConfig) -> None:
    """Refuses settings about event types and values if the events have none."""
    if config.event_weights and "event_type" not in columns:
        raise UserDataError(
            f"data_event_weights is set, but the channel {name} has no column of event types; name it with data_event_type_column"
        )
    by_value = config.weighting in ("value", "log_value")
    if (by_value or config.min_event_value is not None) and "event_value" not in columns:
        setting = f"data_weighting={config.weighting}" if by_value else "data_min_event_value"
        raise UserDataError(f"{setting} needs event values, but the channel {name} has none; name the column with data_event_value_column")


def _weigh(name: str, columns: Columns, config: DataConfig, counts: Counter[str]) -> NDArray[np.float64]:
    """The weight of each row, 0 for a row that is dropped."""
    weights = np.ones(len(columns["user"]))
    if config.event_weights and "event_type" in columns:
        weight_of = {kind.strip().casefold(): float(weight) for kind, weight in config.event_weights.items()}
        kinds, codes = encode(columns["event_type"])
        if unused := set(weight_of).difference(kind.strip().casefold() for kind in kinds):
            log.warning("event_weights_unused channel=%s types=%s", name, ",".join(sorted(unused)))
        weights = np.array([*(weight_of.get(kind.strip().casefold(), 1.0) for kind in kinds), 1.0])[codes]
        counts[f"{name}.dropped_event_type_of_weight_0"] += int((weights == 0).sum())
    by_value = config.weighting in ("value", "log_value")
    if (by_value or config.min_event_value is not None) and "event_value" in columns:
        values, unparsed = to_number(columns["event_value"])
        counts[f"{name}.event_values_unparsed"] += unparsed
        if config.min_event_value is not None:
            low = ~(values >= config.min_event_value)  # a missing value is low, too
            counts[f"{name}.dropped_below_min_event_value"] += int((low & (weights != 0)).sum())
            weights[low] = 0
        if by_value:
            values = np.nan_to_num(values)
            counts[f"{name}.dropped_event_value_missing_or_0"] += int(((values == 0) & (weights != 0)).sum())
            weights = weights * values
    return weights
