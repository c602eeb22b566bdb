"""The way back: from Amazon Personalize's CSV and schemas to channels that a training job reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from training.data.columns import SONG_ROLES, plain
from training.data.errors import UserDataError
from training.data.files import data_files, is_avro_schema
from training.personalize import limits
from training.personalize.avro import AvroSchema, Field, read_schema
from training.personalize.dialect import header_of, read_rows
from training.personalize.field_values import typed

KIND_OF_CHANNEL = {"interactions": "Interactions", "items": "Items", "users": "Users"}
LISTS = frozenset((*SONG_ROLES["artist"], *SONG_ROLES["genre"]))  # of these a song may have several


def to_channels(sources: Mapping[str, Path], output: Path) -> dict[str, int]:
    """Writes ``output/CHANNEL/CHANNEL.parquet`` for each channel, and returns how many rows each has.

    ``sources``: channel -> a CSV of Amazon Personalize's, or a folder with several; the three may be one folder, since a file is told
    by its columns. Its schema is the JSON file beside it whose "name" is the dataset's. Columns keep their names, which the
    readers of channels know. With a schema, every value is held against it and has its type, and categories of artists and genres
    are lists; without one, ids, times and event values have theirs, and the rest is text.
    Raises ``UserDataError`` with file, row and column of the first value that is not allowed.
    """
    return {channel: _convert(path, channel, output / channel) for channel, path in sources.items()}


def find_schema(path: Path, kind: str) -> AvroSchema | None:
    """The schema of a dataset in a folder, or beside a file; None if there is none. Raises ``UserDataError`` for one that is wrong."""
    folder = path if path.is_dir() else path.parent
    found = [file for file in sorted(folder.glob("*.json")) if is_avro_schema(file)]
    schemas = [(file, schema) for file in found if (schema := read_schema(file)).kind == kind]
    if len(schemas) > 1:
        names = ", ".join(file.name for file, _ in schemas)
        raise UserDataError(f"{folder}: has several schemas of {kind}: {names}; leave one of them there")
    return schemas[0][1] if schemas else None


def find_files(path: Path, kind: str) -> list[Path]:
    """The CSV files of a dataset. In a folder, those of the other datasets are left alone. Raises ``UserDataError`` if there is none."""
    files, _ = data_files(path)
    tables = [file for file in files if file.suffix.lower() == ".csv"]
    missing = {file: [name for name in limits.REQUIRED[kind] if name not in header_of(file)] for file in tables}
    mine = [file for file in tables if not missing[file] and _kind_of(header_of(file)) == kind]
    strange = [file for file in tables if file not in mine and _kind_of(header_of(file)) is None]
    if strange:
        raise UserDataError(f"{strange[0]}: lacks the column {', '.join(missing[strange[0]])}, which {kind} of Amazon Personalize have")
    if not mine:
        needed = ", ".join(limits.REQUIRED[kind])
        raise UserDataError(f"{path}: no CSV file of {kind} is there; its columns would be {needed} and more")
    return mine


def _kind_of(header: Sequence[str]) -> str | None:
    """Which dataset a file is of: interactions have both ids, items and users one of them."""
    ids = {"USER_ID", "ITEM_ID"} & {*header}
    return next((kind for kind, needed in limits.REQUIRED.items() if {*needed} <= {*header} and ids <= {*needed}), None)


def _convert(path: Path, channel: str, folder: Path) -> int:
    kind = KIND_OF_CHANNEL[channel]
    schema = find_schema(path, kind)
    files = find_files(path, kind)
    folder.mkdir(parents=True, exist_ok=True)
    whole = folder / f"{channel}.parquet"
    half = folder / f".{channel}.parquet.part"
    rows = 0
    writer: pq.ParquetWriter | None = None
    try:
        for table in _tables(files, kind, schema):
            writer = writer or pq.ParquetWriter(half, table.schema)
            writer.write_table(table)
            rows += table.num_rows
        if writer is None:
            raise UserDataError(f"{path}: {kind} have a header and no rows")
        writer.close()
        half.replace(whole)
    finally:
        half.unlink(missing_ok=True)
    return rows


def _tables(files: Sequence[Path], kind: str, schema: AvroSchema | None) -> Iterator[pa.Table]:
    """The rows of all files, in pieces, every column in its type. Without a schema the first file's columns are the columns."""
    expected = schema or _guessed(kind, header_of(files[0]))
    for file in files:
        _check_header(file, expected, by_schema=schema is not None)
        rows = 0
        for table in read_rows(file):
            columns = {field.name: _column(table.column(field.name), field, str(file), rows) for field in expected.fields}
            rows += table.num_rows
            yield pa.table(columns)


def _column(text: pa.ChunkedArray, field: Field, file: str, rows: int) -> pa.ChunkedArray:
    values = typed(text, field, file, rows)
    if field.categorical and plain(field.name) in LISTS:
        return pc.split_pattern(values, limits.CATEGORY_SEPARATOR)
    return values


def _guessed(kind: str, header: Sequence[str]) -> AvroSchema:
    """What can be known without a schema: required and reserved fields have their types, artists and genres are categories."""
    known = {**limits.REQUIRED[kind], **limits.RESERVED[kind]}
    fields = []
    for name in header:
        if name in known:
            # Where a schema doesn't say that a value has to be there, an event without a type is still an event.
            fields.append(Field(name, known[name][0], nullable=name not in limits.REQUIRED[kind]))
        else:
            several = kind == "Items" and plain(name) in LISTS
            fields.append(Field(name, "string", nullable=True, categorical=several, textual=not several))
    return AvroSchema(kind, tuple(fields))


def _check_header(file: Path, expected: AvroSchema, by_schema: bool) -> None:
    """The columns of a file have to be the fields, in any order."""
    header = header_of(file)
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise UserDataError(f"{file}: has the column {', '.join(twice)} twice")
    lacking = [name for name in expected.names if name not in header]
    extra = [name for name in header if name not in expected.names]
    if lacking or extra:
        source = f"the schema of {expected.kind}" if by_schema else "the first file"
        lacks, has = [f"lacks {', '.join(lacking)}"] if lacking else [], [f"has {', '.join(extra)}, which is not there"] if extra else []
        raise UserDataError(f"{file}: its columns are not those of {source}: it {' and it '.join([*lacks, *has])}")
