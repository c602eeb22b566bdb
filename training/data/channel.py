"""Reads a channel: finds its files, sees what they are, and has their pieces prepared by an engine, in order, a few at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from training.data.csv_blocks import CsvBlocks
from training.data.csv_file import csv_stream
from training.data.dataset import InputFile
from training.data.engine import Engine
from training.data.errors import UserDataError
from training.data.file_plan import FilePlan, Piece, inspect, pieces
from training.data.files import FORMAT_NAMES, DataFile, channel_files, naming_the_file, open_stream
from training.data.judge import Judge
from training.data.pipe_channel import PipeChannel
from training.data.problems import MAX_EXAMPLES, Example, Kind, Ledger, Problem, shown
from training.data.read_pipe import opened
from training.data.readers import read_piece
from training.data.row_chunk import Chunk
from training.data.schemas import Schema
from training.data.values import to_text

Result = TypeVar("Result")
BLOCK_BYTES = 1 << 21  # of a stream of CSV that is cut while it is decompressed
# A file that cannot be cut where it lies is one piece of work, or from this size (as it lies there) on a stream that is read here.
BLOCKS_FROM, STREAM_BYTES = 1 << 20, 1 << 28
# Of a file and its columns: its schema, and which column plays which role.
Choose = Callable[[Path, Sequence[str]], tuple[Schema, dict[str, str]]]
Cells = Mapping[str, pa.ChunkedArray]
# Of the columns of some rows, by role, with the number of each row: what becomes of it. Rows that it drops it tells the judge.
Prepare = Callable[[Cells, NDArray[np.int64], dict[str, str], Schema, Judge], Result]
ChannelPath = Path | PipeChannel


@dataclass(frozen=True)
class Work:
    """A piece of a file, and what its columns are."""

    piece: Piece
    roles: dict[str, str]
    schema: Schema
    policies: dict[str, str]


@dataclass
class Part(Generic[Result]):
    """What became of some rows of a piece of a file, misshapen ones counted in ``rows``. ``rows_before``: of the file, before the piece."""

    file: DataFile
    piece: int
    result: Result
    ledger: Ledger
    rows: int
    rows_before: int = 0


@dataclass
class Channel:
    """The files of one channel, and how often they were read so far."""

    name: str
    plans: list[FilePlan]
    pipes: list[PipeChannel]
    chosen: dict[str, tuple[Schema, dict[str, str]]] = field(default_factory=dict)
    files: list[InputFile] = field(default_factory=list)
    read_pipes: list[FilePlan] = field(default_factory=list)
    passes: int = 0

    @property
    def roles(self) -> set[str]:
        """The roles that a column of some file plays."""
        return {role for _, roles in self.chosen.values() for role in roles}

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(plan.size for plan in self.plans)


def look_at(
    name: str, paths: Mapping[str, ChannelPath], choose: Choose, engine: Engine, piece_bytes: int, sharded: bool, ledger: Ledger
) -> Channel:
    """Sees which files a channel has, on every host if they are spread over hosts, and chooses their columns.

    ``paths``: by the name that the user knows them by; ``interactions`` and ``train`` are one channel.

    Raises ``UserDataError`` for a file that cannot be read, or lacks a column.
    """
    folders = [(given, path) for given, path in paths.items() if isinstance(path, Path)]
    find = partial(channel_files, name, folders)
    found = engine.on_each_host(find) if sharded else {"": find()}
    files = [replace(file, host=host if sharded else "") for host, (some, _) in found.items() for file in some]
    files.sort(key=lambda file: (file.name, file.host))
    plans = list(engine.map(partial(inspect, piece_bytes=piece_bytes), files, _host_of_file))
    ledger.counts[f"{name}.files_ignored"] += sum(ignored for _, ignored in found.values())
    ledger.counts[f"{name}.files_read"] += len(plans)
    channel = Channel(name, [plan for plan in plans if plan.columns], [path for path in paths.values() if isinstance(path, PipeChannel)])
    for plan in channel.plans:
        channel.chosen[plan.file.name] = choose(plan.file.path, plan.columns)
    return channel


def read(channel: Channel, prepare: Prepare[Result], choose: Choose, engine: Engine, ledger: Ledger) -> Iterator[Part[Result]]:
    """Yields what ``prepare`` makes of the channel's rows, in the order of files and rows. Adds what was found to the ledger."""
    channel.read_pipes = []
    rows_of: dict[str, int] = {}
    begun: dict[tuple[str, int], int] = {}
    for part in _parts(channel, prepare, choose, engine, ledger):
        name = part.file.name
        part.rows_before = begun.setdefault((name, part.piece), rows_of.get(name, 0))
        rows_of[name] = rows_of.get(name, 0) + part.rows
        ledger.merge(part.ledger, part.rows_before)
        ledger.counts[f"{channel.name}.rows_read"] += part.rows
        yield part
    channel.passes += 1
    for plan in channel.plans:
        if not plan.file.host and plan.file.path.stat().st_size != plan.size:
            raise UserDataError(f"{plan.file.path}: the file changed while it was read; start again once it is complete")
    channel.files = [_input_file(channel, plan, rows_of.get(plan.file.name, 0)) for plan in (*channel.plans, *channel.read_pipes)]


