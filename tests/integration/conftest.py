"""A real server on a model made by hand, one for each file of tests that asks for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.serving import Server, make_model, serving


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    parent = tmp_path_factory.mktemp("ml")
    make_model(parent / "model")
    # Legal in a model directory, and fatal to the stock server.
    (parent / "model" / "manifest.json").write_text("{}")
    with serving(parent) as server:
        yield server.wait_until_healthy()
