"""Bodies: bytes to requests, answers to bytes, in JSON, JSON Lines and CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from itertools import islice
from typing import Any, NoReturn

from inference.answer import Answer, dumps
from inference.batch import Answers, Batch, Entry
from inference.errors import RequestError, error_body
from inference.media_types import CSV, JSON_LINES
from inference.personalize import render, render_line
from inference.request import MAX_RECOMMENDATIONS_IN_ALL, MAX_REQUESTS, Request

# A cell may hold as many ids, and as long ones, as a list in JSON; Python stops at 128 KiB. The size of the body is limited elsewhere.
csv.field_size_limit(1 << 30)

_CSV_LISTS = ("items", "exclude", "candidates")
_CSV_FIELDS = ("user_id", *_CSV_LISTS, "num_recommendations")


def decode(body: bytes | bytearray | str, media_type: str) -> Batch:
    """Reads a body. One JSON object is one request; a JSON list, JSON Lines and CSV are batches, in which a bad line is an error of its
    own. Raises ``RequestError`` 400 where the body as a whole can't be read, 413 where the batch asks for too much, and its own error
    where a single request is wrong."""
    text = _text(body)
    if media_type == JSON_LINES:
        lines = (line.rstrip("\n") for line in io.StringIO(text, newline="\n") if line.strip())
        return Batch(checked(tuple(json_entry(line) for line in at_most(lines))), False, media_type)
    if media_type == CSV:
        return Batch(checked(_csv_entries(text)), False, media_type)
    value = parse_json(text)
    if isinstance(value, list):
        return Batch(checked(tuple(Entry.of(v) for v in at_most(value))), False, media_type)
    entry = Entry.of(value)
    if isinstance(entry.request, RequestError):
        raise entry.request
    return Batch((entry,), True, media_type)


def encode(answers: Answers, media_type: str) -> bytes:
    """Writes the answers in the order of the requests. Where each line of the body is to be answered with a line, no answer has line
    breaks, whatever its type, and the last line has no end: batch transform sets it itself."""
    batch = answers.batch
    pairs = list(zip(batch.entries, answers.answers, strict=True))
    if batch.by_line:
        write = _csv_line if media_type == CSV else _json_text
        return "\n".join(write(entry, answer) for entry, answer in pairs).encode("utf-8", "replace")
    if media_type == CSV:
        return _csv([_csv_row(answer) for _, answer in pairs])
    if media_type == JSON_LINES:
        return "".join(_json_text(entry, answer) + "\n" for entry, answer in pairs).encode("ascii")
    if batch.single:
        entry, answer = pairs[0]
        if isinstance(answer, Answer) and entry.in_personalize:
            return dumps(render(entry.value, answer)).encode("ascii")
        return _ours(answer).encode("ascii")
    return f"[{','.join(_json_text(entry, answer) for entry, answer in pairs)}]".encode("ascii")


# --- JSON --------------------------------------------------------------------------------------------------------------------------------


def _text(body: bytes | bytearray | str) -> str:
    try:
        text = body if isinstance(body, str) else bytes(body).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RequestError(400, "not_utf8", f"The body is not UTF-8 (byte {error.start}).") from None
    if not text.strip():
        raise RequestError(400, "empty_body", "The body is empty. Send a JSON object such as {'user_id': '...'}, in double quotes.")
    return text


def parse_json(text: str) -> Any:
    """Returns the decoded value. Raises ``RequestError`` 400."""
    document = text.strip(_JSON_SPACE)
    try:
        value, end = _scan(document, 0)  # half of the time of a line: the decoder looks for space around it by regular expressions
        if end == len(document):
            return value
    except (StopIteration, ValueError, RecursionError):
        pass  # said below, with its place
    try:
        return _parse(text)
    except RecursionError:
        raise RequestError(400, "malformed_json", "The JSON is nested too deeply.") from None
    except ValueError as error:
        where = f" (line {error.lineno}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
        raise RequestError(400, "malformed_json", f"The body is not valid JSON{where}.") from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_decoder = json.JSONDecoder(parse_constant=_refuse_constant)  # json.loads would make one anew for each line
_parse, _scan, _JSON_SPACE = _decoder.decode, _decoder.scan_once, " \t\n\r"  # type: ignore[attr-defined]  # typeshed forgets it


def json_entry(line: str) -> Entry:
    """Returns the request of one line; what is no JSON is an error of its own."""
    try:
        return Entry.of(parse_json(line))
    except RequestError as error:
        return Entry(None, error)


def checked(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    """Returns the entries. Raises ``RequestError`` 400 where there are none, 413 where they ask for too much together."""
    if not entries:
        raise RequestError(400, "empty_body", "The body holds no request.")
    in_all = sum(entry.request.limit for entry in entries if isinstance(entry.request, Request))
    if in_all > MAX_RECOMMENDATIONS_IN_ALL:
        asked = f"The requests in the body ask for {in_all} recommendations in all; the limit is {MAX_RECOMMENDATIONS_IN_ALL}."
        raise RequestError(413, "batch_too_large", f"{asked} Send them in several bodies.")
    return entries


def at_most(rows: Iterable[Any], more: int = 0) -> list[Any]:
    """Returns all rows, reading no further than the first one too many. Raises ``RequestError`` 413."""
    taken = list(islice(rows, MAX_REQUESTS + more + 1))
    if len(taken) > MAX_REQUESTS + more:
        raise RequestError(413, "batch_too_large", f"The body holds more than {MAX_REQUESTS} requests. Send them in several bodies.")
    return taken


def _json_text(entry: Entry, answer: Answer | RequestError) -> str:
    if not entry.in_personalize:
        return _ours(answer)
    line = render_line(entry.value, answer)
    if isinstance(answer, RequestError):
        try:
            return dumps(line)
        except (ValueError, RecursionError):  # 1e999 was read as infinity, which JSON can't write: such an input is not repeated
            line["input"] = None
    return dumps(line)


def _ours(answer: Answer | RequestError) -> str:
    return dumps(error_body(answer.code, answer.message)) if isinstance(answer, RequestError) else answer.json_text()


# --- CSV ---------------------------------------------------------------------------------------------------------------------------------


def _csv_entries(text: str) -> tuple[Entry, ...]:
    """A first row that starts with a field's name is a header; lists are separated by ``|`` in their cell. Without a header, each row is a
    listener (may be empty) followed by any number of seed songs."""
    try:
        rows = at_most((row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row), more=1)  # a header, perhaps
    except csv.Error as error:
        raise RequestError(400, "malformed_csv", f"The body is not valid CSV: {error}.") from None
    if not rows:
        return ()
    header = csv_header(rows[0])
    return tuple(csv_entry(row, header) for row in (rows if header is None else rows[1:]))


def csv_header(row: list[str]) -> list[str] | None:
    """Returns the fields that the first row of a body names; None where it is no header. Raises ``RequestError`` 422 for an unknown one."""
    header = [cell.strip().lower() for cell in row]
    if header[0] not in _CSV_FIELDS:
        return None
    if unknown := [name for name in header if name not in _CSV_FIELDS]:
        raise RequestError(422, "unknown_field", f"Unknown column '{unknown[0][:50]}' in the header. Known: {', '.join(_CSV_FIELDS)}.")
    return header


def csv_entry(row: list[str], header: list[str] | None) -> Entry:
    """Returns the request of one row, which is not empty."""
    if header is None:
        return Entry.of({"user_id": row[0] or None, "items": [cell for cell in row[1:] if cell]})
    if len(row) > len(header):
        return Entry(None, RequestError(422, "invalid_row", "The row has more cells than the header."))
    value: dict[str, Any] = {name: cell for name, cell in zip(header, row, strict=False) if cell}
    for name in _CSV_LISTS:
        if name in value:
            value[name] = [id_ for id_ in value[name].split("|") if id_]
    if "num_recommendations" in value:
        count = value["num_recommendations"].strip()
        value["num_recommendations"] = int(count) if count.isascii() and count.isdigit() and len(count) < 10 else count
    return Entry.of(value)


def _csv_row(answer: Answer | RequestError) -> list[str]:
    """One row for each request, so that a batch job can join them: the listener, then the songs, best first; or ERROR and the message."""
    if isinstance(answer, RequestError):
        return ["ERROR", answer.message]
    return [answer.user_id or "", *answer.item_ids]


def _csv_line(entry: Entry, answer: Answer | RequestError) -> str:
    row = _csv_row(answer)
    if any("\n" in cell or "\r" in cell for cell in row):
        row = ["ERROR", "An id of the answer has a line break, which a line of CSV can't hold. Ask for application/jsonlines."]
    return _csv([row]).decode("utf-8").removesuffix("\n")


def _csv(rows: list[list[str]]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue().encode("utf-8", "replace")
