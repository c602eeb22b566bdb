"""What one worker of a multi-model endpoint has open."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from container.serving.models import NotLoadedError, OpenModels
from container.serving.settings import Settings
from inference.errors import ArtifactError
from tests.integration.serving import make_model


@pytest.fixture
def markers(tmp_path: Path) -> Path:
    """Returns a folder of markers of two models, 1 and 2."""
    folder = tmp_path / "markers"
    folder.mkdir()
    for marker in ("1", "2"):
        (folder / marker).write_text(str(make_model(tmp_path / marker)))
    return folder


@pytest.fixture
def models(markers: Path) -> OpenModels:
    return OpenModels(markers, Settings.from_environment({"SAGEMAKER_MULTI_MODEL": "true"}))


def signs(markers: Path) -> list[str]:
    """Returns the markers that this process says it has open."""
    return sorted(path.stem for path in markers.glob(f"*.{os.getpid()}"))


def wait_for(markers: Path, expected: list[str]) -> None:
    deadline = time.monotonic() + 3
    while signs(markers) != expected:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_model_is_opened_once_and_says_so(models: OpenModels, markers: Path) -> None:
    assert models.get("1") is models.get("1")
    assert models.get("1") is not models.get("2")
    assert signs(markers) == ["1", "2"]


def test_a_model_without_a_marker_is_not_loaded(models: OpenModels) -> None:
    with pytest.raises(NotLoadedError):
        models.get("3")


def test_a_model_that_cannot_be_opened_is_not_said_to_be_open(models: OpenModels, markers: Path) -> None:
    (Path((markers / "1").read_text()) / "model.json").unlink()
    with pytest.raises(ArtifactError):
        models.get("1")
    assert signs(markers) == []


def test_a_model_goes_soon_after_its_marker_without_any_request(models: OpenModels, markers: Path) -> None:
    models.get("1"), models.get("2")
    (markers / "1").unlink()
    wait_for(markers, ["2"])
    with pytest.raises(NotLoadedError):
        models.get("1")


def test_where_memory_is_low_all_but_the_latest_used_are_closed_and_come_back(
    models: OpenModels, markers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = models.get("1"), models.get("2")
    models.shed()
    assert signs(markers) == ["1", "2"]
    monkeypatch.setenv("SERVING_MEMORY_LIMIT_MB", "1")
    models.shed()
    assert signs(markers) == ["2"]
    assert models.get("2") is second
    assert models.get("1") is not first


def test_opening_and_sweeping_at_once_loses_nothing(models: OpenModels, markers: Path) -> None:
    failures: list[BaseException] = []

    def ask() -> None:
        try:
            for _ in range(60):
                assert models.get("2").warm_up().status == 200
        except BaseException as error:
            failures.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    for _ in range(8):
        models.get("1")
        models._drop({"1", "2"})
    asking.join()
    assert failures == []
