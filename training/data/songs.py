"""Reads the channel of songs into one table, a row per row of the files, its values in our units."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from inference.features.attributes import RANGES, UNIT_FEATURES
from training.data.channel import Channel, Part, read
from training.data.choose import song_columns
from training.data.columns import plain
from training.data.config import DataConfig, FeaturesConfig
from training.data.engine import Engine
from training.data.judge import Cells, Judge
from training.data.problems import Ledger
from training.data.schemas import NUMBERS, Schema
from training.data.song_values import separators_of, song_table

SONGS_LONGER_THAN = 5000.0  # no catalogue's median song lasts as many seconds; as milliseconds it is a signal


def read_songs(
    channel: Channel, config: DataConfig, features: FeaturesConfig, strict: bool, engine: Engine, ledger: Ledger
) -> Songs | None:
    """All rows of the channel that are kept, or None if it has no rows. Raises `UserDataError`."""
    prepare = functools.partial(song_table, config=config)

    def choose(path: Path, columns: Sequence[str]) -> tuple[Schema, dict[str, str]]:
        return song_columns(path, columns, config, features, strict)

    parts_of: dict[str, list[Part[pa.Table]]] = {}
    for part in read(channel, prepare, choose, engine, ledger):
        parts_of.setdefault(part.file.name, []).append(part)
    by_file = {
        name: pa.concat_tables([_absolute(part) for part in parts], promote_options="permissive") for name, parts in parts_of.items()
    }
    parts_of.clear()
    factors = _factors_of_files(by_file, channel)
    widths = _widths(by_file.values())
    tables: list[pa.Table] = []
    units: dict[str, float] = {}
    for name in list(by_file):
        table, roles = by_file.pop(name), channel.chosen[name][1]
        judge = Judge(channel.name, name, table.column("row").to_numpy(), ledger)
        table = _of_one_width(_in_units(table, roles, factors[name], judge), roles, widths, judge)
        table = table if judge.kept.all() else table.filter(pa.array(judge.kept))
        units |= factors[name]
        tables.append(table.append_column("file", pa.array(np.full(table.num_rows, len(tables), dtype=np.int32))))
    if not ledger.counts[f"{channel.name}.rows_read"]:
        return None
    separators = separators_of(*channel.chosen[next(iter(factors))], config)
    return Songs(pa.concat_tables(tables, promote_options="permissive"), list(factors), units, _all_roles(channel), separators)


class Songs:
    """``table``: see `song_table`, with ``file``, a place in ``files``. ``units``: by number what the numbers of the file were divided by.

    ``columns``: by role the column, as the first file that has it calls it. ``separators``: of the first file, see ``separators_of``.
    """

    def __init__(
        self, table: pa.Table, files: list[str], units: dict[str, float], columns: dict[str, str], separators: tuple[str, str]
    ) -> None:
        self.table, self.files, self.units, self.columns, self.separators = table, files, units, columns, separators

    def numbers(self, name: str) -> NDArray[np.float64]:
        """A column of numbers, NaN where missing."""
        column = self.table.column(name)
        return np.array(column.to_numpy(), dtype=np.float64)

    def codes(self, name: str) -> NDArray[np.int8]:
        """A column of small whole numbers, -1 where missing."""
        return np.array(self.table.column(name).fill_null(-1).to_numpy(), dtype=np.int8)

    def has(self, name: str) -> bool:
        """Whether some file has the column."""
        return name in self.table.column_names


def _absolute(part: Part[pa.Table]) -> pa.Table:
    """The table of a part with the rows numbered from the start of the file."""
    table = part.result
    if not part.rows_before:
        return table
    place = table.column_names.index("row")
    return table.set_column(place, "row", pa.array(table.column("row").to_numpy() + part.rows_before))


def _in_units(table: pa.Table, roles: dict[str, str], factors: dict[str, float], judge: Judge) -> pa.Table:
    """The table of a whole file with its numbers in our units: 0-1, seconds. What cannot be is missing, or drops the row."""
    for name in NUMBERS:
        if name not in table.column_names:
            continue
        values = _values(table, name) / factors.get(name, 1.0)
        low, high = RANGES[name]
        outside = (values < low) | (values > high)
        judge.found("out_of_range", roles[name], outside, np.round(values * factors.get(name, 1.0), 6))
        values[outside] = np.nan
        table = table.set_column(table.column_names.index(name), name, pa.array(values))
    return table


def _values(table: pa.Table, name: str) -> NDArray[np.float64]:
    return np.array(table.column(name).to_numpy(), dtype=np.float64)


def _widths(tables: Iterable[pa.Table]) -> dict[str, int]:
    """By embedding column the length that most of its vectors have, in all files; of several the largest."""
    counts: dict[str, Counter[int]] = {}
    for table in tables:
        for name in table.column_names:
            if name.startswith("embedding:"):
                lengths = pc.list_value_length(table.column(name)).drop_null()
                counts.setdefault(name, Counter()).update(lengths.to_pylist())
    return {name: max(found, key=lambda width: (found[width], width)) for name, found in counts.items() if found}


def _of_one_width(table: pa.Table, roles: dict[str, str], widths: dict[str, int], judge: Judge) -> pa.Table:
    """The table without the vectors of other lengths."""
    for name, width in widths.items():
        if name not in table.column_names:
            continue
        column = table.column(name)
        other = pc.fill_null(pc.not_equal(pc.list_value_length(column), width), False).to_numpy()
        judge.found("unreadable_value", roles[name], other, Cells(column))
        if other.any():
            column = pc.if_else(pa.array(other), pa.scalar(None, column.type), column)
            table = table.set_column(table.column_names.index(name), name, column)
    return table


def _factors_of_files(tables: Mapping[str, pa.Table], channel: Channel) -> dict[str, dict[str, float]]:
    """By file what its numbers have to be divided by: decided once for all files that call their columns alike."""
    alike: dict[tuple[str, ...], list[str]] = {}
    for file in tables:
        schema, roles = channel.chosen[file]
        alike.setdefault((schema.name, *(roles.get(name, "") for name in NUMBERS)), []).append(file)
    factors: dict[str, dict[str, float]] = {}
    for files in alike.values():
        schema, roles = channel.chosen[files[0]]
        names = [name for name in NUMBERS if name in tables[files[0]].column_names]
        numbers = {name: np.concatenate([_values(tables[file], name) for file in files]) for name in names}
        factors |= dict.fromkeys(files, _factors(numbers, roles, schema))
    return {file: factors[file] for file in tables}


def _factors(numbers: dict[str, NDArray[np.float64]], roles: dict[str, str], schema: Schema) -> dict[str, float]:
    """What the numbers of a file have to be divided by."""
    percent = schema.percent
    if percent is None:
        percent = plain(roles.get("valence", "")) == "positiveness" or _looks_like_percent(numbers)
    factors = dict.fromkeys((name for name in UNIT_FEATURES if name in numbers), 100.0) if percent else {}
    if "duration" in numbers:
        known = numbers["duration"][np.isfinite(numbers["duration"])]
        if plain(roles["duration"]).endswith("_ms") or (known > SONGS_LONGER_THAN).sum() * 2 > len(known):
            factors["duration"] = 1000.0
    return factors


def _looks_like_percent(numbers: dict[str, NDArray[np.float64]]) -> bool:
    """Whether most of the values that should be 0-1 are above 1; a few are mistakes, so many are per cent."""
    values = [numbers[role] for role in UNIT_FEATURES if role in numbers]
    above = sum(int((column > 1).sum()) for column in values)
    return above > sum(int(np.isfinite(column).sum()) for column in values) / 2


def _all_roles(channel: Channel) -> dict[str, str]:
    columns: dict[str, str] = {}
    for _, roles in channel.chosen.values():
        columns = {**roles, **columns}
    return columns
