"""The two ways in which inference says no."""

from __future__ import annotations

import json

MAX_MESSAGE_CHARACTERS = 500


def _ascii(text: str) -> str:
    """Returns ``text`` in printable ASCII, cut to a safe length: a message travels in headers and logs, and may quote the caller."""
    escaped = text.encode("ascii", "backslashreplace").decode("ascii")
    printable = "".join(c if " " <= c <= "~" else " " for c in escaped)
    return printable[:MAX_MESSAGE_CHARACTERS]


class RequestError(Exception):
    """The caller's mistake.

    ``status`` is the HTTP status (400 malformed, 406 unacceptable ``Accept``, 413 too large, 415 content type, 422 well-formed but
    invalid), ``code`` a stable word for programs (``unknown_field``), ``message`` a sentence for people that says what was found,
    what is allowed, and what to do. The message is made printable ASCII here, once.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        self.status = status
        self.code = code
        self.message = _ascii(message)
        super().__init__(self.message)


class ArtifactError(Exception):
    """The model directory is missing, broken, or of a newer format. The message names the file and says what to do."""


def error_body(code: str, message: str, request_id: str | None = None) -> dict[str, object]:
    """Returns the one JSON body that every error has, on every path."""
    return {"status": "error", "error": {"code": code, "message": _ascii(message), "request_id": request_id}}


def error_json(code: str, message: str, request_id: str | None = None) -> bytes:
    """Returns ``error_body`` as ASCII JSON bytes."""
    return json.dumps(error_body(code, message, request_id)).encode("ascii")