def _parts(channel: Channel, prepare: Prepare[Result], choose: Choose, engine: Engine, ledger: Ledger) -> Iterator[Part[Result]]:
    reading = _Reading(channel, prepare, engine, ledger.policies)
    waiting: list[Piece] = []
    for plan in channel.plans:
        if not reading.streams(plan):
            waiting += pieces(plan)
            continue
        yield from reading.pieces(waiting)
        waiting = []
        yield from reading.stream(plan)
    yield from reading.pieces(waiting)
    for pipe in channel.pipes:
        with opened(channel.name, pipe.epoch(channel.passes)) as file:
            if not file.columns:
                continue
            channel.chosen[file.plan.file.name] = choose(pipe.path, file.columns)
            work = reading.work(Piece(file.plan, 0))
            yield from reading.chunks(file.chunks(wanted_columns(work.roles)), work)
            channel.read_pipes.append(file.plan)


@dataclass(frozen=True)
class _Reading(Generic[Result]):
    """How the files of a channel are read: cut into pieces that the engine prepares side by side, as far as they can be cut."""

    channel: Channel
    prepare: Prepare[Result]
    engine: Engine
    policies: dict[str, str]

    def work(self, piece: Piece) -> Work:
        schema, roles = self.channel.chosen[piece.plan.file.name]
        return Work(piece, roles, schema, self.policies)

    def pieces(self, some: Iterable[Piece]) -> Iterator[Part[Result]]:
        for parts in self.engine.map(partial(_prepare_all, prepare=self.prepare), map(self.work, some), _host_of_work):
            yield from parts

    def chunks(self, some: Iterable[Chunk], work: Work) -> Iterator[Part[Result]]:
        for chunk in some:
            yield _part(chunk, work, self.prepare)

    def streams(self, plan: FilePlan) -> bool:
        """Whether a file that cannot be cut where it lies is read here as a stream. Other hosts' processes read smaller files whole."""
        alone = self.engine.name == "pandas" and _is_csv(plan)
        return plan.whole and plan.kind != "parquet" and not plan.file.host and plan.size >= (BLOCKS_FROM if alone else STREAM_BYTES)

    def stream(self, plan: FilePlan) -> Iterator[Part[Result]]:
        """Reads a file from its start: CSV in blocks that the engine prepares side by side, as far as it can be cut; all else in chunks."""
        if not _is_csv(plan):
            work = self.work(Piece(plan, 0))
            yield from self.chunks(read_piece(work.piece, wanted_columns(work.roles)), work)
            return
        rows = 0
        with naming_the_file(plan.file.path, plan.kind), open_stream(plan.file.path) as stream:
            cut = CsvBlocks(stream, BLOCK_BYTES, plan.delimiter)
            for part in self.pieces(Piece(plan, number, content=content) for number, content in enumerate(cut)):
                rows += part.rows
                yield part
            if cut.rest is not None:
                work = self.work(Piece(plan, cut.blocks))
                some = csv_stream(plan.file.path, cut.rest, plan.csv_head, wanted_columns(work.roles), rows, has_header=not cut.blocks)
                yield from self.chunks(some, work)


