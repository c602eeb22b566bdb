"""Reads CSV and TSV: as text throughout, so that no value is mistaken for a number or for a missing one."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.csv

from training.data.csv_quotes import QuoteWatch
from training.data.errors import UserDataError
from training.data.files import HEAD_BYTES, Readable, read_head
from training.data.problems import shown
from training.data.row_chunk import Chunk, numbered

DELIMITERS = ",\t;|"
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
LINE_END = re.compile(r"\r\n|\n|\r")
QUOTED = re.compile(r'"[^"]*"')
BLOCK_BYTES = 1 << 25  # of a stream; a row, lyrics and all, has to fit into one block


class CsvHead(NamedTuple):
    """``escaped``: quotes inside a quoted value have a backslash before them, instead of being doubled."""

    columns: tuple[str, ...]
    delimiter: str
    escaped: bool = False


def csv_head(path: Path, kind: str) -> CsvHead:
    """The columns and the delimiter of a file. Raises ``UserDataError`` if it is not text in UTF-8."""
    return head_of(read_head(path), path, kind)


def head_of(head: bytes, path: Path, kind: str) -> CsvHead:
    """The same, of a file's first bytes."""
    if head.startswith(UTF_16):
        raise UserDataError(f"{path}: the file is UTF-16; save it as UTF-8")
    text = head.decode("utf-8-sig", errors="replace").lstrip("\r\n")  # Arrow passes over empty lines, too
    first_line = LINE_END.split(text, maxsplit=1)[0]
    if "\0" in first_line:
        raise UserDataError(f"{path}: is not text; the files of a channel have to be CSV, TSV, Parquet or JSON Lines")
    # The delimiter is the one that the header has most of; a comma if it has none.
    if len(first_line) == len(text) and len(head) >= HEAD_BYTES:
        raise UserDataError(f"{path}: its first line, which should name the columns, is longer than {HEAD_BYTES >> 10} KB")
    unquoted = QUOTED.sub("", first_line)
    delimiter = "\t" if kind == "tsv" and "\t" in unquoted else max(DELIMITERS, key=unquoted.count)
    return CsvHead(tuple(next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])), delimiter)


def csv_part(path: Path, head: CsvHead, columns: Sequence[str], start: int, stop: int) -> Iterator[Chunk]:
    """The rows between two positions of a file at which rows begin, as one chunk. The header is the first row of the part at 0."""
    with path.open("rb") as file:
        file.seek(start)
        content = file.read(stop - start if stop >= 0 else -1)
    yield csv_rows(content, head, columns, has_header=start == 0)


def csv_rows(content: bytes, head: CsvHead, columns: Sequence[str], *, has_header: bool) -> Chunk:
    """The rows that stand in ``content``, whole ones.

    All of them are one block, so that Arrow need not look for a place to cut: it would read everything twice. But it cuts off what
    follows the last newline, so the last row has to have one, lest that be a newline inside its quotes.
    """
    options = _Options(head, columns, has_header=has_header)
    whole = content if content.endswith(b"\n") else content + b"\n"
    table = pa.csv.read_csv(pa.BufferReader(whole), *options.for_arrow(len(whole) + 1, newlines_in_values=False))
    return numbered(table, 0, options.misshapen)


def csv_stream(
    path: Path, stream: Readable, head: CsvHead, columns: Sequence[str], rows_before: int = 0, *, has_header: bool = True
) -> Iterator[Chunk]:
    """The rows of a stream that can be read once, in chunks. Raises ``UserDataError`` if a quote is never closed, or seems to be.

    ``rows_before``: how many rows of the file come before the stream, for the message.
    """
    options = _Options(head, columns, has_header=has_header)
    watch = QuoteWatch(stream, head.delimiter)
    before = 0
    with pa.csv.open_csv(pa.PythonFile(watch, mode="r"), *options.for_arrow(BLOCK_BYTES)) as reader:
        for batch in reader:
            chunk = numbered(pa.Table.from_batches([batch]), before, options.take(before, batch.num_rows))
            before += len(chunk.rows) + len(chunk.misshapen)
            yield chunk
    if options.misshapen:
        yield numbered(pa.table({name: pa.array([], pa.string()) for name in columns}), before, options.misshapen)
        before += len(options.misshapen)
    if head.escaped:
        return
    if watch.stray:
        text = shown(watch.stray.decode("utf-8", errors="replace"))
        raise UserDataError(
            f"{path}: a quoted value is followed by other text, {text}, so that it can't be told where its row ends; double the quotes "
            "inside of values, or remove them"
        )
    if watch.open:
        raise UserDataError(
            f"{path}, row {rows_before + before}: a quoted value is opened and never closed, so that it swallows the rows after it; close "
            "or remove the quote"
        )


class _Options:
    """What Arrow is told, and the rows that it left out."""

    def __init__(self, head: CsvHead, columns: Sequence[str], *, has_header: bool) -> None:
        self.head, self.columns, self.has_header = head, list(columns), has_header
        self.misshapen: list[tuple[int, str]] = []

    def for_arrow(self, block_bytes: int, *, newlines_in_values: bool = True) -> tuple[Any, Any, Any]:
        """The options of reading, parsing and converting. ``newlines_in_values``: whether a block may end within a value."""
        names = None if self.has_header else list(self.head.columns)
        types = {name: pa.string() for name in self.columns}
        return (
            # Threads would lose the numbers of misshapen rows; pieces are read side by side instead.
            pa.csv.ReadOptions(block_size=block_bytes, column_names=names, use_threads=False),
            pa.csv.ParseOptions(
                delimiter=self.head.delimiter,
                newlines_in_values=newlines_in_values,
                escape_char="\\" if self.head.escaped else False,
                invalid_row_handler=self._leave_out,
            ),
            pa.csv.ConvertOptions(include_columns=self.columns, column_types=types, strings_can_be_null=False),
        )

    def take(self, before: int, rows: int) -> list[tuple[int, str]]:
        """Takes out of ``misshapen`` the rows left out among the ``rows`` after row ``before``: Arrow reads ahead of what it hands on."""
        taken = 0
        while taken < len(self.misshapen) and self.misshapen[taken][0] - before - 1 - taken < rows:
            taken += 1
        first, self.misshapen = self.misshapen[:taken], self.misshapen[taken:]
        return first

    def _leave_out(self, row: Any) -> str:
        self.misshapen.append((row.number - self.has_header, row.text))
        return "skip"
