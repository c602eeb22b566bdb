"""Endpoints of the local SageMaker that have many models, several containers or no machines, asked through boto3."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.scripts.local_endpoints import archive, ask, deployed, model, refused
from tests.scripts.local_platform import ROLE, Clients, local_platform, until

MANY = ("a", "b", "c", "d")


@pytest.fixture(scope="module")
def aws() -> Iterator[Clients]:
    """One with an endpoint "many", whose container has memory for two models."""
    with local_platform() as clients:
        clients.put(**{f"many/{name}.tar.gz": archive(name=name) for name in MANY})
        clients.put(**{"many/broken.tar.gz": archive(broken="yes"), "many/text.tar.gz": "no archive", "one.tar.gz": archive(name="one")})
        many(clients, "many", MODEL_SLOTS="2")
        model(clients, "one")
        deployed(clients, "many", {"ModelName": "many"})
        yield clients


def many(aws: Clients, name: str, cache: str = "Enabled", **environment: str) -> None:
    container = {
        "Image": "any",
        "Mode": "MultiModel",
        "ModelDataUrl": "s3://local/many/",
        "MultiModelConfig": {"ModelCacheSetting": cache},
        "Environment": environment,
    }
    aws.sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=ROLE)


def assert_all_answered(aws: Clients, endpoint: str) -> None:
    """Asks for four models, eight at the same time."""
    names = [MANY[(7 * number + number // 5) % 4] for number in range(60)]
    with ThreadPoolExecutor(8) as callers:
        answers = list(callers.map(lambda name: ask(aws, endpoint=endpoint, TargetModel=f"{name}.tar.gz")["model"]["name"], names))
    assert answers == names


def containers(aws: Clients, name: str, mode: str, *environments: dict[str, str]) -> None:
    """Makes a model of several containers, called c1, c2, ..."""
    listed = [
        {"Image": "any", "ContainerHostname": f"c{number}", "ModelDataUrl": "s3://local/one.tar.gz", "Environment": environment}
        for number, environment in enumerate(environments, 1)
    ]
    aws.sagemaker.create_model(ModelName=name, Containers=listed, InferenceExecutionConfig={"Mode": mode}, ExecutionRoleArn=ROLE)


def test_a_target_model_is_loaded_when_first_asked_for_and_stays(aws: Clients) -> None:
    first = ask(aws, endpoint="many", TargetModel="a.tar.gz")
    again = ask(aws, endpoint="many", TargetModel="/a.tar.gz")
    assert first["model"] == again["model"] == {"name": "a"}
    assert again["events"].count("+a") == 1
    assert first["path"].startswith("/models/")
    assert first["path"].endswith("/invoke")
    assert first["headers"]["x-amzn-sagemaker-target-model"] == "a.tar.gz"
    assert first["environment"]["SAGEMAKER_MULTI_MODEL"] == "true"


def test_where_memory_ends_the_least_recently_used_model_goes(aws: Clients) -> None:
    for name in ("a", "b", "a", "c"):
        events = ask(aws, endpoint="many", TargetModel=f"{name}.tar.gz")["events"]
    assert events[-2:] == ["-b", "+c"]  # of a and b, b was asked longer ago
    for name in ("b", "a"):
        events = ask(aws, endpoint="many", TargetModel=f"{name}.tar.gz")["events"]
    assert events[-4:] == ["-a", "+b", "-c", "+a"]


def test_many_callers_of_more_models_than_fit_are_all_answered_by_the_right_one(aws: Clients) -> None:
    assert_all_answered(aws, "many")


def test_a_server_that_was_started_again_loads_its_models_again(aws: Clients) -> None:
    before = ask(aws, endpoint="many", TargetModel="d.tar.gz")
    refused(aws, b"die", "many", TargetModel="d.tar.gz")

    def now() -> dict[str, Any]:
        try:
            return ask(aws, endpoint="many", TargetModel="d.tar.gz")
        except ClientError:
            return {}

    after = until(now, lambda answer: answer != {}, 15)
    assert (after["model"], after["pid"] != before["pid"], after["events"]) == ({"name": "d"}, True, ["+d"])


@pytest.mark.parametrize(
    ("target", "code", "said"),
    [
        (None, "ValidationError", "missing a target model header"),
        ("nobody.tar.gz", "ValidationError", r"Failed to download model data\(bucket: local, key: many/nobody.tar.gz\)"),
        ("text.tar.gz", "ValidationError", "Failed to extract model data archive"),
        ("broken.tar.gz", "ModelError", r"client error \(422\) from many with message .a broken model"),
    ],
)
def test_a_target_model_that_is_missing_unknown_or_broken_is_refused(aws: Clients, target: str | None, code: str, said: str) -> None:
    error = refused(aws, endpoint="many", **({"TargetModel": target} if target else {}))
    assert error.response["Error"]["Code"] == code
    with pytest.raises(ClientError, match=said):
        raise error


def test_without_a_cache_a_model_is_unloaded_after_each_use(aws: Clients) -> None:
    many(aws, "uncached", "Disabled", MODEL_SLOTS="1")
    deployed(aws, "uncached", {"ModelName": "uncached"})
    for name in ("a", "a", "b"):
        events = ask(aws, endpoint="uncached", TargetModel=f"{name}.tar.gz")["events"]
    assert events == ["+a", "-a", "+a", "-a", "+b"]
    assert_all_answered(aws, "uncached")  # also where one must go before the next can come
    aws.sagemaker.delete_endpoint(EndpointName="uncached")


def test_in_a_pipeline_body_and_type_of_one_answer_are_the_next_request(aws: Clients) -> None:
    containers(aws, "line", "Serial", {"PLACE": "first"}, {"PLACE": "second"})
    assert len(deployed(aws, "line", {"ModelName": "line"})["ProductionVariants"][0]["DeployedImages"]) == 2
    second = ask(aws, b"hello", "line", ContentType="text/csv", Accept="application/json", CustomAttributes="t=1", InferenceId="i")
    assert second["environment"]["PLACE"] == "second"
    assert (second["headers"]["content-type"], second["headers"]["accept"]) == ("application/json", "application/json")
    assert second["headers"]["x-amzn-sagemaker-inference-id"] == "i"
    assert '"body": "hello"' in second["body"]  # what the first one saw ...
    assert '"content-type": "text/csv"' in second["body"]
    assert '"accept": "application/json"' not in second["body"]  # ... which chooses by itself what goes between them
    low, high = map(int, second["environment"]["SAGEMAKER_SAFE_PORT_RANGE"].split("-"))
    assert low <= high
    assert not low <= int(second["environment"]["SAGEMAKER_BIND_TO_PORT"]) <= high
    error = refused(aws, b"status 415 not this", "line")
    assert (error.response["OriginalStatusCode"], error.response["OriginalMessage"]) == (415, "not this")
    assert "Received client error (415) from c1" in str(error)
    assert "serial pipeline" in str(refused(aws, endpoint="line", TargetContainerHostname="c1"))

    aws.put(**{"lines/x": "hi"})
    aws.sagemaker.create_transform_job(
        TransformJobName="line",
        ModelName="line",
        TransformInput={"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://local/lines/"}}},
        TransformOutput={"S3OutputPath": "s3://local/told"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )
    until(lambda: aws.keys("told/"), lambda keys: keys == ["told/x.out"], 20)
    assert b'"PLACE": "second"' in aws.get("s3://local/told/x.out")
    aws.sagemaker.delete_endpoint(EndpointName="line")


def test_of_direct_containers_a_request_names_one(aws: Clients) -> None:
    containers(aws, "direct", "Direct", {"PLACE": "first"}, {"PLACE": "second"})
    deployed(aws, "direct", {"ModelName": "direct"})
    for name, place in (("c1", "first"), ("c2", "second")):
        assert ask(aws, endpoint="direct", TargetContainerHostname=name)["environment"]["PLACE"] == place
    for named, said in (({}, "missing a target container header"), ({"TargetContainerHostname": "c3"}, "must be one of c1, c2")):
        error = refused(aws, endpoint="direct", **named)
        assert error.response["Error"]["Code"] == "ValidationError"
        assert said in str(error)
    aws.sagemaker.delete_endpoint(EndpointName="direct")


def test_a_container_of_a_pipeline_that_cannot_start_is_named(aws: Clients) -> None:
    containers(aws, "half", "Serial", {}, {"REFUSES": "yes"})
    with pytest.raises(AssertionError, match="The c2 container for production variant half did not pass the ping health check"):
        deployed(aws, "half", {"ModelName": "half"})
    aws.sagemaker.delete_endpoint(EndpointName="half")


def test_a_serverless_endpoint_has_one_worker_its_memory_and_a_limit_of_requests_at_once(aws: Clients) -> None:
    deployed(aws, "serverless", {"ModelName": "one", "ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 1}})
    environment = ask(aws, endpoint="serverless")["environment"]
    assert (environment["SAGEMAKER_MODEL_SERVER_WORKERS"], environment["SERVING_MEMORY_LIMIT_MB"]) == ("1", "2048")
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(lambda: aws.runtime.invoke_endpoint(EndpointName="serverless", Body=b"sleep 1")["Body"].read())
        time.sleep(0.3)
        error = refused(aws, endpoint="serverless")
        assert slow.result() == b"rested"
    assert (error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]) == ("ThrottlingException", 429)
    aws.sagemaker.delete_endpoint(EndpointName="serverless")


CAPTURE = {"InitialSamplingPercentage": 100, "DestinationS3Uri": "s3://local/seen", "CaptureOptions": [{"CaptureMode": "Input"}]}
SERVERLESS = {"ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 1}}
MACHINE = {"InstanceType": "ml.m5.large"}
SHADOWS = {"ShadowProductionVariants": [{"VariantName": "s", "ModelName": "one", **MACHINE}]}
LATER = {"AsyncInferenceConfig": {"OutputConfig": {"S3OutputPath": "s3://local/answers"}}}


@pytest.mark.parametrize(
    ("variant", "more", "said"),
    [
        ({"ModelName": "many", **SERVERLESS}, {}, "Serverless endpoints do not support this: multi-model"),
        ({"ModelName": "one", **SERVERLESS}, {"DataCaptureConfig": CAPTURE}, "do not support this: data capture"),
        ({"ModelName": "one", **SERVERLESS}, LATER, "do not support this: asynchronous"),
        ({"ModelName": "one", "ServerlessConfig": {"MemorySizeInMB": 1500, "MaxConcurrency": 1}}, {}, "MemorySizeInMB 1500 is none of"),
        ({"ModelName": "many", **MACHINE}, SHADOWS, "Shadow variants are not supported for multi-model endpoints"),
        ({"ModelName": "one", **MACHINE}, {**SHADOWS, **LATER}, "Shadow variants are not supported for asynchronous endpoints"),
        ({"ModelName": "one", **MACHINE, "VariantName": "s"}, SHADOWS, "names of their own: s, s"),
        ({"ModelName": "one", **MACHINE, "InitialVariantWeight": 0}, SHADOWS, "needs a weight above 0"),
        ({"ModelName": "many", **MACHINE}, LATER, "Asynchronous endpoints do not support multi-model"),
        ({"ModelName": "one", **MACHINE}, {**LATER, "DataCaptureConfig": CAPTURE}, "does not do this: data capture of asynchronous"),
    ],
)
def test_what_does_not_go_together_is_a_validation_exception(
    aws: Clients, variant: dict[str, Any], more: dict[str, Any], said: str
) -> None:
    with pytest.raises(ClientError, match=said) as caught:
        aws.sagemaker.create_endpoint_config(EndpointConfigName="wrong", ProductionVariants=[{"VariantName": "v", **variant}], **more)
    assert caught.value.response["Error"]["Code"] == "ValidationException"


@pytest.mark.parametrize(
    ("model_", "said"),
    [
        (
            {"PrimaryContainer": {"Image": "x", "Mode": "MultiModel", "ModelDataUrl": "s3://b/m.tar.gz"}},
            "is a prefix, not one model.tar.gz",
        ),
        (
            {"PrimaryContainer": {"Image": "x", "MultiModelConfig": {"ModelCacheSetting": "Disabled"}}},
            "is for containers of the Mode Multi",
        ),
        ({"Containers": [{"Image": "x"}, {"Image": "y", "Mode": "MultiModel", "ModelDataUrl": "s3://b/m/"}]}, "among several containers"),
        ({"Containers": [{"Image": "x", "ContainerHostname": "a"}, {"Image": "y", "ContainerHostname": "a"}]}, "names of their own: a, a"),
        ({"Containers": [{"Image": "x"}], "InferenceExecutionConfig": {"Mode": "Serial"}}, "is for models of several Containers"),
        (
            {"Containers": [{"Image": "x"}, {"Image": "y", "ContainerHostname": "a"}], "InferenceExecutionConfig": {"Mode": "Direct"}},
            "every container needs a ContainerHostname",
        ),
    ],
)
def test_a_model_that_aws_would_refuse_is_a_validation_exception(aws: Clients, model_: dict[str, Any], said: str) -> None:
    with pytest.raises(ClientError, match=said) as caught:
        aws.sagemaker.create_model(ModelName="wrong", **model_)
    assert caught.value.response["Error"]["Code"] == "ValidationException"