def _is_csv(plan: FilePlan) -> bool:
    return plan.kind in ("csv", "tsv") and not plan.escaped


def _prepare_all(work: Work, prepare: Prepare[Result]) -> list[Part[Result]]:
    return list(prepared(work, prepare))


def prepared(work: Work, prepare: Prepare[Result]) -> Iterator[Part[Result]]:
    """Reads one piece, chunk by chunk, and prepares its rows."""
    for chunk in read_piece(work.piece, wanted_columns(work.roles)):
        yield _part(chunk, work, prepare)


def wanted_columns(roles: Mapping[str, str]) -> list[str]:
    """The columns to read for these roles, each once."""
    return list(dict.fromkeys(roles.values()))


def _part(chunk: Chunk, work: Work, prepare: Prepare[Result]) -> Part[Result]:
    file = work.piece.plan.file
    ledger = Ledger(work.policies)
    judge = Judge(file.channel, file.name, chunk.rows, ledger)
    if chunk.misshapen:
        examples = [Example(file.name, row, shown(text)) for row, text in chunk.misshapen[:MAX_EXAMPLES]]
        ledger.problems[Kind(file.channel, "misshapen_row", "")] = Problem(len(chunk.misshapen), examples)
        ledger.counts[f"{file.channel}.dropped_misshapen_row"] += len(chunk.misshapen)
    places = {name: place for place, name in enumerate(wanted_columns(work.roles))}
    cells = {role: readable(chunk.table.column(places[name]), name, file.path) for role, name in work.roles.items()}
    try:
        result = prepare(cells, chunk.rows, work.roles, work.schema, judge)
    except pa.ArrowException as error:
        detail = " ".join(str(error).split())[:200]
        types = ", ".join(f'"{name}" ({chunk.table.column(place).type})' for name, place in places.items())
        raise UserDataError(f"{file.path}: a value cannot be read: {detail}; the columns are {types}") from error
    return Part(file, work.piece.number, result, ledger, len(chunk.rows) + len(chunk.misshapen))


def readable(column: pa.ChunkedArray, name: str, path: Path) -> pa.ChunkedArray:
    """The column, as text if it holds bytes or UUIDs, lists of any kind as lists. Raises `UserDataError` if it holds records, or bytes that
    are no text."""
    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):
        if kind.extension_name == "arrow.uuid":
            return pa.chunked_array([pa.array([None if one is None else str(one) for one in column.to_pylist()], pa.large_string())])
        kind = kind.storage_type
        column = column.cast(kind)
    if pa.types.is_fixed_size_list(kind) or pa.types.is_list_view(kind) or pa.types.is_large_list_view(kind):
        column = column.cast(pa.list_(kind.value_type))
        kind = column.type
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        kind = kind.value_type
    if pa.types.is_nested(kind):
        raise UserDataError(f'{path}: the column "{name}" holds records or nested lists ({column.type}), where single values are needed')
    try:
        return to_text(column) if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) else column
    except pa.ArrowException as error:
        raise UserDataError(f'{path}: the column "{name}" ({column.type}) cannot be read as text: {error}') from error


def _host_of_file(file: DataFile) -> str | None:
    return file.host or None


def _host_of_work(work: Work) -> str | None:
    return work.piece.plan.file.host or None


def _input_file(channel: Channel, plan: FilePlan, rows: int) -> InputFile:
    schema, roles = channel.chosen[plan.file.name]
    kind = FORMAT_NAMES[plan.kind]
    return InputFile(channel.name, plan.file.name, kind, plan.size, plan.sha256, rows, plan.columns, roles, schema.name)
