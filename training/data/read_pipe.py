"""Reads a channel in Pipe mode: a stream that comes once, in order, whose files follow each other without a border."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from training.data.csv_file import csv_stream, head_of
from training.data.errors import UserDataError
from training.data.file_plan import FilePlan
from training.data.files import GZIP_MAGIC, HEAD_BYTES, DataFile, Readable, format_of_head, naming_the_file
from training.data.json_lines import is_array, json_stream, records
from training.data.pipe_channel import PipeChannel, open_pipe
from training.data.row_chunk import Chunk

MAX_COLUMNS_LOOKED_AT = 1 << 22  # bytes of JSON Lines in which every column has to occur


@contextmanager
def opened(channel: str, pipe: PipeChannel) -> Iterator[PipeFile]:
    """Opens the pipe of a channel, and closes it whatever happens."""
    with open_pipe(pipe) as stream:
        yield PipeFile(channel, pipe.path, stream)


class PipeFile:
    """One pipe, opened: its format and columns from its first bytes. ``plan`` is complete once ``chunks`` has been read to its end."""

    def __init__(self, channel: str, path: Path, stream: BinaryIO) -> None:
        self.path = path
        self._file = DataFile(channel, path, f"{channel}/pipe")
        self._source = _Hashed(stream)
        self._stream = _Ahead(self._source)
        with naming_the_file(self._file.path, None):
            if self._stream.peek(2) == GZIP_MAGIC:
                self._stream = _Ahead(pa.CompressedInputStream(pa.PythonFile(self._stream, mode="r"), "gzip"))
            self._head = self._stream.peek(HEAD_BYTES)
        self.kind = format_of_head(self._head)
        if self.kind == "parquet":
            raise UserDataError(f"{self.path}: Parquet cannot be read from a pipe; set TrainingInputMode to File or FastFile")
        self._csv = head_of(self._head, self._file.path, "csv") if self.kind == "csv" else None
        self.columns = self._csv.columns if self._csv else self._json_columns()

    @property
    def plan(self) -> FilePlan:
        """What was read so far, as of any file."""
        delimiter = self._csv.delimiter if self._csv else ""
        return FilePlan(self._file, self.kind, self.columns, delimiter, self._source.size, self._source.digest.hexdigest())

    def chunks(self, columns: list[str]) -> Iterator[Chunk]:
        """The rows. A header that comes again, where the next file of the channel begins, is no row."""
        with naming_the_file(self._file.path, self.kind):
            if self._csv is None:
                yield from json_stream(self._file.path, self._stream, is_array(self._head), columns)
                return
            for chunk in csv_stream(self._file.path, self._stream, self._csv, columns):
                yield _without_headers(chunk)

    def _json_columns(self) -> tuple[str, ...]:
        names: dict[str, None] = {}
        head = self._stream.peek(MAX_COLUMNS_LOOKED_AT)
        lines = head.split(b"\n")
        whole = b"\n".join(lines[:-1]) if len(lines) > 1 and len(head) >= MAX_COLUMNS_LOOKED_AT else head
        for chunk in _objects(whole):
            names.update(dict.fromkeys(chunk))
        return tuple(names)


def _objects(content: bytes) -> Iterator[dict[str, object]]:
    """The objects in the first bytes of a stream; what is cut off at their end, or wrong, shows when it is read."""
    with contextlib.suppress(UserDataError, UnicodeDecodeError):
        for record in records(Path("pipe"), pa.BufferReader(content), is_array(content)):
            if isinstance(record, dict):
                yield record


def _without_headers(chunk: Chunk) -> Chunk:
    table = chunk.table
    same = None
    for name in table.column_names:
        equal = pc.equal(table.column(name), name)
        same = equal if same is None else pc.and_(same, equal)
    if same is None or not pc.any(same).as_py():
        return chunk
    keep = pc.invert(same)
    return Chunk(table.filter(keep), chunk.rows[keep.to_numpy()], chunk.misshapen)


class _Ahead:
    """A stream whose next bytes can be looked at before they are read."""

    closed = False

    def __init__(self, stream: Readable) -> None:
        self._stream, self._ahead = stream, b""

    def peek(self, size: int) -> bytes:
        while len(self._ahead) < size and (block := self._stream.read(size - len(self._ahead))):
            self._ahead += block
        return self._ahead[:size]

    def read(self, size: int = -1) -> bytes:
        if not self._ahead:
            return bytes(self._stream.read(size))
        taken = self._ahead if size < 0 else self._ahead[:size]
        self._ahead = self._ahead[len(taken) :]
        return taken if size >= 0 else taken + self._stream.read()


class _Hashed:
    """A stream that knows the size and sha256 of what was read from it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self.size, self.digest = stream, 0, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        block = self._stream.read(size)
        self.size += len(block)
        self.digest.update(block)
        return block
