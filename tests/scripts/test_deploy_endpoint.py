"""Endpoints against moto; what moto lacks (updates, rollbacks) against a SageMaker made up here."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator

from scripts import aws, create_training_job, deploy_endpoint, teardown
from scripts.command_line import CommandError
from scripts.endpoint_request import models_place
from scripts.trained_model import TrainedModel

IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/music-recommender:v1"
ROLE = "arn:aws:iam::123456789012:role/SageMaker"
MODEL = ["--model-data", "s3://models/out/job-1/output/model.tar.gz", "--image", IMAGE, "--role", ROLE]
OTHER = "s3://models/other/model.tar.gz"
MANY = ["--multi-model", "--image", IMAGE, "--role", ROLE, "--model-data", "s3://models/many"]


def test_the_requests_have_the_form_that_the_api_asks_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert deploy_endpoint.main(["music", *MODEL, "--env", "SAGEMAKER_MODEL_SERVER_WORKERS=2", "--tag", "team=music", "--dry-run"]) == 0
    planned = json.loads(capsys.readouterr().out)
    model = boto3.client("sagemaker").meta.service_model
    for method, operation in (
        ("create_model", "CreateModel"),
        ("create_endpoint_config", "CreateEndpointConfig"),
        ("create_endpoint", "CreateEndpoint"),
    ):
        shape = model.operation_model(operation).input_shape
        for request in planned[method] if method == "create_model" else [planned[method]]:
            assert ParamValidator().validate(request, shape).generate_report() == ""
            assert request["Tags"] == [{"Key": "team", "Value": "music"}]
    (served,) = planned["create_model"]
    assert served["PrimaryContainer"] == {
        "Image": IMAGE,
        "ModelDataUrl": "s3://models/out/job-1/output/model.tar.gz",
        "Environment": {"SAGEMAKER_MODEL_SERVER_WORKERS": "2"},
    }
    name = served["ModelName"]
    assert name.startswith("music-2")
    assert planned["create_endpoint"] | {"Tags": None} == {"EndpointName": "music", "EndpointConfigName": name, "Tags": None}


def test_serverless_asks_for_memory_and_for_no_machine(capsys: pytest.CaptureFixture[str]) -> None:
    deploy_endpoint.main(["music", *MODEL, "--serverless-memory", "2048", "--max-concurrency", "3", "--dry-run"])
    (variant,) = json.loads(capsys.readouterr().out)["create_endpoint_config"]["ProductionVariants"]
    assert variant["ServerlessConfig"] == {"MemorySizeInMB": 2048, "MaxConcurrency": 3}
    assert "InstanceType" not in variant


def test_each_further_option_stands_in_its_request_and_botocore_accepts_it(capsys: pytest.CaptureFixture[str]) -> None:
    options = [
        *("--subnet", "subnet-1", "--security-group", "sg-1", "--network-isolation", "--kms-key", "key-1"),
        *(
            "--async-output",
            "s3://bkt/answers",
            "--async-failures",
            "s3://bkt/failures",
            "--capture",
            "s3://bkt/seen",
            "--capture-percentage",
            "5",
        ),
        *("--challenger", "s3://b/other/model.tar.gz", "--challenger-share", "0.25"),
    ]
    assert deploy_endpoint.main(["music", *MODEL, *options, "--dry-run"]) == 0
    planned = json.loads(capsys.readouterr().out)
    service = boto3.client("sagemaker").meta.service_model
    for request in planned["create_model"]:
        assert ParamValidator().validate(request, service.operation_model("CreateModel").input_shape).generate_report() == ""
        assert request["VpcConfig"] == {"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}
        assert request["EnableNetworkIsolation"] is True
    config = planned["create_endpoint_config"]
    assert ParamValidator().validate(config, service.operation_model("CreateEndpointConfig").input_shape).generate_report() == ""
    assert {one["ModelName"]: one["InitialVariantWeight"] for one in config["ProductionVariants"]} == {
        planned["create_model"][0]["ModelName"]: 0.75,
        planned["create_model"][1]["ModelName"]: 0.25,
    }
    assert planned["create_model"][1]["PrimaryContainer"]["ModelDataUrl"] == "s3://b/other/model.tar.gz"
    output = {"S3OutputPath": "s3://bkt/answers", "S3FailurePath": "s3://bkt/failures", "KmsKeyId": "key-1"}
    assert config["AsyncInferenceConfig"]["OutputConfig"] == output
    assert (config["DataCaptureConfig"]["DestinationS3Uri"], config["DataCaptureConfig"]["InitialSamplingPercentage"]) == (
        "s3://bkt/seen",
        5,
    )
    assert config["KmsKeyId"] == config["DataCaptureConfig"]["KmsKeyId"] == "key-1"


def accepted(planned: dict[str, Any]) -> None:
    """Botocore would send these requests."""
    service = boto3.client("sagemaker").meta.service_model
    requests = [("CreateModel", one) for one in planned["create_model"]] + [("CreateEndpointConfig", planned["create_endpoint_config"])]
    for operation, request in requests:
        assert ParamValidator().validate(request, service.operation_model(operation).input_shape).generate_report() == ""


@pytest.mark.parametrize(("options", "cache"), [([], "Enabled"), (["--no-model-cache"], "Disabled")])
def test_a_multi_model_endpoint_serves_what_is_below_a_prefix(capsys: pytest.CaptureFixture[str], options: list[str], cache: str) -> None:
    deploy_endpoint.main(["music", *MANY, *options, "--dry-run"])
    planned = json.loads(capsys.readouterr().out)
    accepted(planned)
    container = planned["create_model"][0]["PrimaryContainer"]
    assert (container["Mode"], container["ModelDataUrl"]) == ("MultiModel", "s3://models/many/")
    assert container["MultiModelConfig"] == {"ModelCacheSetting": cache}


def test_of_a_training_job_a_multi_model_endpoint_serves_the_models_of_all_jobs_beside_it() -> None:
    model = TrainedModel("s3://models/out/job-1/output/model.tar.gz", IMAGE, ROLE)
    assert models_place(model) == ("s3://models/out/", "job-1/output/model.tar.gz")


def test_a_shadow_is_a_model_and_a_variant_of_its_own_beside_production(capsys: pytest.CaptureFixture[str]) -> None:
    deploy_endpoint.main(["music", *MODEL, "--shadow", OTHER, "--shadow-share", "0.5", "--capture", "s3://bkt/seen", "--dry-run"])
    planned = json.loads(capsys.readouterr().out)
    accepted(planned)
    main, other = planned["create_model"]
    config = planned["create_endpoint_config"]
    (production,), (shadow,) = config["ProductionVariants"], config["ShadowProductionVariants"]
    assert (production["ModelName"], production["InitialVariantWeight"]) == (main["ModelName"], 1.0)
    assert (shadow["ModelName"], shadow["InitialVariantWeight"]) == (other["ModelName"], 0.5)
    assert (other["ModelName"], other["PrimaryContainer"]["ModelDataUrl"]) == (f"{main['ModelName']}-s", OTHER)


@pytest.mark.usefixtures("aws_account")
def test_the_model_of_a_training_job_is_served_with_its_image_and_role_and_torn_down_again(capsys: pytest.CaptureFixture[str]) -> None:
    job = ["--image", IMAGE, "--role", ROLE, "--output", "s3://models/out", "--name", "job-1", "--items", "s3://data/songs/"]
    create_training_job.main(job)
    assert deploy_endpoint.main(["music", "--training-job", "job-1", "--instance-type", "ml.c5.large", "--wait"]) == 0
    sagemaker = boto3.client("sagemaker")
    endpoint = sagemaker.describe_endpoint(EndpointName="music")
    (variant,) = sagemaker.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])["ProductionVariants"]
    model = sagemaker.describe_model(ModelName=variant["ModelName"])
    trained = sagemaker.describe_training_job(TrainingJobName="job-1")
    assert model["PrimaryContainer"]["ModelDataUrl"] == trained["ModelArtifacts"]["S3ModelArtifacts"]
    assert (model["PrimaryContainer"]["Image"], model["ExecutionRoleArn"]) == (IMAGE, ROLE)
    assert (variant["InstanceType"], variant["InitialInstanceCount"]) == ("ml.c5.large", 1)
    assert "scripts/invoke --endpoint music" in capsys.readouterr().out

    assert teardown.main(["music", "--dry-run"]) == 0
    assert len(sagemaker.list_endpoints()["Endpoints"]) == 1
    assert teardown.main(["music", "--yes"]) == 0
    assert sagemaker.list_endpoints()["Endpoints"] == []
    assert sagemaker.list_endpoint_configs()["EndpointConfigs"] == []
    assert sagemaker.list_models()["Models"] == []


@pytest.mark.usefixtures("aws_account")
def test_what_aws_refuses_is_one_sentence() -> None:
    with pytest.raises(CommandError, match="AWS refused DescribeTrainingJob: "):
        deploy_endpoint.main(["music", "--training-job", "not-there"])


def test_a_missing_region_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(CommandError, match="give --region, or set AWS_DEFAULT_REGION"):
        deploy_endpoint.main(["music", *MODEL])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["mu_sic", *MODEL], "mu_sic: an endpoint's name has letters"),
        (["music", "--model-data", "s3://models/model.tar.gz"], "--model-data needs --image and --role too"),
        (["music", "--model-data", "model.tar.gz", "--image", IMAGE, "--role", ROLE], "not an address like s3://"),
        (["music", *MODEL, "--env", "A"], "write it as --env key=value"),
        (["music", *MODEL[:-1], "SageMaker"], "--role SageMaker: not a role's ARN"),
        (["music", *MODEL, "--subnet", "subnet-1"], "needs both --subnet and --security-group"),
        (["music", *MODEL, "--subnet", "net", "--security-group", "sg-1"], "--subnet net: an id is like"),
        (["music", *MODEL, "--serverless-memory", "2048", "--capture", "s3://bkt/c"], "cannot have --capture"),
        (["music", *MODEL, "--async-failures", "s3://bkt/c"], "is for --async-output only"),
        (["music", *MODEL, "--async-output", "b/c"], "--async-output b/c: not an address"),
        (["music", *MODEL, "--challenger", "s3://b/model"], "--challenger s3://b/model: not an address"),
        (["music", *MODEL, "--challenger-share", "2"], "from 0 to 1"),
        (["music", *MODEL, "--shadow-share", "-1"], "--shadow-share -1.0: from 0 to 1"),
        (["music", *MODEL, "--shadow", "s3://b/model"], "--shadow s3://b/model: not an address"),
        (["music", *MODEL, "--no-model-cache"], "is for --multi-model only"),
        (["music", *MODEL, "--multi-model", "--serverless-memory", "1024"], "a serverless endpoint cannot have --multi-model"),
        (["music", *MODEL, "--multi-model", "--shadow", OTHER, "--async-output", "s3://bkt/a"], "cannot have --shadow, --async-output"),
        (["music", *MODEL, "--shadow", OTHER, "--challenger", OTHER], "an endpoint with a shadow cannot have --challenger"),
        (["music", *MANY[:-1], "many"], "--model-data many: not an address"),
    ],
)
def test_a_mistake_is_said_before_anything_is_made(arguments: list[str], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        deploy_endpoint.main([*arguments, "--dry-run"])


class SageMaker:
    """Remembers the calls; ``describe_endpoint`` gives one answer after the other, None for "not found"."""

    def __init__(self, *described: dict[str, Any] | None) -> None:
        self.described = list(described)
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def describe_endpoint(self, EndpointName: str) -> dict[str, Any]:
        answer = self.described.pop(0)
        if answer is None:
            raise ClientError({"Error": {"Code": "ValidationException", "Message": "Could not find endpoint"}}, "DescribeEndpoint")
        return answer

    def describe_training_job(self, TrainingJobName: str) -> dict[str, Any]:
        return {"TrainingJobStatus": "InProgress"}

    def __getattr__(self, name: str) -> Any:
        return lambda **arguments: self.calls.append((name, arguments))


def deployed(monkeypatch: pytest.MonkeyPatch, sagemaker: SageMaker, *arguments: str) -> int:
    monkeypatch.setattr(aws, "client", lambda service, *_: sagemaker if service == "sagemaker" else None)
    monkeypatch.setattr(aws, "unique_name", lambda prefix: f"{prefix}-2")
    monkeypatch.setattr(aws, "POLL_SECONDS", 0.0)
    return deploy_endpoint.main(["music", *arguments])


def test_an_endpoint_that_exists_is_updated(monkeypatch: pytest.MonkeyPatch) -> None:
    old = {"EndpointStatus": "InService", "EndpointConfigName": "music-1"}
    updating = {"EndpointStatus": "Updating", "EndpointConfigName": "music-1"}
    sagemaker = SageMaker(old, updating, {"EndpointStatus": "InService", "EndpointConfigName": "music-2"})
    assert deployed(monkeypatch, sagemaker, *MODEL, "--wait") == 0
    assert [name for name, _ in sagemaker.calls] == ["create_model", "create_endpoint_config", "update_endpoint"]
    assert sagemaker.calls[-1][1] == {"EndpointName": "music", "EndpointConfigName": "music-2"}


def test_an_update_that_rolled_back_is_a_failure(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    old = {"EndpointStatus": "InService", "EndpointConfigName": "music-1"}
    back = {"EndpointStatus": "InService", "EndpointConfigName": "music-1", "FailureReason": "did not pass the ping health check"}
    assert deployed(monkeypatch, SageMaker(old, {**old, "EndpointStatus": "RollingBack"}, back), *MODEL, "--wait") == 1
    assert "did not pass the ping health check" in capsys.readouterr().err


def test_a_training_job_that_is_not_done_has_no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CommandError, match="job-1 is InProgress: only a completed one has a model"):
        deployed(monkeypatch, SageMaker(), "--training-job", "job-1")
