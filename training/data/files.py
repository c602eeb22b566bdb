"""Which files of a channel hold data, in which format, and how to open them. Reads sequentially, writes nothing."""

import csv
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

import pyarrow as pa
from isal import igzip, igzip_threaded, isal_zlib

from training.data.errors import UserDataError

FORMATS = {
    ".csv": "csv",
    ".txt": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".jsonl": "json",
    ".ndjson": "json",
    ".json": "json",
}
FORMAT_NAMES = {"csv": "CSV", "tsv": "TSV", "parquet": "Parquet", "json": "JSON Lines", "array": "JSON"}
COMPRESSIONS = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd"}
GZIP_MAGIC = b"\x1f\x8b"
HEAD_BYTES = 1 << 16
GZIP_BLOCK_BYTES = 1 << 20
LARGEST_SCHEMA = 1 << 20  # bytes; a larger file is data


def data_files(channel: Path) -> tuple[list[Path], int]:
    """The data files under a channel, sorted by their path, and how many files were ignored.

    A channel is a folder (nested folders are read too), a single file, or missing, which is the same as empty. Ignored are hidden
    files and folders, those that start with an underscore (`_SUCCESS`, `_temporary/`), checksums (`.crc`), files of zero bytes, Avro
    schemas (which Amazon Personalize has beside its files), and what is no file (a broken link, a pipe).
    """
    if channel.is_file():
        return ([channel], 0) if channel.stat().st_size else ([], 1)
    found: list[Path] = []
    ignored = 0
    visited: set[str] = set()
    for folder, subfolders, names in os.walk(channel, onerror=_refuse, followlinks=True):
        if (real := os.path.realpath(folder)) in visited:  # a link to a folder that is read anyway, or in a circle
            subfolders.clear()
            continue
        visited.add(real)
        hidden = [name for name in subfolders if name.startswith((".", "_"))]
        ignored += sum(len(inner) for name in hidden for _, _, inner in os.walk(Path(folder, name)))
        subfolders[:] = [name for name in subfolders if name not in hidden]
        for name in names:
            path = Path(folder, name)
            if (
                name.startswith((".", "_"))
                or name.endswith(".crc")
                or not path.is_file()
                or not path.stat().st_size
                or is_avro_schema(path)
            ):
                ignored += 1
            else:
                found.append(path)
    return sorted(found, key=lambda path: path.relative_to(channel).parts), ignored


def is_avro_schema(path: Path) -> bool:
    """Whether a file is an Avro record schema (right or wrong), and not, say, a file of songs as JSON."""
    if path.suffix.lower() not in (".json", ".avsc"):
        return False
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig")) if path.stat().st_size <= LARGEST_SCHEMA else None
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(content, dict) and content.get("type") == "record" and "fields" in content


def _refuse(error: OSError) -> None:
    """A folder that can't be listed is an error, and not an empty folder."""
    if not isinstance(error, FileNotFoundError):  # a channel may be missing
        raise error


def detect_format(path: Path) -> str:
    """The format of a file: by its extension, or by its first bytes where there is none ("part-00000")."""
    name = path.name.lower()
    for suffix in COMPRESSIONS:
        name = name.removesuffix(suffix)
    for suffix, kind in FORMATS.items():
        if name.endswith(suffix):
            return kind
    return format_of_head(read_head(path))


def format_of_head(head: bytes) -> str:
    """The format of a file that begins so."""
    if head.startswith(b"PAR1"):
        return "parquet"
    return "json" if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"[{", b"[\n")) else "csv"


class Readable(Protocol):
    """A stream of bytes that can be read once, from its start to its end."""

    def read(self, size: int = ..., /) -> bytes: ...


@dataclass(frozen=True)
class DataFile:
    """One file with data. ``name``: its channel and place in it, for people ("items/part/0.csv"). ``host``: who alone has it; "" all."""

    channel: str
    path: Path
    name: str
    host: str = ""

    def __str__(self) -> str:
        return str(self.path)


def channel_files(channel: str, paths: Sequence[tuple[str, Path]]) -> tuple[list[DataFile], int]:
    """The data files under the paths of a channel (each with the name it is given by), in order, and how many files were ignored.

    Raises ``UserDataError`` for a file whose name is not UTF-8: no report could name it.
    """
    files: list[DataFile] = []
    ignored = 0
    for given, path in paths:
        found, passed_over = data_files(path)
        ignored += passed_over
        root = path if path.is_dir() else path.parent
        for file in found:
            if (name := os.fsencode(file).decode("utf-8", errors="replace")) != str(file):
                raise UserDataError(f"{name}: the name of the file is not UTF-8; rename it")
        files += [DataFile(channel, file, f"{given}/{file.relative_to(root).as_posix()}") for file in found]
    return files, ignored


@contextmanager
def open_stream(path: Path) -> Iterator[BinaryIO]:
    """The bytes of a file, decompressed. Gzip is recognised by its first bytes, other compressions by their extension."""
    compression = _compression(path)
    if compression == "gzip":  # several times as fast as zlib, and in a thread of its own
        with igzip_threaded.open(path, "rb", threads=1, block_size=GZIP_BLOCK_BYTES) as stream:
            yield stream
        return
    with pa.input_stream(str(path), compression=compression) as stream:
        yield stream


def is_compressed(path: Path) -> bool:
    """Whether the file has to be decompressed, so that it can only be read from its start."""
    return _compression(path) is not None


def _compression(path: Path) -> str | None:
    with path.open("rb") as file:
        magic = file.read(2)
    compression = "gzip" if magic == GZIP_MAGIC else COMPRESSIONS.get(path.suffix.lower())
    if compression == "gzip" and magic != GZIP_MAGIC:
        raise UserDataError(f"{path}: the name ends in .gz, but the content is not gzip; rename the file or compress it")
    return compression


def read_head(path: Path) -> bytes:
    """The first 64 KB of a file, decompressed."""
    if _compression(path) == "gzip":
        with igzip.open(path, "rb") as stream:
            return bytes(stream.read(HEAD_BYTES))
    with open_stream(path) as stream:
        return bytes(stream.read(HEAD_BYTES))


@contextmanager
def naming_the_file(path: Path, kind: str | None) -> Iterator[None]:
    """Turns what a parser raises into a `UserDataError` that names the file and the format, if that is known by now."""
    try:
        yield
    except (pa.ArrowException, csv.Error, OSError, EOFError, KeyError, UnicodeDecodeError, isal_zlib.error) as error:  # type: ignore[misc]  # its stub calls it a variable
        detail = " ".join(str(error).split())[:200]
        remedy = "save it as UTF-8" if "utf" in detail.lower() else "repair or remove the file"
        if "straddl" in detail:
            detail = "a row is longer than 32 MB, or a quoted value is opened and never closed and swallows the rows after it"
        known = f" as {FORMAT_NAMES[kind]}" if kind else ""
        raise UserDataError(f"{path}: cannot be read{known}: {detail}; {remedy}") from error
