"""The image as a multi-model endpoint, with a limit on its memory that the kernel holds."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.integration.containers import Container, docker, serving
from tests.integration.serving import KNOWN, make_model

pytestmark = [pytest.mark.docker, pytest.mark.timeout(1500)]

MODELS = 14


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns an ``/opt/ml`` with models of 33 MB each."""
    base = tmp_path_factory.mktemp("ml") / "ml"
    first = make_model(base / "models" / "m0" / "model", songs=20_000, neighbours=200)
    for number in range(1, MODELS):
        shutil.copytree(first, base / "models" / f"m{number}" / "model")
    return base


def load(container: Container, name: str) -> tuple[int, bytes]:
    return container.ask(json.dumps({"model_name": name, "url": f"/opt/ml/models/{name}/model"}).encode(), path="/models")


def invoke(container: Container, name: str) -> int:
    return container.ask(json.dumps(KNOWN).encode(), path=f"/models/{name}/invoke")[0]


def test_in_half_a_gigabyte_models_are_loaded_until_507_and_unloaded_to_make_room_and_nothing_is_killed(image: str, base: Path) -> None:
    options = ("--memory", "512m", "--memory-swap", "512m", "--network", "bridge", "-e", "SAGEMAKER_MULTI_MODEL=true")
    with serving(image, base, *options) as container:
        container.wait_until_healthy()
        loaded: list[str] = []
        for name in (f"m{number}" for number in range(MODELS)):
            status, body = load(container, name)
            if status != 200:
                break
            loaded.append(name)
            assert [invoke(container, name) for _ in range(4)] == [200] * 4
        assert (status, json.loads(body)["error"]["code"]) == (507, "out_of_memory")
        assert len(loaded) > 2
        assert {invoke(container, name) for name in loaded} == {200}
        assert container.ask(None, path=f"/models/{loaded[0]}", method="DELETE")[0] == 200
        assert load(container, name)[0] == 200
        assert invoke(container, name) == 200
        state = json.loads(docker("inspect", "--format", "{{json .State}}", container.name).stdout)
        assert (state["Running"], state["OOMKilled"]) == (True, False)
        log = docker("logs", container.name).stderr
        assert "Worker disconnected" not in log
        assert "Traceback" not in log
