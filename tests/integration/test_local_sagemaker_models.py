"""Many models, several containers, a shadow, no machines: endpoints of the local SageMaker with this project's container."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts.local_aws.children import OURS
from scripts.pack import pack
from tests.integration.serving import make_model
from tests.scripts.local_endpoints import deployed, model
from tests.scripts.local_platform import ROLE, Clients, local_platform, until

pytestmark = pytest.mark.slow  # starts Java for each container
KNOWN = json.dumps({"user_id": "u0", "num_recommendations": 3}).encode()
ONE_WORKER = {"SAGEMAKER_MODEL_SERVER_WORKERS": "1"}
LARGE = 5


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clients]:
    """One with small models "one" and "two", and below many/ as many of 33 MB as do not fit into 350 MB."""
    folder = tmp_path_factory.mktemp("models")
    with local_platform(OURS) as clients:
        for name, songs in (("one", 40), ("two", 41)):
            put(clients, folder, f"{name}.tar.gz", songs=songs)
            model(clients, name, **ONE_WORKER)
        for number in range(LARGE):
            put(clients, folder, f"many/m{number}.tar.gz", songs=20_000 + number, neighbours=200)
        yield clients


def put(aws: Clients, folder: Path, key: str, **size: int) -> None:
    place = folder / key.replace("/", "-").removesuffix(".tar.gz")
    pack(make_model(place, **size), place.with_suffix(".tar.gz"))
    aws.s3.upload_file(str(place.with_suffix(".tar.gz")), "local", key)


def ask(aws: Clients, endpoint: str, body: bytes = KNOWN, **more: Any) -> dict[str, Any]:
    answer = aws.runtime.invoke_endpoint(EndpointName=endpoint, Body=body, ContentType="application/json", **more)
    return dict(json.loads(answer["Body"].read()))


def test_more_models_than_the_memory_holds_are_all_answered(aws: Clients, capsys: pytest.CaptureFixture[str]) -> None:
    container = {"Image": "any", "Mode": "MultiModel", "ModelDataUrl": "s3://local/many/"}
    environment = {**ONE_WORKER, "SERVING_MEMORY_LIMIT_MB": "300"}
    aws.sagemaker.create_model(ModelName="many", PrimaryContainer={**container, "Environment": environment}, ExecutionRoleArn=ROLE)
    deployed(aws, "many", {"ModelName": "many"})
    for number in (*range(LARGE), 0):
        assert len(ask(aws, "many", TargetModel=f"m{number}.tar.gz")["recommendations"]) == 3
    out = capsys.readouterr().out
    assert out.count(": loaded") == LARGE + 1
    assert "model m0.tar.gz: unloaded" in out
    with pytest.raises(aws.runtime.exceptions.ModelError) as caught:
        ask(aws, "many", b'{"user": "u0"}', TargetModel="m0.tar.gz")
    assert caught.value.response["OriginalStatusCode"] == 422
    aws.sagemaker.delete_endpoint(EndpointName="many")


def test_in_a_pipeline_our_container_hands_on_what_it_answers(aws: Clients) -> None:
    listed = [
        {"Image": "any", "ContainerHostname": name, "ModelDataUrl": "s3://local/one.tar.gz", "Environment": ONE_WORKER} for name in "ab"
    ]
    aws.sagemaker.create_model(ModelName="line", Containers=listed, ExecutionRoleArn=ROLE)
    deployed(aws, "line", {"ModelName": "line"})
    with pytest.raises(aws.runtime.exceptions.ModelError, match=r"client error \(422\) from b") as caught:
        ask(aws, "line")
    assert "recommendations" in json.loads(caught.value.response["OriginalMessage"])["error"]["message"]  # no field of a request
    aws.sagemaker.delete_endpoint(EndpointName="line")


def test_answers_are_captured_as_json_and_those_of_a_shadow_too(aws: Clients) -> None:
    machine = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    types = {"JsonContentTypes": ["application/json"]}
    options = [{"CaptureMode": "InputAndOutput"}]
    capture = {"InitialSamplingPercentage": 100, "DestinationS3Uri": "s3://local/seen", "CaptureOptions": options}
    deployed(
        aws,
        "watched",
        {"ModelName": "one"},
        ShadowProductionVariants=[{"VariantName": "shadow", "ModelName": "two", **machine}],
        DataCaptureConfig={**capture, "CaptureContentTypeHeader": types},
    )
    answer = ask(aws, "watched", InferenceId="id-1")
    aws.sagemaker.delete_endpoint(EndpointName="watched")
    keys = until(lambda: sorted(aws.keys("seen/watched/")), lambda found: len(found) == 2, 30)
    production, shadow = [json.loads(aws.get(f"s3://local/{key}")) for key in keys]
    assert production["captureData"]["endpointInput"]["data"] == KNOWN.decode()
    assert production["captureData"]["endpointOutput"]["encoding"] == "JSON"
    assert json.loads(production["captureData"]["endpointOutput"]["data"]) == answer
    assert shadow["eventMetadata"]["inferenceId"] == production["eventMetadata"]["inferenceId"] == "id-1"
    assert len(json.loads(shadow["captureData"]["endpointOutput"]["data"])["recommendations"]) == 3


def test_a_serverless_endpoint_of_one_gigabyte_answers(aws: Clients) -> None:
    deployed(aws, "serverless", {"ModelName": "one", "ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 5}})
    assert len(ask(aws, "serverless")["recommendations"]) == 3
    aws.sagemaker.delete_endpoint(EndpointName="serverless")
