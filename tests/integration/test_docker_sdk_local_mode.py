"""The SageMaker Python SDK's local mode, as its users write it, with this image: both of its lines train, deploy and predict."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from scripts.sdk_local_mode import ASKED, drive, missing, prepare
from tests.integration.containers import docker

pytestmark = [pytest.mark.docker, pytest.mark.timeout(600)]


def gone_the_whole_way(line: int, image: str, folder: Path, hosts: int = 1) -> list[dict[str, Any]]:
    """Returns the answers, each of which is a known listener's, from the model that was trained. What is printed is the log of the test."""
    if (what := missing(line)) is not None:
        pytest.skip(what)
    prepare(folder)
    assert drive(line, image, folder, hosts) == 0
    with tarfile.open(folder / "trained" / "model.tar.gz") as archive:
        file = archive.extractfile("model.json")
        assert file is not None
        version = json.load(file)["model_version"]
    answers = [one["answer"] for one in json.loads((folder / "answers.json").read_text())]
    assert [len(answer["recommendations"]) for answer in answers] == [3] * ASKED
    assert {(answer["status"], answer["fallback"], answer["model_version"]) for answer in answers} == {("success", None, version)}
    assert str(folder) not in docker("ps", "--all", "--no-trunc", "--format", "{{.Mounts}}{{.Labels}}").stdout
    assert docker("images", "--quiet", "music-recommender-trains").stdout == ""
    return answers


def test_estimators_of_the_2_line_train_on_two_hosts_deploy_predict_and_transform(image: str, tmp_path: Path) -> None:
    answers = gone_the_whole_way(2, image, tmp_path, hosts=2)
    transformed = (tmp_path / "transformed" / "requests.jsonl.out").read_text().splitlines()
    assert [json.loads(line) for line in transformed] == answers


def test_model_trainers_of_the_3_line_train_and_its_local_session_serves(image: str, tmp_path: Path) -> None:
    gone_the_whole_way(3, image, tmp_path)


def test_a_mistake_in_the_hyperparameters_ends_a_fit_with_its_reason(image: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    if (what := missing(2)) is not None:
        pytest.skip(what)
    prepare(tmp_path)
    assert drive(2, image, tmp_path, hyperparameters={"modles": "ease"}) != 0
    log = "".join(capfd.readouterr())
    assert "modles" in log
    assert "Process exited with code: 2" in log
