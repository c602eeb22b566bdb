"""Bodies of batch transform, which joins its input and the answers by the number of the line: so no line is left out, whatever it holds.

A line ends with a newline, and with nothing else: this is how the platform cuts a file. A body is one line of it, a few, or all.
"""

from __future__ import annotations

import csv
from typing import Any

from inference.batch import Batch, Entry
from inference.bodies import at_most, checked, csv_entry, csv_header, json_entry, parse_json
from inference.errors import RequestError
from inference.media_types import CSV, JSON


def decode_lines(body: bytes | bytearray, media_type: str) -> Batch:
    """Reads a body, one entry for each of its lines; an empty body is one empty line. A body that is one JSON document over several lines
    is one entry, or a list of them as ever. Raises ``RequestError`` 413 where the body asks for too much."""
    lines = bytes(body).removesuffix(b"\n").split(b"\n")
    # A job may cut its lines and still say application/json: then each line is a document of its own, the first one, too.
    if media_type == JSON and (len(lines) == 1 or (lines[0].strip() and _document(lines[0]) is None)):
        document = _document(body)
        if isinstance(document, list) and document:
            return Batch(checked(tuple(Entry.of(value) for value in at_most(document))), False, media_type)
        if document is not None:
            return Batch(checked((Entry.of(document),)), False, media_type, by_line=True)
    lines = at_most(lines)
    entries = _csv_entries(lines) if media_type == CSV else tuple(_json_entry(line) for line in lines)
    return Batch(checked(entries), False, media_type, by_line=True)


def _document(text: bytes | bytearray) -> Any:
    """Returns the one JSON document that this is, or None where it is none."""
    try:
        return parse_json(bytes(text).decode("utf-8-sig"))
    except (UnicodeDecodeError, RequestError):
        return None


def _json_entry(line: bytes) -> Entry:
    try:
        return json_entry(_text(line))
    except RequestError as error:
        return Entry(None, error)


def _csv_entries(lines: list[bytes]) -> tuple[Entry, ...]:
    """A first line that is a header names the cells of those after it. It is answered as well: with an error, so that nobody takes the
    answer for one, and because it names nothing where the platform sends the lines one by one."""
    first, *rest = lines
    try:
        header = csv_header(_csv_row(first))
    except RequestError as error:
        if error.code != "unknown_field":  # the first line can't be read, which is its own affair
            return (Entry(None, error), *(_csv_entry(line, None) for line in rest))
        return tuple(Entry(None, error) for _ in lines)
    if header is None:
        return tuple(_csv_entry(line, None) for line in lines)
    message = "This line is a header: it has no answer, and it names the cells of the lines in the same body only."
    return (Entry(None, RequestError(422, "header", message)), *(_csv_entry(line, header) for line in rest))


def _csv_entry(line: bytes, header: list[str] | None) -> Entry:
    try:
        return csv_entry(_csv_row(line), header)
    except RequestError as error:
        return Entry(None, error)


def _csv_row(line: bytes) -> list[str]:
    text = _text(line)
    try:
        [row] = csv.reader([text], strict=True)
    except csv.Error as error:
        raise RequestError(400, "malformed_csv", f"The line is not valid CSV: {error}.") from None
    return row


def _text(line: bytes) -> str:
    try:
        text = line.decode("utf-8-sig").rstrip("\r")
    except UnicodeDecodeError as error:
        raise RequestError(400, "not_utf8", f"The line is not UTF-8 (byte {error.start}).") from None
    if not text.strip():
        raise RequestError(400, "empty_line", "The line is empty.")
    return text
