from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

import inference
from container.serving import handler
from container.serving.frames import FramedRequest
from container.serving.responder import JSON, Responder
from inference.errors import ArtifactError
from tests.integration.serving import KNOWN, make_model

BODY = json.dumps(KNOWN).encode()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model(tmp_path_factory.mktemp("ml") / "model")


@pytest.fixture
def responder(model: Path) -> Responder:
    return Responder(model, max_response=10_000)


def test_a_model_that_is_not_there_is_an_artifact_error(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError):
        Responder(tmp_path, max_response=1)


def test_a_request_is_answered_in_json(responder: Responder) -> None:
    reply = responder.reply(BODY, JSON, None)
    assert (reply.status, reply.content_type) == (200, JSON)
    assert [r["item_id"] for r in json.loads(reply.body)["recommendations"]] == ["s1", "s2", "s3"]


@pytest.mark.parametrize("accept", [None, "", "*/*", " */* "])
def test_the_default_accept_counts_where_the_caller_asks_for_nothing(model: Path, accept: str | None) -> None:
    responder = Responder(model, default_accept="text/csv", max_response=10_000)
    assert responder.reply(BODY, JSON, accept).content_type == "text/csv"
    assert responder.reply(BODY, JSON, JSON).content_type == JSON


def test_the_callers_mistake_is_named_with_the_requests_id(responder: Responder) -> None:
    reply = responder.reply(b"{", JSON, None, "id-1")
    assert (reply.status, reply.content_type) == (400, JSON)
    assert json.loads(reply.body)["error"]["request_id"] == "id-1"


def test_an_answer_over_the_limit_says_what_to_do(model: Path) -> None:
    reply = Responder(model, max_response=50).reply(BODY, JSON, None)
    assert reply.status == 413
    assert json.loads(reply.body)["error"]["code"] == "response_too_large"
    assert "Ask for fewer recommendations" in json.loads(reply.body)["error"]["message"]


@pytest.mark.parametrize(("problem", "status"), [(KeyError("sécret ☃"), 500), (RecursionError(), 500), (MemoryError(), 507)])
def test_a_bug_is_told_to_the_log_and_not_to_the_caller(
    responder: Responder, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, problem: Exception, status: int
) -> None:
    def fail(*_: Any) -> None:
        raise problem

    monkeypatch.setattr(inference, "predict_each", fail)
    with caplog.at_level(logging.ERROR):
        reply = responder.reply(b'{"user_id": "s\xc3\xa9cret"}', JSON, None, "id-2")
    assert reply.status == status
    assert b"cret" not in reply.body
    assert b"Traceback" not in reply.body
    assert json.loads(reply.body)["error"]["request_id"] == "id-2"
    assert "id-2" in caplog.text
    assert type(problem).__name__ in caplog.text


def test_the_warm_up_request_is_one_that_any_model_can_answer(responder: Responder) -> None:
    assert responder.warm_up().status == 200


def test_each_request_of_a_frame_has_its_own_status_type_and_account(responder: Responder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handler, "_responder", responder)
    headers = [{"content-type": JSON}, {"content-type": "text/xml"}, {"content-type": JSON, "accept": "text/csv"}]
    answers = [handler.answer(FramedRequest(f"id-{i}", header, BODY)) for i, header in enumerate(headers)]
    found = [(one.id, one.status, one.content_type) for one in answers]
    assert found == [("id-0", 200, JSON), ("id-1", 415, JSON), ("id-2", 200, "text/csv")]
    assert json.loads(answers[1].body)["error"]["request_id"] == "id-1"
    accounts = [json.loads("{" + one.headers[handler.ACCOUNT_HEADER] + "}") for one in answers]
    assert [account.get("error") for account in accounts] == [None, "unsupported_content_type", None]
