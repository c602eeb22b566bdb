"""What only an image can have: how it is started, its labels, and what it has on board. Skipped where a command is tested."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conformance.container import Container
from tests.conformance.image import Image, docker
from tests.conformance.subject_folder import Subject

LABELS = "com.amazonaws.sagemaker.capabilities."
INITS = ("tini", "dumb-init", "catatonit", "docker-init")


@pytest.fixture
def image(container: Container) -> str:
    if not isinstance(container, Image):
        pytest.skip("a command is tested, not an image")
    return container.image


def configuration(image: str) -> dict[str, Any]:
    return dict(json.loads(docker("image", "inspect", "--format", "{{json .Config}}", image).stdout))


def inside(image: str, program: str) -> str:
    finished = docker("run", "--rm", "--network", "none", "--entrypoint", "bash", image, "-c", program)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


@pytest.mark.contract("A1", "The entry point is no shell and no init, so that SIGTERM and the word `train` reach the program")
def test_the_entry_point_lets_signals_through(image: str) -> None:
    words = [str(word) for word in configuration(image).get("Entrypoint") or ()]
    assert words[:2] not in (["/bin/sh", "-c"], ["sh", "-c"], ["/bin/bash", "-c"])
    assert not any(word.rpartition("/")[2] in INITS for word in words)


@pytest.mark.contract("A1", "Nothing of the image lies in /opt/ml, which the platform may mount over")
def test_opt_ml_is_empty(image: str) -> None:
    assert inside(image, "find /opt/ml -type f 2>/dev/null || true") == ""


@pytest.mark.contract("A6", "bash and python3 are on the PATH, as the SDK's ModelTrainer needs them")
def test_bash_and_python_are_on_board(image: str) -> None:
    assert inside(image, "python3 -c 'print(6 * 7)'").strip() == "42"


@pytest.mark.contract("B1", "The label accept-bind-to-port lets inference pipelines choose the port")
@pytest.mark.contract("B4", "The label multi-models says that the image serves several models")
def test_the_labels_say_what_it_can_do(image: str, subject: Subject) -> None:
    labels: dict[str, str] = configuration(image).get("Labels") or {}
    assert labels.get(LABELS + "accept-bind-to-port") == "true"
    assert labels.get(LABELS + "multi-models") == ("true" if subject.serving["multi_model"] else None)
