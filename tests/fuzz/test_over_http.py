"""scripts/fuzz in its short form, and in one that takes a minute or two: no request harms a server or another request."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from scripts import fuzz
from scripts.fuzz_promises import broken_promises
from scripts.watched_server import ENGINES
from tests.integration.serving import make_model


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model(tmp_path_factory.mktemp("ml") / "model")


@pytest.mark.parametrize(
    ("engine", "inputs"),
    [*((engine, 600) for engine in ENGINES), *(pytest.param(engine, 20_000, marks=pytest.mark.slow) for engine in ENGINES)],
)
def test_no_promise_is_broken(model: Path, engine: str, inputs: int, capsys: pytest.CaptureFixture[str]) -> None:
    code = fuzz.main([str(model), "--engine", engine, "--inputs", str(inputs), "--seed", str(inputs)])
    said = capsys.readouterr()
    assert code == 0, said.err
    assert "0 deaths, 0 tracebacks or paths in answers, 0 answers with 5xx, 0 broken promises" in said.out
    counted = re.search(r"^([\d,]+) inputs", said.out, re.MULTILINE)
    assert counted is not None
    assert int(counted[1].replace(",", "")) >= inputs


ERROR = b'{"status": "error", "error": {"code": "malformed_json", "message": "No.", "request_id": null}}'


@pytest.mark.parametrize(
    ("status", "content_type", "body", "says"),
    [
        (400, "application/json", ERROR, None),
        (200, "application/json", b'{"a": 1}', None),
        (200, "application/jsonlines", b"{}\n{}\n", None),
        (500, "application/json", ERROR, "status 500"),
        (0, "", b"", "status 0"),
        (400, "text/plain", ERROR, "another form"),
        (400, "application/json", ERROR.replace(b'"message"', b'"note"'), "another form"),
        (400, "application/json", b"<html>", "no JSON"),
        (400, "application/json", ERROR.replace(b"No.", b"Traceback (most recent call last)"), "of the inside"),
        (422, "application/json", ERROR.replace(b"No.", b"/opt/program/inference"), "of the inside"),
        (200, "application/json", b'{"a": NaN}', "cannot be read"),
        (200, "application/jsonlines", b"{}\n{", "cannot be read"),
        (200, "text/html", b"", "the type of the answer"),
    ],
)
def test_a_broken_promise_is_seen(status: int, content_type: str, body: bytes, says: str | None) -> None:
    found = broken_promises(status, content_type, body)
    assert found == [] if says is None else any(says in line for line in found)
