"""Reads JSON Lines, or one JSON array of objects. Numbers keep the text they are written with, so ids stay exact."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from inference.features.values import LIST_SEPARATOR
from training.data.errors import UserDataError
from training.data.files import Readable, open_stream
from training.data.problems import shown
from training.data.row_chunk import Chunk, numbered

ROWS_PER_CHUNK = 50_000
BLOCK_BYTES = 1 << 22
MAX_SHOWN = 80
LARGEST_VALUE = 1 << 26  # characters of one value of an array
LONGEST_TOKEN = 12  # characters that a literal or an escape may be cut off in
DEEPEST = 50  # levels of lists and objects in a record
_SPACE = re.compile(r"[ \t\r\n,]*")


def _number(text: str) -> str:
    """The text of a JSON number; 7.0 is the number 7."""
    return text.removesuffix(".0")


_DECODER = json.JSONDecoder(parse_int=str, parse_float=_number)
Record = dict[str, Any] | str  # a record, or the text of what is none


def is_array(head: bytes) -> bool:
    """Whether a file that begins so is one JSON array."""
    return head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[")


def json_columns(path: Path, array: bool) -> tuple[str, ...]:
    """Every key of every object of a file, in the order of their first use: any line may bring a new one."""
    with open_stream(path) as stream:
        names: dict[str, None] = {}
        first_bad = ""
        for record in records(path, stream, array):
            if isinstance(record, dict):
                names.update(dict.fromkeys(name for name in record if name.isascii() or _is_text(name)))
            else:
                first_bad = first_bad or record
    if first_bad and not names:
        raise UserDataError(f"{path}: no line is a JSON object; the first one reads {first_bad[:MAX_SHOWN]!r}")
    return tuple(names)


def json_part(path: Path, columns: Sequence[str], start: int, stop: int) -> Iterator[Chunk]:
    """The lines between two positions of a file at which lines begin."""
    with path.open("rb") as file:
        file.seek(start)
        lines = file.read(stop - start if stop >= 0 else -1).split(b"\n")
    yield from json_chunks(_lines(lines), columns)


def json_stream(path: Path, stream: Readable, array: bool, columns: Sequence[str]) -> Iterator[Chunk]:
    """The records of a stream that can be read once, in chunks."""
    yield from json_chunks(records(path, stream, array), columns)


def json_chunks(found: Iterator[Record], columns: Sequence[str]) -> Iterator[Chunk]:
    """Chunks with the columns as text, null where a record has no such key."""
    before = 0
    while some := list(islice(found, ROWS_PER_CHUNK)):
        misshapen = [(before + 1 + place, record) for place, record in enumerate(some) if isinstance(record, str)]
        rows = [record for record in some if isinstance(record, dict)]
        arrays = [pa.array([_to_text(row.get(name)) for row in rows], pa.large_string()) for name in columns]
        table = pa.Table.from_arrays(arrays, names=list(columns))
        yield numbered(table, before, misshapen) if arrays else Chunk(table, numbered(table, before, []).rows[:0], misshapen)
        before += len(some)


def records(path: Path, stream: Readable, array: bool) -> Iterator[Record]:
    """The objects of a stream, and the text of whatever else stands between them. Holds one block at a time."""
    return _array(path, stream) if array else _lines(_byte_lines(stream))


def _lines(lines: Iterable[bytes]) -> Iterator[Record]:
    for raw in lines:
        line = raw.decode("utf-8").removeprefix("\ufeff").strip()
        if not line:
            continue
        try:
            record = _DECODER.decode(line)
        except (json.JSONDecodeError, RecursionError):
            record = None
        yield record if isinstance(record, dict) and not _too_deep(record, line) else line[:MAX_SHOWN]


def _byte_lines(stream: Readable) -> Iterator[bytes]:
    rest = b""
    while block := stream.read(BLOCK_BYTES):
        *lines, rest = (rest + block).split(b"\n")
        yield from lines
    yield rest


def _array(path: Path, stream: Readable) -> Iterator[Record]:
    """The values of an array (or of several, one after the other), decoded one by one from a buffer that is filled up whenever a value is
    cut off at its end."""
    to_text = codecs.getincrementaldecoder("utf-8-sig")()
    text, place, ended, opened, count = "", 0, False, False, 0
    while True:
        place = _SPACE.match(text, place).end()  # type: ignore[union-attr]  # it matches nothing, too
        if place < len(text) and not opened:
            if text[place] != "[":
                raise UserDataError(f"{path}: is neither JSON Lines nor a JSON array: after an array stands {shown(text[place:])}")
            opened, place = True, place + 1
            continue
        if place < len(text) and text[place] == "]":
            opened, place = False, place + 1
            continue
        try:
            if place < len(text):
                record, end = _DECODER.raw_decode(text, place)
                if end < len(text) or ended:  # else a number may go on
                    yield record if isinstance(record, dict) and not _too_deep(record, text[place:end]) else str(record)[:MAX_SHOWN]
                    place, count = end, count + 1
                    continue
        except (json.JSONDecodeError, RecursionError) as error:
            if ended or not _cut_off(error, text, place):
                why = error.msg if isinstance(error, json.JSONDecodeError) else "it is nested too deeply"
                raise UserDataError(f"{path}: is neither JSON Lines nor a JSON array: value {count + 1}: {why}") from None
        if ended:
            if opened:
                raise UserDataError(f"{path}: is neither JSON Lines nor a JSON array: it is cut off after value {count}")
            return
        block = stream.read(max(BLOCK_BYTES, len(text) - place))
        ended = not block
        text, place = text[place:] + to_text.decode(block, ended), 0


def _cut_off(error: Exception, text: str, place: int) -> bool:
    """Whether a value may just be cut off at the end of the text, and be right once more of it is there."""
    if not isinstance(error, json.JSONDecodeError) or len(text) - place > LARGEST_VALUE:
        return False
    return error.msg.startswith("Unterminated string") or error.pos >= len(text) - LONGEST_TOKEN


def _too_deep(record: dict[str, Any], source: str) -> bool:
    if source.count("[") + source.count("{") <= DEEPEST:
        return False
    level: list[Any] = [record]
    for _ in range(DEEPEST):
        level = [inner for one in level for inner in (one.values() if isinstance(one, dict) else one) if isinstance(inner, dict | list)]
        if not level:
            return False
    return True


def _is_text(name: str) -> bool:
    """Whether a key can be a column's name: half of a surrogate pair is no text."""
    return not any("\ud800" <= one <= "\udfff" for one in name)


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
