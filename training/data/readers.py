"""Reads one piece of a file, whatever its format, in chunks: no more of a file than that is in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.parquet

from training.data.csv_file import csv_part, csv_rows, csv_stream
from training.data.file_plan import Piece
from training.data.files import naming_the_file, open_stream
from training.data.json_lines import json_part, json_stream
from training.data.row_chunk import Chunk, numbered

PARQUET_BYTES = 1 << 25  # of a batch, as they are encoded in the file; with all columns, also those that are not read
FEWEST_ROWS, MOST_ROWS = 1 << 12, 1 << 19  # of a batch; values that repeat are encoded in few bytes and read into many


def read_piece(piece: Piece, columns: Sequence[str]) -> Iterator[Chunk]:
    """Yields the rows of a piece with these columns, with Arrow's own types where the file has types and as text where it has none.

    Raises ``UserDataError`` that names the file if it is broken.
    """
    plan = piece.plan
    path = plan.file.path
    with naming_the_file(path, plan.kind):
        if plan.kind == "parquet":
            yield from _parquet(piece, columns)
        elif plan.kind == "array" or (plan.kind == "json" and plan.whole):
            with open_stream(path) as stream:
                yield from json_stream(path, stream, plan.kind == "array", columns)
        elif piece.content is not None:
            yield csv_rows(piece.content, plan.csv_head, columns, has_header=piece.number == 0)
        elif plan.kind == "json":
            yield from json_part(path, columns, piece.start, piece.stop)
        elif plan.whole:
            with open_stream(path) as stream:
                yield from csv_stream(path, stream, plan.csv_head, columns)
        else:
            yield from csv_part(path, plan.csv_head, columns, piece.start, piece.stop)


def _parquet(piece: Piece, columns: Sequence[str]) -> Iterator[Chunk]:
    # pyarrow's ParquetFile, not its read_table: that one would guess further columns from the names of the folders
    with pa.parquet.ParquetFile(piece.plan.file.path) as file:
        stop = piece.stop if piece.stop >= 0 else file.metadata.num_row_groups
        before = 0
        rows = _rows_of_a_batch(file.metadata, piece.start, stop)
        for batch in file.iter_batches(rows, row_groups=list(range(piece.start, stop)), columns=list(columns), use_threads=False):
            table = pa.Table.from_batches([batch]).select(list(columns))
            yield numbered(table, before, [])
            before += table.num_rows


def _rows_of_a_batch(metadata: pa.parquet.FileMetaData, start: int, stop: int) -> int:
    groups = [metadata.row_group(group) for group in range(start, stop)]
    rows, size = sum(group.num_rows for group in groups), sum(group.total_byte_size for group in groups)
    return min(max(PARQUET_BYTES * rows // max(size, 1), FEWEST_ROWS), MOST_ROWS)
