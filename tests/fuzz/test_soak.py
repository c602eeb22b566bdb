"""scripts/soak in its short form: workers are killed under load, and only the requests that they had notice."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from scripts import soak
from scripts.watched_server import ENGINES
from tests.integration.serving import make_model


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_under_load_and_kills_no_promise_is_broken(
    tmp_path: Path, engine: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(soak, "GROWTH_BYTES", 80_000_000)  # in half a minute heaps still fill, and new workers unshare what they write to
    model = make_model(tmp_path / "model", songs=2000)
    code = soak.main([str(model), "--engine", engine, "--minutes", "0.6"])
    said = capsys.readouterr()
    assert code == 0, said.err
    assert ", 0.6 minutes, seed 0: 0 broken promises" in said.out
    kills = re.search(r"^kills +(\d+), back after", said.out, re.MULTILINE)
    assert kills is not None
    assert int(kills[1]) >= 2
