"""The runtime of the local SageMaker: what reaches the container, and what comes back, asked through boto3."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.scripts.local_endpoints import ask, at_rest, config, platform_with_endpoint, refused
from tests.scripts.local_platform import Clients, until

MAX_BODY_BYTES = 6_291_456


@pytest.fixture(scope="module")
def aws() -> Iterator[Clients]:
    with platform_with_endpoint() as clients:
        yield clients


def test_a_request_reaches_the_container_with_the_headers_of_the_api_and_no_others(aws: Clients) -> None:
    answer = aws.runtime.invoke_endpoint(
        EndpointName="music",
        Body=b'{"user_id": "u1"}',
        ContentType="application/json",
        Accept="text/csv",
        CustomAttributes="trace=1",
        InferenceId="id-1",
    )
    seen = json.loads(answer["Body"].read())
    assert (seen["path"], seen["body"]) == ("/invocations", '{"user_id": "u1"}')
    headers = seen["headers"]
    assert (headers["content-type"], headers["accept"]) == ("application/json", "text/csv")
    assert headers["x-amzn-sagemaker-custom-attributes"] == "trace=1"
    assert headers["x-amzn-sagemaker-inference-id"] == "id-1"
    assert not {"authorization", "amz-sdk-invocation-id", "x-amz-date"} & headers.keys()
    assert (answer["ContentType"], answer["CustomAttributes"], answer["InvokedProductionVariant"]) == ("text/csv", "model=7", "v-one")


def test_the_model_is_unpacked_and_the_environment_is_the_models(aws: Clients) -> None:
    seen = ask(aws)
    assert seen["model"] == {"name": "one"}
    assert seen["environment"]["AWS_REGION"] == "us-east-1"
    assert "AWS_SECRET_ACCESS_KEY" not in seen["environment"]


@pytest.mark.parametrize(("status", "side"), [(400, "client"), (415, "client"), (500, "server"), (503, "server")])
def test_what_the_container_refuses_is_a_model_error_with_its_own_words(aws: Clients, status: int, side: str) -> None:
    error = refused(aws, f'status {status} {{"error": "naïve"}}'.encode())
    assert type(error).__name__ == "ModelError"
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert error.response["OriginalStatusCode"] == status
    assert json.loads(error.response["OriginalMessage"]) == {"error": "naïve"}
    assert f"Received {side} error ({status}) from v-one" in error.response["Error"]["Message"]
    assert error.response["LogStreamArn"].endswith("/aws/sagemaker/Endpoints/music")


def test_an_unknown_endpoint_variant_or_model_is_a_validation_error(aws: Clients) -> None:
    for error, said in (
        (refused(aws, endpoint="other"), "Endpoint other of account 123456789012 not found"),
        (refused(aws, TargetVariant="nobody"), "Variant nobody not found"),
        (refused(aws, TargetModel="m.tar.gz"), "not a multi-model endpoint"),
        (refused(aws, TargetContainerHostname="c"), "not a multi-container endpoint"),
        (refused(aws, InferenceComponentName="c"), "has no inference components"),
    ):
        assert error.response["Error"]["Code"] == "ValidationError"
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 400
        assert said in error.response["Error"]["Message"]


def test_a_body_of_the_limit_passes_and_one_byte_more_does_not(aws: Clients) -> None:
    assert ask(aws, b"x" * MAX_BODY_BYTES)["size"] == MAX_BODY_BYTES
    error = refused(aws, b"x" * (MAX_BODY_BYTES + 1))
    assert error.response["Error"]["Code"] == "ValidationError"
    assert "oversize body" in error.response["Error"]["Message"]


def test_an_answer_of_the_limit_passes_and_one_byte_more_is_a_model_error(aws: Clients) -> None:
    answer = aws.runtime.invoke_endpoint(EndpointName="music", Body=f"size {MAX_BODY_BYTES}".encode())
    assert len(answer["Body"].read()) == MAX_BODY_BYTES
    assert "6291457 bytes" in str(refused(aws, f"size {MAX_BODY_BYTES + 1}".encode()))


def test_answers_are_not_streamed_and_the_error_says_what_to_use(aws: Clients) -> None:
    with pytest.raises(ClientError, match="use InvokeEndpoint"):
        aws.runtime.invoke_endpoint_with_response_stream(EndpointName="music", Body=b"{}")


def test_variants_get_their_share_and_one_can_be_named_and_weights_can_change(aws: Clients) -> None:
    config(aws, "both", one=3, two=1)
    aws.sagemaker.create_endpoint(EndpointName="shared", EndpointConfigName="both")
    answer = at_rest(aws, "shared")
    assert [(one["VariantName"], one["CurrentWeight"]) for one in answer["ProductionVariants"]] == [("v-one", 3.0), ("v-two", 1.0)]
    counts = Counter(ask(aws, endpoint="shared")["model"]["name"] for _ in range(80))
    assert counts["one"] + counts["two"] == 80
    assert 40 <= counts["one"] <= 76  # 60 of 80, with five standard deviations of 3.9
    assert ask(aws, endpoint="shared", TargetVariant="v-two")["model"]["name"] == "two"

    weights = [{"VariantName": "v-one", "DesiredWeight": 0}, {"VariantName": "v-two", "DesiredWeight": 1}]
    aws.sagemaker.update_endpoint_weights_and_capacities(EndpointName="shared", DesiredWeightsAndCapacities=weights)
    assert {ask(aws, endpoint="shared")["model"]["name"] for _ in range(10)} == {"two"}
    shifted = {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0}}}
    with pytest.raises(ClientError, match="does not do this: DeploymentConfig"):
        aws.sagemaker.update_endpoint(EndpointName="shared", EndpointConfigName="both", DeploymentConfig=shifted)
    aws.sagemaker.update_endpoint(EndpointName="shared", EndpointConfigName="both", RetainAllVariantProperties=True)
    assert [one["CurrentWeight"] for one in at_rest(aws, "shared")["ProductionVariants"]] == [0.0, 1.0]
    excluded = [{"VariantPropertyType": "DesiredWeight"}]
    aws.sagemaker.update_endpoint(
        EndpointName="shared", EndpointConfigName="both", RetainAllVariantProperties=True, ExcludeRetainedVariantProperties=excluded
    )
    assert [one["CurrentWeight"] for one in at_rest(aws, "shared")["ProductionVariants"]] == [3.0, 1.0]
    aws.sagemaker.delete_endpoint(EndpointName="shared")


def test_a_serverless_endpoint_takes_four_megabytes(aws: Clients) -> None:
    variant = {"VariantName": "v", "ModelName": "one", "ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 2}}
    aws.sagemaker.create_endpoint_config(EndpointConfigName="serverless", ProductionVariants=[variant])
    aws.sagemaker.create_endpoint(EndpointName="serverless", EndpointConfigName="serverless")
    assert at_rest(aws, "serverless")["ProductionVariants"][0]["CurrentServerlessConfig"]["MemorySizeInMB"] == 2048
    assert ask(aws, b"x" * (4 << 20), "serverless")["size"] == 4 << 20
    assert "oversize body" in str(refused(aws, b"x" * ((4 << 20) + 1), "serverless"))
    aws.sagemaker.delete_endpoint(EndpointName="serverless")


def test_an_asynchronous_endpoint_reads_from_s3_and_writes_answers_and_failures_there(aws: Clients) -> None:
    places = {"S3OutputPath": "s3://local/answers", "S3FailurePath": "s3://local/failures/"}
    config(aws, "later", {"OutputConfig": places, "ClientConfig": {"MaxConcurrentInvocationsPerInstance": 2}}, one=1)
    aws.sagemaker.create_endpoint(EndpointName="later", EndpointConfigName="later")
    at_rest(aws, "later")
    aws.put(**{"in/good": "the question", "in/bad": 'status 422 {"error": "no"}', "in/large": "x" * (7 << 20)})

    def later(**request: Any) -> dict[str, Any]:
        return dict(aws.runtime.invoke_endpoint_async(EndpointName="later", **request))

    good = later(
        InputLocation="s3://local/in/good", ContentType="text/csv", Accept="text/plain", CustomAttributes="a=1", InferenceId="id-1"
    )
    bad, large = later(InputLocation="s3://local/in/bad"), later(InputLocation="s3://local/in/large")
    missing, inline = later(InputLocation="s3://local/in/missing"), later(Body=b"here")
    assert (good["InferenceId"], good["ResponseMetadata"]["HTTPStatusCode"]) == ("id-1", 202)
    places_of_answers = [answer["OutputLocation"] for answer in (good, large, inline)] + [one["FailureLocation"] for one in (bad, missing)]
    keys = {place.removeprefix("s3://local/") for place in places_of_answers}
    until(lambda: {*aws.keys("answers/"), *aws.keys("failures/")}, lambda there: there == keys, 20)

    seen = json.loads(aws.get(good["OutputLocation"]))
    assert (seen["body"], seen["headers"]["content-type"], seen["headers"]["accept"]) == ("the question", "text/csv", "text/plain")
    assert seen["headers"]["x-amzn-sagemaker-inference-id"] == "id-1"
    assert json.loads(aws.get(large["OutputLocation"]))["size"] == 7 << 20  # the limit of 6 MB is not for these
    assert json.loads(aws.get(inline["OutputLocation"]))["body"] == "here"
    assert json.loads(aws.get(bad["FailureLocation"])) == {"error": "no"}
    assert b"s3://local/in/missing" in aws.get(missing["FailureLocation"])
    assert "is asynchronous: use InvokeEndpointAsync" in str(refused(aws, endpoint="later"))
    with pytest.raises(ClientError, match="no AsyncInferenceConfig"):
        aws.runtime.invoke_endpoint_async(EndpointName="music", InputLocation="s3://local/in/good")
    aws.sagemaker.delete_endpoint(EndpointName="later")
