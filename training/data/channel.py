"""Reads all files of a channel into one set of columns, named by their role."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from training.data.errors import UserDataError
from training.data.files import data_files
from training.data.ids import song_key
from training.data.json_lines import LIST_SEPARATOR
from training.data.readers import open_table
from training.data.values import TEXT, encode, to_text

TEXT_ROLES = ("user", "item", "event_type", "title", "artist", "genre")
Columns = dict[str, pa.ChunkedArray]
# Given a file and its columns, says which of them plays which role; raises `UserDataError` if one is missing that has to be there.
Choose = Callable[[Path, Sequence[str]], Mapping[str, str]]
# Given the roles of a file's columns and these columns, brings them into one form for all files.
Prepare = Callable[[Mapping[str, str], Columns], Columns]


def read_channel(name: str, paths: Sequence[Path], choose: Choose, counts: Counter[str], prepare: Prepare | None = None) -> Columns | None:
    """All rows of a channel as {role: column}, or None if it has no files. The columns of `TEXT_ROLES` are text.

    A file that lacks an optional column has missing values in it. A file without an `item` column, but with artist and title, gets
    its song ids from them (`song_key`). Counts files, rows, and rows that do not have the shape of a row.
    """
    parts: list[Columns] = []
    for path in paths:
        files, ignored = data_files(path)
        counts[f"{name}.files_ignored"] += ignored
        for file in files:
            table_file = open_table(file)
            counts[f"{name}.files_read"] += 1
            if not table_file.columns:
                continue
            roles = choose(file, table_file.columns)
            table, misshapen = table_file.read(list(dict.fromkeys(roles.values())))
            part = {role: _readable(table.column(table.column_names.index(column)), role, column, file) for role, column in roles.items()}
            if "item" not in part and {"artist", "title"} <= part.keys():
                part["item"] = song_keys(part["artist"], part["title"])
                counts[f"{name}.ids_made_from_artist_and_title"] += table.num_rows
            counts[f"{name}.rows_read"] += table.num_rows + misshapen
            counts[f"{name}.dropped_misshapen_row"] += misshapen
            parts.append(prepare(roles, part) if prepare else part)
    return _concatenate(parts) if parts else None


def _readable(column: pa.ChunkedArray, role: str, name: str, file: Path) -> pa.ChunkedArray:
    """The column, as text if its role is one of text. Raises `UserDataError` if it holds records, or bytes that are no text."""
    kind = column.type.value_type if pa.types.is_list(column.type) or pa.types.is_large_list(column.type) else column.type
    if pa.types.is_nested(kind):
        raise UserDataError(f'{file}: the column "{name}" holds records or nested lists ({column.type}), where single values are needed')
    try:
        return to_text(column) if role in TEXT_ROLES or pa.types.is_binary(kind) else column
    except pa.ArrowException as error:
        raise UserDataError(f'{file}: the column "{name}" ({column.type}) cannot be read as text: {error}') from error


def song_keys(artists: pa.ChunkedArray, titles: pa.ChunkedArray) -> pa.ChunkedArray:
    """The text id of each row, null where artist or title is missing. Each distinct pair is worked on once."""
    artist_texts, artist_codes = encode(artists)
    title_texts, title_codes = encode(titles)
    pairs = np.where((artist_codes < 0) | (title_codes < 0), -1, artist_codes * len(title_texts) + title_codes)
    distinct, places = np.unique(pairs, return_inverse=True)
    keys = [_pair_key(pair, artist_texts, title_texts) for pair in distinct.tolist()]
    return pa.chunked_array([pa.array(keys, TEXT).take(pa.array(places))])


def _pair_key(pair: int, artists: list[str], titles: list[str]) -> str | None:
    if pair < 0:
        return None
    artist, title = divmod(pair, len(titles))
    return song_key(artists[artist].replace(LIST_SEPARATOR, ","), titles[title]) or None


def _concatenate(parts: list[Columns]) -> Columns:
    lengths = [len(next(iter(part.values()))) for part in parts]
    return {
        role: _chain([part.get(role, pa.nulls(length)) for part, length in zip(parts, lengths, strict=True)])
        for role in dict.fromkeys(role for part in parts for role in part)
    }


def _chain(arrays: list[pa.ChunkedArray]) -> pa.ChunkedArray:
    """One column of several; as text if their types differ (an id that is a number in one file and text in another)."""
    kinds = {array.type for array in arrays if array.type != pa.null()}
    if len(kinds) != 1 or pa.types.is_dictionary(next(iter(kinds))):
        arrays, kinds = [to_text(_chunked(array)) for array in arrays], {TEXT}
    kind = kinds.pop()
    return pa.chunked_array([chunk for array in arrays for chunk in _chunked(array).cast(kind).chunks], kind)


def _chunked(array: pa.Array | pa.ChunkedArray) -> pa.ChunkedArray:
    return array if isinstance(array, pa.ChunkedArray) else pa.chunked_array([array])
