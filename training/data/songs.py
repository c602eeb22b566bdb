"""Reads the channel of songs: which column is what, and its values in one form whatever file they come from."""

import functools
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from training.data.channel import Columns, read_channel
from training.data.columns import SONG_ROLES, UNIT_FEATURES, find_column, missing_column, named_column, plain
from training.data.config import DataConfig
from training.data.ids import normal
from training.data.json_lines import LIST_SEPARATOR
from training.data.values import TEXT, clock_or_number, encode, to_number, year

# What a value may be; anything else becomes missing. A tempo of 0 is how the catalogues write "not found".
RANGES = {
    **dict.fromkeys(UNIT_FEATURES, (0.0, 1.0)),
    "popularity": (0.0, 100.0),
    "loudness": (-80.0, 20.0),
    "tempo": (1.0, 400.0),
    "duration": (0.1, 86400.0),
    "year": (1800.0, 2099.0),
}
PARSERS = {"duration": clock_or_number, "year": year}
PYTHON_LIST = re.compile(r"\[\s*['\"].*['\"]\s*\]", re.DOTALL)
QUOTED = re.compile(r"'([^']*)'|\"([^\"]*)\"")


def read_songs(paths: Sequence[Path], config: DataConfig, strict: bool, counts: Counter[str]) -> Columns | None:
    """The rows of the channel `items`, or None if it has no rows.

    `item`, `title` and `artist_text` are text; `artist` and `genre` names joined by `LIST_SEPARATOR`; `year`, `popularity` and the
    audio features float64 in the units of `Catalogue`, NaN where missing, unreadable or out of range. `strict`: the song's id column
    that the user named must be there. Raises `UserDataError`.
    """
    choose = functools.partial(choose_columns, config=config, strict=strict)
    prepare = functools.partial(_prepare, config=config, counts=counts)
    columns = read_channel("items", paths, choose, counts, prepare)
    return columns if columns and len(columns["item"]) else None


def choose_columns(path: Path, columns: Sequence[str], config: DataConfig, strict: bool) -> dict[str, str]:
    """Which column plays which role in a file of songs: as named by the user, or else as detected."""
    chosen: dict[str, str] = {}
    for role, names in SONG_ROLES.items():
        named: str = getattr(config, f"{role}_column", "")
        column = named_column(columns, named) if named else None
        if named and column is None and (strict or role != "item"):
            raise missing_column(path, columns, "", named, names, f"data_{role}_column")
        column = column or find_column(columns, names)
        if column:
            chosen[role] = column
    if "item" not in chosen and not {"artist", "title"} <= chosen.keys():
        raise missing_column(path, columns, "the song", config.item_column, SONG_ROLES["item"], "data_item_column")
    return chosen


def _prepare(roles: Mapping[str, str], part: Columns, config: DataConfig, counts: Counter[str]) -> Columns:
    artist_separators = config.artist_separators or (",;|" if plain(roles.get("artist", "")) == "artist_s" else ";|")
    prepared: Columns = {role: part[role] for role in ("item", "title") if role in part}
    if "artist" in part:
        prepared["artist"] = _names(part["artist"], artist_separators, normal, LIST_SEPARATOR)
        prepared["artist_text"] = _names(part["artist"], artist_separators, as_written, ", ")
    if "genre" in part:
        prepared["genre"] = _names(part["genre"], config.genre_separators, normal, LIST_SEPARATOR)
    numbers = {role: to_number(part[role], PARSERS.get(role)) for role in RANGES if role in part}
    for role, (_, unparsed) in numbers.items():
        counts[f"items.{role}_unparsed"] += unparsed
    values = _in_units({role: values for role, (values, _) in numbers.items()}, roles)
    for role, column in values.items():
        low, high = RANGES[role]
        outside = (column < low) | (column > high)
        counts[f"items.{role}_out_of_range"] += int(outside.sum())
        prepared[role] = pa.chunked_array([np.where(outside, np.nan, column)])
    return prepared


def as_written(name: str) -> str:
    """The name as people read it: only its white space is tidied."""
    return " ".join(name.split())


def _names(column: pa.ChunkedArray, separators: str, form: Callable[[str], str], joint: str) -> pa.ChunkedArray:
    """The names in each text, in this form, joined; null where there is none."""
    texts, codes = encode(column)
    joined = [joint.join(split_names(text, separators, form)) or None for text in texts]
    return pa.chunked_array([pa.array([*joined, None], TEXT).take(pa.array(codes % (len(joined) + 1)))])


def split_names(text: str, separators: str, form: Callable[[str], str] = normal) -> list[str]:
    """The names in a text, in its order, each once: "Pop; rock;pop" gives pop, rock. Also "['pop', 'rock']", as Python prints a list."""
    if PYTHON_LIST.fullmatch(text.strip()):
        names = [first or second for first, second in QUOTED.findall(text)]
    else:
        names = re.split(f"[{re.escape(separators + LIST_SEPARATOR)}]", text)
    return list(dict.fromkeys(filter(None, map(form, names))))


def _in_units(numbers: dict[str, NDArray[np.float64]], roles: Mapping[str, str]) -> dict[str, NDArray[np.float64]]:
    """Seconds for durations and 0-1 for the features that some catalogues give in whole per cent."""
    percent = plain(roles.get("valence", "")) == "positiveness" or _looks_like_percent(numbers)
    scaled = {role: values / 100 if percent and role in UNIT_FEATURES else values for role, values in numbers.items()}
    if "duration" in scaled:
        longest = np.nanmedian(scaled["duration"]) if np.isfinite(scaled["duration"]).any() else 0.0
        # A column that does not say its unit: no catalogue's median song lasts an hour and a half.
        if plain(roles["duration"]).endswith("_ms") or longest > 5000:
            scaled["duration"] = scaled["duration"] / 1000
    return scaled


def _looks_like_percent(numbers: dict[str, NDArray[np.float64]]) -> bool:
    """Whether most of the values that should be 0-1 are above 1; a few are mistakes, so many are per cent."""
    values = [numbers[role] for role in UNIT_FEATURES if role in numbers]
    above = sum(int((column > 1).sum()) for column in values)
    return above > sum(int(np.isfinite(column).sum()) for column in values) / 2
