"""What InvokeEndpoint says in headers beside the types: Custom-Attributes, Inference-Id and Target-Model."""

from __future__ import annotations

from pathlib import Path

import pytest

from inference.artifact import read_model_json
from tests.integration.many_models import MULTI, load
from tests.integration.serving import JSON, KNOWN, Server, make_model, serving

ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"
INFERENCE_ID = "X-Amzn-SageMaker-Inference-Id"
TARGET = "X-Amzn-SageMaker-Target-Model"


@pytest.fixture(scope="module")
def version(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The version of the model that ``server`` has: equal models have equal versions."""
    return str(read_model_json(make_model(tmp_path_factory.mktemp("same")))["model_version"])


def answered(server: Server, attributes: str | None) -> str:
    response = server.invoke(KNOWN, JSON | ({} if attributes is None else {ATTRIBUTES: attributes}))
    assert response.status == 200
    return response.headers[ATTRIBUTES.lower()]


def test_the_attributes_of_an_answer_begin_with_the_models_version(server: Server, version: str) -> None:
    assert answered(server, None) == f"model-version={version}"
    assert answered(server, "trace-id=7, who=me") == f"model-version={version};trace-id=7, who=me"


def test_attributes_longer_than_the_platform_allows_are_left_out_and_never_cut(server: Server, version: str) -> None:
    ours = f"model-version={version};"
    assert answered(server, "x" * (1024 - len(ours))) == ours + "x" * (1024 - len(ours))
    assert answered(server, "x" * (1025 - len(ours))) == ours[:-1]


@pytest.mark.parametrize("odd", ["é", "a\tb", ""])
def test_attributes_that_are_no_visible_ascii_are_not_repeated(server: Server, version: str, odd: str) -> None:
    assert answered(server, odd) == f"model-version={version}"


def test_an_error_says_whose_it_is_too(server: Server, version: str) -> None:
    response = server.invoke(b"{", JSON | {ATTRIBUTES: "a=1"})
    assert (response.status, response.headers[ATTRIBUTES.lower()]) == (400, f"model-version={version};a=1")


def test_long_and_short_attributes_by_turns_cost_no_worker(server: Server) -> None:
    before = server.workers()
    for length in (1, 900, 2, 800) * 20:
        assert len(answered(server, "y" * length)) > length
    assert server.workers() == before


def test_the_inference_id_comes_back_and_stands_in_the_log_beside_our_own_id(server: Server) -> None:
    response = server.invoke(KNOWN, JSON | {INFERENCE_ID: "order-7!"})
    assert response.headers[INFERENCE_ID.lower()] == "order-7!"
    [record] = [record for record in server.records() if record.get("inference_id") == "order-7!"]
    assert (record["id"], record["route"], record["status"]) == (response.headers["x-request-id"], "invocations", 200)


@pytest.mark.parametrize("odd", ["a b status=500", "é", "x" * 65])
def test_an_inference_id_that_could_forge_a_log_line_is_ignored(server: Server, odd: str) -> None:
    response = server.invoke(KNOWN, JSON | {INFERENCE_ID: odd})
    assert response.status == 200
    assert INFERENCE_ID.lower() not in response.headers
    assert "inference_id" not in server.records()[-1]


def test_a_target_model_on_an_endpoint_of_one_model_is_refused_as_the_platform_does(server: Server) -> None:
    response = server.invoke(KNOWN, JSON | {TARGET: "other.tar.gz"})
    assert (response.status, response.json()["error"]["code"]) == (400, "no_multi_model_endpoint")


def test_on_a_multi_model_endpoint_the_key_of_the_model_stands_in_the_log_and_its_version_in_the_answer(tmp_path: Path) -> None:
    make_model(tmp_path / "models" / "0a1b" / "model", songs=50)
    with serving(tmp_path, **MULTI, SAGEMAKER_MODEL_SERVER_WORKERS="1") as server:
        version = load(server.wait_until_healthy(), tmp_path, "0a1b").json()["modelVersion"]
        response = server.post("/models/0a1b/invoke", KNOWN, {TARGET: "rock/é new\tones.tar.gz"})
        assert response.headers[ATTRIBUTES.lower()] == f"model-version={version}"
        assert server.records()[-1]["target"] == "rock/??new?ones.tar.gz"
