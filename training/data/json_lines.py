"""Reads JSON Lines, or one JSON array of objects. Numbers keep the text they are written with, so ids stay exact."""

import json
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from training.data.errors import UserDataError
from training.data.files import naming_the_file, open_stream, read_head

LIST_SEPARATOR = "\x1f"  # between the values of a list, once it is text; ASCII's own "unit separator"
ROWS_PER_CHUNK = 50_000
BLOCK_BYTES = 1 << 22
BAD = object()


def _number(text: str) -> str:
    """The text of a JSON number; 7.0 is the number 7."""
    return text.removesuffix(".0")


_DECODER = json.JSONDecoder(parse_int=str, parse_float=_number)


class JsonLinesFile:
    """One object per line. The whole file is read at once, since any line may bring a new column."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.misshapen: list[str] = []
        chunks: list[dict[str, pa.Array]] = []
        self.lengths: list[int] = []
        with naming_the_file(path, "json"), open_stream(path) as stream:
            records = self._array(stream.read()) if _is_array(path) else self._lines(stream)
            while rows := list(islice(records, ROWS_PER_CHUNK)):
                chunks.append(_to_columns(rows))
                self.lengths.append(len(rows))
        self.chunks = chunks
        self.columns: list[str] = list(dict.fromkeys(name for chunk in chunks for name in chunk))
        if self.misshapen and not chunks:
            raise UserDataError(f"{path}: no line is a JSON object; the first one reads {self.misshapen[0]!r}")

    def read(self, columns: Sequence[str]) -> tuple[pa.Table, int]:
        """The columns as text, null where a line has no such key. Lines that are no JSON object are left out and counted."""
        arrays = [
            pa.chunked_array(
                [chunk.get(name, pa.nulls(length, pa.large_string())) for chunk, length in zip(self.chunks, self.lengths, strict=True)],
                type=pa.large_string(),
            )
            for name in columns
        ]
        return pa.table(arrays, names=list(columns)), len(self.misshapen)

    def _lines(self, stream: Any) -> Iterator[dict[str, Any]]:
        for number, raw in enumerate(_byte_lines(stream)):
            line = raw.decode("utf-8-sig" if number == 0 else "utf-8", errors="replace").strip()
            if not line:
                continue
            try:
                record = _DECODER.decode(line)
            except (json.JSONDecodeError, RecursionError):
                record = BAD
            if isinstance(record, dict):
                yield record
            else:
                self.misshapen.append(line[:80])

    def _array(self, content: bytes) -> Iterator[dict[str, Any]]:
        try:
            records = _DECODER.decode(content.decode("utf-8-sig").strip())
        except (json.JSONDecodeError, RecursionError) as error:
            raise UserDataError(f"{self.path}: is neither JSON Lines nor a JSON array: {error}") from error
        for record in records:
            if isinstance(record, dict):
                yield record
            else:
                self.misshapen.append(str(record)[:80])


def _byte_lines(stream: Any) -> Iterator[bytes]:
    rest = b""
    while block := stream.read(BLOCK_BYTES):
        *lines, rest = (rest + block).split(b"\n")
        yield from lines
    yield rest


def _is_array(path: Path) -> bool:
    return read_head(path).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[")


def _to_columns(rows: list[dict[str, Any]]) -> dict[str, pa.Array]:
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: pa.array([_to_text(row.get(name)) for row in rows], pa.large_string()) for name in names}


def _to_text(value: Any) -> str | None:
    if value is None or isinstance(value, float):  # finite numbers are text by now, what is left is NaN and Infinity
        return None
    if isinstance(value, str):
        text = value
    elif isinstance(value, list):
        text = LIST_SEPARATOR.join(_to_text(item) or "" for item in value)
    elif isinstance(value, bool):
        text = "true" if value else "false"
    else:
        text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    # Half of a surrogate pair ("\\ud83d") is legal JSON, but no text that can be stored.
    return text if text.isascii() else text.encode("utf-8", errors="replace").decode("utf-8")
