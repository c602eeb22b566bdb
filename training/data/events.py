"""From rows of events to weighted rows: who, what, when, how much it counts. Nothing here looks beyond the rows at hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from training.data.columns import plain
from training.data.config import DataConfig
from training.data.dataset import MISSING_TIME
from training.data.ids import is_placeholder, song_keys
from training.data.judge import Cells, Judge
from training.data.sample import Hashes, Limits, hash_ids, kept, mixed
from training.data.schemas import Schema
from training.data.times import to_seconds
from training.data.values import distinct, missing_cells, numbers_of

COUNTS = ("play_count", "playcount", "plays", "listens", "count")  # columns that can't be below 0
LARGEST_POSITION = 2.0**53
DAY = 86_400  # clocks differ by a time zone at most


@dataclass(frozen=True)
class Codes:
    """A column of text as numbers: ``names`` distinct, ``codes`` int32 per row, -1 missing."""

    names: pa.LargeStringArray
    codes: NDArray[np.int32]

    def hashes(self, seed: int) -> Hashes:
        """A hash per row; of what is missing, 0."""
        return np.append(hash_ids(self.names.to_pylist(), seed), np.uint64(0))[self.codes]

    def placeholders(self) -> NDArray[np.bool_]:
        """Where the text is one that stands for a missing one: "nan", "null", ..."""
        return np.append(is_placeholder(self.names), False)[self.codes]

    def take(self, which: NDArray[np.bool_]) -> Codes:
        """The rows where ``which`` is true, with the names that they use."""
        codes = self.codes[which]
        used = np.bincount(codes[codes >= 0], minlength=len(self.names)) > 0
        if used.all():
            return Codes(self.names, codes)
        place = np.append(np.cumsum(used) - 1, -1).astype(np.int32)
        return Codes(self.names.filter(pa.array(used)), place[codes])


@dataclass(frozen=True)
class Events:
    """Rows of events that are kept, each with both ids.

    seconds: int64, `MISSING_TIME` where unknown; where ``EventSettings.by_position``, places in a list instead of times.
    kinds: of events, None if no column has them. values: float64, NaN missing, None likewise.
    weights: float64, not 0. rows: int64, the numbers of the rows within the piece of the file. hashes: uint64 of all that is in an event.
    kinds_seen: all types of events in these rows of the file, also of those that were dropped.
    """

    users: Codes
    items: Codes
    seconds: NDArray[np.int64]
    kinds: Codes | None
    values: NDArray[np.float64] | None
    weights: NDArray[np.float64]
    rows: NDArray[np.int64]
    hashes: Hashes | None = None
    kinds_seen: frozenset[str] = frozenset()

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, which: NDArray[np.bool_]) -> Events:
        """The rows where ``which`` is true."""
        if which.all():
            return self
        return Events(
            self.users.take(which),
            self.items.take(which),
            self.seconds[which],
            self.kinds.take(which) if self.kinds is not None else None,
            self.values[which] if self.values is not None else None,
            self.weights[which],
            self.rows[which],
            self.hashes[which] if self.hashes is not None else None,
            self.kinds_seen,
        )


@dataclass(frozen=True)
class EventSettings:
    """``now``: seconds since 1970, before which an event has to be. ``hashed``: a hash per row is needed. ``limits``: of the sample.
    ``by_position``: no event of the channel has a time, so that the places of songs in a list may tell the order."""

    config: DataConfig
    now: float
    hashed: bool = False
    limits: Limits = field(default_factory=Limits)
    by_position: bool = False


def prepare_events(
    cells: Mapping[str, pa.ChunkedArray],
    rows: NDArray[np.int64],
    roles: dict[str, str],
    schema: Schema,
    judge: Judge,
    settings: EventSettings,
) -> Events:
    """The events of some rows of a file."""
    config, limits = settings.config, settings.limits
    item_ids = cells["item"] if "item" in cells else song_keys(cells["artist"], cells["title"])
    users, items = codes_of(cells["user"]), codes_of(item_ids)
    kinds = codes_of(cells["event_type"]) if "event_type" in cells else None
    for role in ("timestamp", "event_type", "event_value"):
        if role in cells:
            judge.found("missing_value", roles[role], missing_cells(cells[role]), Cells(cells[role]))
    in_list = settings.by_position and "timestamp" not in cells and "position" in cells
    seconds = _positions(cells, roles, judge) if in_list else _times(cells, roles, judge, settings.now, len(rows))
    values = _values(cells, roles, judge)
    weights = _weights(len(rows), kinds, values, config, judge)
    for role, codes in (("user", users), ("item", items)):
        column = cells.get(role, cells.get("title"))
        name = roles.get(role, roles.get("title", ""))
        judge.found("missing_id", name, (codes.codes < 0) & judge.kept, Cells(column))
        judge.found("placeholder_id", name, codes.placeholders() & judge.kept, Cells(column))
    if "item" not in cells:
        for role in ("artist", "title"):
            judge.found("placeholder_id", roles[role], is_placeholder_cell(cells[role]) & judge.kept, Cells(cells[role]))
    if limits.songs is not None:
        judge.drop("not_sampled", ~kept(items.hashes(limits.seed), limits.songs))
    if limits.listeners is not None:
        judge.drop("not_sampled", ~kept(users.hashes(limits.seed), limits.listeners))
    hashes = _hashes(users, items, seconds, kinds, values, limits.seed) if settings.hashed else None
    if hashes is not None:
        judge.drop("not_sampled", ~kept(hashes, limits.events))
    seen = frozenset(kind.strip().casefold() for kind in kinds.names.to_pylist()) if kinds is not None else frozenset()
    return Events(users, items, seconds, kinds, values, weights, rows, hashes, seen).take(judge.kept)


def codes_of(column: pa.ChunkedArray) -> Codes:
    """The column as numbers of its distinct texts."""
    names, codes = distinct(column)
    return Codes(names, codes.astype(np.int32))


def is_placeholder_cell(column: pa.ChunkedArray) -> NDArray[np.bool_]:
    """Where the text of a column stands for a missing one."""
    return codes_of(column).placeholders()


def _times(cells: Mapping[str, pa.ChunkedArray], roles: dict[str, str], judge: Judge, now: float, n_rows: int) -> NDArray[np.int64]:
    if "timestamp" not in cells:
        return np.full(n_rows, MISSING_TIME)
    seconds, broken = to_seconds(cells["timestamp"])
    judge.found("broken_time", roles["timestamp"], broken, Cells(cells["timestamp"]))
    future = seconds > now + DAY
    judge.found("future_time", roles["timestamp"], future, Cells(cells["timestamp"]))
    seconds[future] = MISSING_TIME
    return seconds


def _positions(cells: Mapping[str, pa.ChunkedArray], roles: dict[str, str], judge: Judge) -> NDArray[np.int64]:
    places, unreadable = numbers_of(cells["position"])
    judge.found("unreadable_value", roles["position"], unreadable, Cells(cells["position"]))
    usable = np.abs(places) < LARGEST_POSITION  # false for NaN
    return np.where(usable, np.floor(np.where(usable, places, 0.0)).astype(np.int64), MISSING_TIME)


def _values(cells: Mapping[str, pa.ChunkedArray], roles: dict[str, str], judge: Judge) -> NDArray[np.float64] | None:
    if "event_value" not in cells:
        return None
    values, unreadable = numbers_of(cells["event_value"])
    judge.found("unreadable_value", roles["event_value"], unreadable, Cells(cells["event_value"]))
    if plain(roles["event_value"]) in COUNTS:
        judge.found("out_of_range", roles["event_value"], values < 0, Cells(cells["event_value"]))
        values[values < 0] = np.nan
    return values


def _weights(n_rows: int, kinds: Codes | None, values: NDArray[np.float64] | None, config: DataConfig, judge: Judge) -> NDArray[np.float64]:
    """The weight of each row; a row that weighs 0 is dropped."""
    weights = np.ones(n_rows)
    if config.event_weights and kinds is not None:
        weight_of = {kind.strip().casefold(): float(weight) for kind, weight in config.event_weights.items()}
        names = kinds.names.to_pylist()
        weights = np.array([*(weight_of.get(kind.strip().casefold(), 1.0) for kind in names), 1.0])[kinds.codes]
        judge.drop("event_type_of_weight_0", weights == 0)
    if values is None:
        return weights
    if config.min_event_value is not None:
        judge.drop("below_min_event_value", ~(values >= config.min_event_value))  # a missing value is low, too
    if config.weighting in ("value", "log_value"):
        judge.drop("event_value_missing_or_0", (np.nan_to_num(values) == 0))
        weights = weights * np.nan_to_num(values)
    return weights


def _hashes(
    users: Codes, items: Codes, seconds: NDArray[np.int64], kinds: Codes | None, values: NDArray[np.float64] | None, seed: int
) -> Hashes:
    parts = [users.hashes(seed), items.hashes(seed), seconds.view(np.uint64)]
    if kinds is not None:
        parts.append(kinds.hashes(seed))
    if values is not None:
        parts.append(np.nan_to_num(values).view(np.uint64))
    return mixed(*parts)


def renamed(codes: Codes, aliases: Mapping[str, str]) -> Codes:
    """The column with these names replaced."""
    if not aliases:
        return codes
    names = pa.array([aliases.get(name, name) for name in codes.names.to_pylist()], pa.large_string())
    encoded = pc.dictionary_encode(names)
    place = np.append(encoded.indices.to_numpy(), -1).astype(np.int32)
    return Codes(encoded.dictionary, place[codes.codes])
