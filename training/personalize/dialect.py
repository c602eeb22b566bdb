"""The CSV that Amazon Personalize reads: quotes and backslashes inside a quoted value have a backslash before them.

Its guide says so (page items-datasets), and that a record is one line and the header has no quotes (page data-prep-formatting).
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from training.data.csv_escapes import EscapeFinder
from training.data.errors import UserDataError

TEXT = pa.large_string()
COMMA, QUOTE, NEW_LINE, NOTHING = (pa.scalar(text, TEXT) for text in (",", '"', "\n", ""))
NEEDS_QUOTES = r'[",\\\r\n]|^\s|\s$'
SCANNED_BYTES = 1 << 24
BLOCK_BYTES = 1 << 22  # a row has to fit into one block


class CsvFile:
    """A CSV file under way: it has another name until it is whole, so that a conversion that fails leaves no half of a file."""

    def __init__(self, path: Path, names: list[str]) -> None:
        self.path, self.names, self.rows = path, names, 0
        self._half = path.with_name(path.name + ".part")

    def __enter__(self) -> Self:
        self._file = self._half.open("wb")
        self._file.write((",".join(self.names) + "\n").encode())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._file.close()
        if kind is None:
            self._half.replace(self.path)
        else:
            self._half.unlink(missing_ok=True)

    def write(self, columns: Mapping[str, pa.Array]) -> None:
        """Writes rows: an array per column, by name, all equally long; null is an empty value."""
        cells = [_cells(columns[name]) for name in self.names]
        lines = pc.binary_join_element_wise(pc.binary_join_element_wise(*cells, COMMA), NEW_LINE, NOTHING)
        self._file.write(_text_of(lines))
        self.rows += len(lines)


def _text_of(lines: pa.LargeStringArray) -> memoryview:
    """The texts of an array, one after the other, as they lie in memory."""
    ends = np.frombuffer(lines.buffers()[1], np.int64)
    return memoryview(lines.buffers()[2])[ends[lines.offset] : ends[lines.offset + len(lines)]] if len(lines) else memoryview(b"")


def _cells(values: pa.Array) -> pa.Array:
    """The values as they stand in the file."""
    if pa.types.is_floating(values.type):
        values = pc.if_else(pc.is_finite(values), values, pa.scalar(None, values.type))
    text = values.cast(TEXT)
    if pa.types.is_large_string(values.type) or pa.types.is_string(values.type):
        quoted = pc.fill_null(pc.match_substring_regex(text, NEEDS_QUOTES), False)
        if pc.any(quoted).as_py():
            escaped = pc.replace_substring_regex(text, r'(["\\])', r"\\\1")
            text = pc.if_else(quoted, pc.binary_join_element_wise(QUOTE, escaped, QUOTE, NOTHING), text)
    return pc.fill_null(text, NOTHING)


def header_of(path: Path) -> list[str]:
    """The names of the columns. Raises ``UserDataError`` if the file is not text in UTF-8 or has no header."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = next(csv.reader(file), [])
    except UnicodeDecodeError:
        raise UserDataError(f"{path}: is not text in UTF-8; Amazon Personalize's files are CSV in UTF-8") from None
    except (OSError, csv.Error) as error:
        raise UserDataError(f"{path}: can't be read as CSV: {error}") from None
    if not any(header):
        raise UserDataError(f"{path}: has no header; the first line has to name the columns")
    return header


def read_rows(path: Path) -> Iterator[pa.Table]:
    """The rows of a file in pieces, all columns as text, null where a value is empty. Raises ``UserDataError`` for a broken row."""
    names = header_of(path)

    misshapen: list[Any] = []

    def stop(row: Any) -> str:
        misshapen.append(row)
        return "error"

    parse = pa.csv.ParseOptions(
        newlines_in_values=True, double_quote=True, escape_char="\\" if has_escapes(path) else False, invalid_row_handler=stop
    )
    convert = pa.csv.ConvertOptions(column_types=dict.fromkeys(names, TEXT), strings_can_be_null=True, null_values=[""])
    try:
        options = pa.csv.ReadOptions(block_size=BLOCK_BYTES, use_threads=False)  # with threads a broken row would have no number
        with pa.csv.open_csv(path, options, parse, convert) as reader:
            for batch in reader:
                yield pa.Table.from_batches([batch])
    except (pa.ArrowInvalid, pa.ArrowKeyError) as error:
        for row in misshapen:
            counts = f"has {row.actual_columns} values, the header names {row.expected_columns} columns"
            raise UserDataError(f"{path}, row {row.number - 1}: {counts}") from None
        raise UserDataError(f"{path}: can't be read as CSV: {error}") from None


def has_escapes(path: Path) -> bool:
    """Whether a file has Amazon Personalize's backslashes. Raises ``UserDataError`` if a quote is opened and never closed, either way."""
    finder = EscapeFinder()
    with path.open("rb") as file:
        while block := file.read(SCANNED_BYTES):
            finder.feed(block)
    if finder.quotes % 2 and not finder.escaped:
        raise UserDataError(f"{path}: a quoted value is opened and never closed; close or remove the quote")
    return finder.escaped
