"""Opens one file of a channel, whatever its format: which columns it has, then the columns that are wanted, as an Arrow table."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from training.data.errors import UserDataError
from training.data.files import QuoteWatch, detect_format, naming_the_file, open_stream, read_head
from training.data.json_lines import JsonLinesFile

DELIMITERS = ",\t;|"
BLOCK_BYTES = 1 << 24  # a row, lyrics and all, has to fit into one block


class TableFile(Protocol):
    """One file: `columns` as written in it, and `read`.

    `read(columns)` returns these columns as an Arrow table, with Arrow's own type where the file has types and as text where it
    has none, and how many rows were left out because they do not have the shape of a row.
    """

    columns: list[str]

    def read(self, columns: Sequence[str]) -> tuple[pa.Table, int]: ...


def open_table(path: Path) -> TableFile:
    """Opens a CSV, TSV, Parquet or JSON Lines file. Raises `UserDataError` if it is broken."""
    with naming_the_file(path, None):
        kind = detect_format(path)
    with naming_the_file(path, kind):
        if kind == "parquet":
            return ParquetFile(path)
        if kind == "json":
            return JsonLinesFile(path)
        return CsvFile(path, kind)


class ParquetFile:
    """A Parquet file. Only the columns asked for are read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.columns: list[str] = list(pa.parquet.read_schema(path).names)

    def read(self, columns: Sequence[str]) -> tuple[pa.Table, int]:
        """The columns with the types of the file. A Parquet file has no misshapen rows."""
        # pyarrow's ParquetFile, not its read_table: that one would guess further columns from the names of the folders
        with naming_the_file(self.path, "parquet"), pa.parquet.ParquetFile(self.path) as file:
            return file.read(columns=list(columns)), 0


class CsvFile:
    """A CSV or TSV file with a header, read as text throughout: no value is mistaken for a number or for a missing one."""

    def __init__(self, path: Path, kind: str) -> None:
        self.path, self.kind = path, kind
        head = read_head(path)
        if head.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise UserDataError(f"{path}: the file is UTF-16; save it as UTF-8")
        text = head.decode("utf-8-sig", errors="replace")
        lines = text.splitlines() or [""]
        if "\0" in lines[0]:
            raise UserDataError(f"{path}: is not text; the files of a channel have to be CSV, TSV, Parquet or JSON Lines")
        # The delimiter is the one that the header has most of; a comma if it has none.
        self.delimiter = "\t" if kind == "tsv" and "\t" in lines[0] else max(DELIMITERS, key=lines[0].count)
        self.columns = next(csv.reader(io.StringIO(text, newline=""), delimiter=self.delimiter), [])

    def read(self, columns: Sequence[str]) -> tuple[pa.Table, int]:
        """The columns as text, "" for an empty value. Rows with too few or too many values are left out and counted."""
        misshapen: list[str] = []

        def leave_out(row: Any) -> str:
            misshapen.append(row.text)
            return "skip"

        types = {name: pa.string() for name in columns}
        with naming_the_file(self.path, self.kind), open_stream(self.path) as stream:
            table = pa.csv.read_csv(
                pa.PythonFile(watch := QuoteWatch(stream), mode="r"),
                read_options=pa.csv.ReadOptions(block_size=BLOCK_BYTES),
                parse_options=pa.csv.ParseOptions(delimiter=self.delimiter, newlines_in_values=True, invalid_row_handler=leave_out),
                convert_options=pa.csv.ConvertOptions(include_columns=list(columns), column_types=types, strings_can_be_null=False),
            )
        if watch.quotes % 2 and not self._ends_with(table, watch.tail):
            raise UserDataError(
                f"{self.path}: a quoted value is opened and never closed, so that it swallows the rows after row {table.num_rows}; "
                "close or remove the quote"
            )
        if misshapen and not table.num_rows:
            raise UserDataError(
                f"{self.path}: no row has the {len(self.columns)} values of the header; the first one reads {misshapen[0][:80]!r}"
            )
        return table, len(misshapen)

    def _ends_with(self, table: pa.Table, tail: bytes) -> bool:
        """Whether the last row of the table is the last line of the file. It is not if an open quote made more lines of it."""
        line = tail.rstrip().splitlines()[-1].decode("utf-8", errors="replace")
        values = dict(zip(self.columns, next(csv.reader([line], delimiter=self.delimiter)), strict=False))
        return bool(table.num_rows) and all(values.get(name) == table.column(name)[-1].as_py() for name in table.column_names)
