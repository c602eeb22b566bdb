"""What is in a file, found in one sequential pass: its format and columns, its size and sha256, and where it can be cut into pieces."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet

from training.data.csv_cuts import CutFinder
from training.data.csv_escapes import EscapeFinder
from training.data.csv_file import UTF_16, CsvHead, csv_head
from training.data.errors import UserDataError
from training.data.files import DataFile, detect_format, is_compressed, naming_the_file, open_stream, read_head
from training.data.json_lines import is_array, json_columns
from training.data.schemas import is_personalize

BLOCK_BYTES = 1 << 23


@dataclass(frozen=True)
class FilePlan:
    """``kind``: csv, tsv, json (lines), array (of JSON), parquet. ``cuts``: bytes, or row groups of Parquet, at which a piece begins.

    ``sha256`` and ``size`` are of the file as it lies there. ``escaped``: a CSV whose quotes have a backslash before them.
    """

    file: DataFile
    kind: str
    columns: tuple[str, ...]
    delimiter: str
    size: int
    sha256: str
    cuts: tuple[int, ...] = ()
    escaped: bool = False

    @property
    def csv_head(self) -> CsvHead:
        """Of a file of CSV: how it is written."""
        return CsvHead(self.columns, self.delimiter, self.escaped)

    @property
    def whole(self) -> bool:
        """Whether the file has to be read as one stream, because it is compressed or cannot be cut."""
        return not self.cuts


@dataclass(frozen=True)
class Piece:
    """A part of a file: bytes, or row groups of Parquet, from ``start`` up to ``stop`` (-1: to the end).

    ``content``: the rows themselves, where a stream of CSV was cut.
    """

    plan: FilePlan
    number: int
    start: int = 0
    stop: int = -1
    content: bytes | None = None


def inspect(file: DataFile, piece_bytes: int) -> FilePlan:
    """Reads the file once and says what it is. Raises ``UserDataError`` that names the file if it cannot be read."""
    with naming_the_file(file.path, None):
        kind = detect_format(file.path)
    with naming_the_file(file.path, kind):
        if kind == "parquet":
            return _parquet(file, piece_bytes)
        if kind == "json":
            return _json(file, piece_bytes)
        return _csv(file, kind, piece_bytes)


def pieces(plan: FilePlan) -> Iterator[Piece]:
    """The pieces of a file, in order."""
    starts = (0, *plan.cuts)
    for number, (start, stop) in enumerate(zip(starts, (*plan.cuts, -1), strict=True)):
        yield Piece(plan, number, start, stop)


def _csv(file: DataFile, kind: str, piece_bytes: int) -> FilePlan:
    head = csv_head(file.path, kind)
    compressed = is_compressed(file.path)
    cuts = None if compressed else CutFinder(piece_bytes, head.delimiter)
    escapes = EscapeFinder() if is_personalize(head.columns) else None
    sha256, size = _pass(file.path, [finder for finder in (cuts, None if compressed else escapes) if finder is not None])
    if compressed and escapes is not None:
        with open_stream(file.path) as stream:
            while block := stream.read(BLOCK_BYTES):
                escapes.feed(block)
    escaped = escapes is not None and escapes.escaped
    found = cuts.finish() if cuts is not None and not escaped else ()
    return FilePlan(file, kind, head.columns, head.delimiter, size, sha256, found, escaped)


def _pass(path: Path, finders: Sequence[CutFinder | EscapeFinder]) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as stream:
        while block := stream.read(BLOCK_BYTES):
            digest.update(block)
            size += len(block)
            for finder in finders:
                finder.feed(block)
    return digest.hexdigest(), size


def _json(file: DataFile, piece_bytes: int) -> FilePlan:
    head = read_head(file.path)
    if head.startswith(UTF_16):
        raise UserDataError(f"{file.path}: the file is UTF-16; save it as UTF-8")
    array = is_array(head)
    finder = None if array or is_compressed(file.path) else CutFinder(piece_bytes, None)
    sha256, size = _pass(file.path, [finder] if finder is not None else [])
    columns = json_columns(file.path, array)
    return FilePlan(file, "array" if array else "json", columns, "", size, sha256, finder.finish() if finder else ())


def _parquet(file: DataFile, piece_bytes: int) -> FilePlan:
    sha256, size = _pass(file.path, [])
    with pa.parquet.ParquetFile(file.path) as parquet:
        metadata = parquet.metadata
        cuts, taken = [], 0
        for group in range(metadata.num_row_groups):
            if taken >= piece_bytes:
                cuts.append(group)
                taken = 0
            taken += metadata.row_group(group).total_byte_size
        columns = tuple(parquet.schema_arrow.names)
    return FilePlan(file, "parquet", columns, "", size, sha256, tuple(cuts))
