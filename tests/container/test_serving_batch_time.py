"""A worker that multi-model-server gives up on goes on for nobody, and holds its memory: so it gives up first, and says so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from container.serving.responder import JSON, Responder
from container.serving.settings import Settings
from tests.integration.serving import KNOWN, make_model

JSON_LINES = "application/jsonlines"
LINE = json.dumps(KNOWN).encode() + b"\n"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model(tmp_path_factory.mktemp("ml") / "model")


def test_a_batch_that_takes_too_long_is_refused_and_says_how_far_it_came(model: Path) -> None:
    reply = Responder(model, max_response=10_000, max_seconds=0).reply(3 * LINE, JSON_LINES, None)
    assert (reply.status, reply.content_type) == (413, JSON)
    assert json.loads(reply.body)["error"]["code"] == "batch_too_slow"
    assert "Of 3 requests 1 were answered in 0 s, which is the limit. Send fewer" in json.loads(reply.body)["error"]["message"]


def test_a_single_request_is_never_refused_for_its_time(model: Path) -> None:
    assert Responder(model, max_response=10_000, max_seconds=0).reply(LINE, JSON, None).status == 200


def test_a_batch_within_its_time_has_an_answer_or_an_error_for_each_line(model: Path) -> None:
    reply = Responder(model, max_response=10_000, max_seconds=60).reply(LINE + b"{\n" + LINE, JSON_LINES, None)
    assert [json.loads(line)["status"] for line in reply.body.splitlines()] == ["success", "error", "success"]


@pytest.mark.parametrize("timeout", ["1", "60", "3600"])
def test_a_worker_gives_up_before_the_server_does(timeout: str) -> None:
    settings = Settings.from_environment({"SAGEMAKER_MODEL_SERVER_TIMEOUT_SECONDS": timeout})
    assert 0 < settings.max_seconds <= 0.8 * settings.timeout
