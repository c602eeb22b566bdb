"""What data capture sees: it keeps a body readable only where the type is one of those it was told, letter for letter."""

from __future__ import annotations

import csv
import io
import json

import pytest

from tests.integration.serving import KNOWN, Server

JSON, LINES, CSV = "application/json", "application/jsonlines", "text/csv"
NAMES = {
    JSON: [JSON, "application/json; charset=utf-8", "Application/JSON"],
    LINES: [LINES, "application/x-jsonlines"],
    CSV: [CSV, "text/csv;charset=utf-8", "text/*, application/json;q=0.5"],
}
ACCEPTED = [(accept, exact) for exact, names in NAMES.items() for accept in names]
SENT = [(name, exact) for name, exact in ACCEPTED if "*" not in name]


@pytest.mark.parametrize(("content_type", "own"), SENT)
def test_the_type_of_an_answer_is_always_exact(server: Server, content_type: str, own: str) -> None:
    body = b"u0,s1\n" if own == CSV else json.dumps(KNOWN).encode()
    for accept, exact in [(None, own), ("*/*", own), *ACCEPTED]:
        response = server.invoke(body, {"Content-Type": content_type} | ({"Accept": accept} if accept else {}))
        assert (response.status, response.headers["content-type"]) == (200, exact), accept


def test_an_error_is_json_whatever_was_asked_for(server: Server) -> None:
    for accept in ("text/csv", "application/jsonlines", "text/html"):
        response = server.invoke(b"{", {"Content-Type": "application/json", "Accept": accept})
        assert (response.status, response.headers["content-type"]) == (400, "application/json")
        assert response.json()["status"] == "error"


def test_rows_of_csv_are_flat_and_equally_long_with_every_option(server: Server) -> None:
    requests = [{"user_id": "u0"}, {"items": ["s1", "s2"], "explain": True, "metadata": True}, {"user_id": "nobody"}, {"user_id": "u39"}]
    body = "".join(json.dumps(request | {"num_recommendations": 7}) + "\n" for request in requests).encode()
    response = server.invoke(body, {"Content-Type": "application/jsonlines", "Accept": "text/csv"})
    rows = list(csv.reader(io.StringIO(response.body.decode())))
    assert [len(row) for row in rows] == [8] * len(requests)
    assert all(cell.startswith("s") for row in rows for cell in row[1:])
