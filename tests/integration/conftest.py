"""A real server of each engine on a model made by hand, for each file of tests that asks for it, and the image, built once."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from scripts.build_and_push import build_command
from tests.integration.containers import IMAGE, docker
from tests.integration.serving import ENGINES, Server, make_model, serving


@pytest.fixture(scope="module", params=ENGINES)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    parent = tmp_path_factory.mktemp("ml")
    make_model(parent / "model")
    # Legal in a model directory, and fatal to the stock server.
    (parent / "model" / "manifest.json").write_text("{}")
    with serving(parent, SERVING_ENGINE=request.param) as server:
        yield server.wait_until_healthy()


@pytest.fixture(scope="session")
def image() -> str:
    """Builds the image, by the command that scripts/build_and_push runs."""
    if shutil.which("docker") is None or docker("info", check=False).returncode != 0:
        pytest.skip("no Docker engine answers")
    _, *arguments = build_command([IMAGE], None)
    docker(*arguments)
    return IMAGE
