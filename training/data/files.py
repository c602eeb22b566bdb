"""Which files of a channel hold data, in which format, and how to open them. Reads sequentially, writes nothing."""

import csv
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

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
FORMAT_NAMES = {"csv": "CSV", "tsv": "TSV", "parquet": "Parquet", "json": "JSON Lines"}
COMPRESSIONS = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd"}
GZIP_MAGIC = b"\x1f\x8b"
HEAD_BYTES = 1 << 16


def data_files(channel: Path) -> tuple[list[Path], int]:
    """The data files under a channel, sorted by their path, and how many files were ignored.

    A channel is a folder (nested folders are read too), a single file, or missing, which is the same as empty. Ignored are hidden
    files and folders, those that start with an underscore (`_SUCCESS`, `_temporary/`), checksums (`.crc`), files of zero bytes, and
    what is no file (a broken link, a pipe).
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
            if name.startswith((".", "_")) or name.endswith(".crc") or not path.is_file() or not path.stat().st_size:
                ignored += 1
            else:
                found.append(path)
    return sorted(found, key=lambda path: path.relative_to(channel).parts), ignored


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
    head = read_head(path)
    if head.startswith(b"PAR1"):
        return "parquet"
    return "json" if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"[{", b"[\n")) else "csv"


@contextmanager
def open_stream(path: Path) -> Iterator[BinaryIO]:
    """The bytes of a file, decompressed. Gzip is recognised by its first bytes, other compressions by their extension."""
    with path.open("rb") as file:
        magic = file.read(2)
    compression = "gzip" if magic == GZIP_MAGIC else COMPRESSIONS.get(path.suffix.lower())
    if compression == "gzip" and magic != GZIP_MAGIC:
        raise UserDataError(f"{path}: the name ends in .gz, but the content is not gzip; rename the file or compress it")
    with pa.input_stream(str(path), compression=compression) as stream:
        yield stream


class QuoteWatch:
    """A stream that counts the quotes that are read through it and keeps the last bytes."""

    closed = False

    def __init__(self, stream: BinaryIO) -> None:
        self.stream, self.quotes, self.tail = stream, 0, b""

    def read(self, size: int = -1) -> bytes:
        """The next bytes of the stream."""
        block = self.stream.read(size)
        self.quotes += block.count(b'"')
        self.tail = (self.tail[-HEAD_BYTES:] + block[-HEAD_BYTES:])[-HEAD_BYTES:]
        return block


def read_head(path: Path) -> bytes:
    """The first 64 KB of a file, decompressed."""
    with open_stream(path) as stream:
        return bytes(stream.read(HEAD_BYTES))


@contextmanager
def naming_the_file(path: Path, kind: str | None) -> Iterator[None]:
    """Turns what a parser raises into a `UserDataError` that names the file and the format, if that is known by now."""
    try:
        yield
    except (pa.ArrowException, csv.Error, OSError, EOFError, KeyError, UnicodeDecodeError) as error:
        detail = " ".join(str(error).split())[:200]
        remedy = "save it as UTF-8" if "utf" in detail.lower() else "repair or remove the file"
        known = f" as {FORMAT_NAMES[kind]}" if kind else ""
        raise UserDataError(f"{path}: cannot be read{known}: {detail}; {remedy}") from error
