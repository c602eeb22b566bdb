"""Endpoints of the local SageMaker: they start, change, refuse and end as the platform's do, asked through boto3."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from scripts.command_line import CommandError
from scripts.local_aws.children import Processes
from scripts.local_aws.context import Context
from scripts.local_aws.platform_server import platform_server
from scripts.server_processes import alive
from tests.scripts.local_endpoints import ask, at_rest, config, model, platform_with_endpoint, refused
from tests.scripts.local_platform import COMMANDS, Clients, until


@pytest.fixture(scope="module")
def aws() -> Iterator[Clients]:
    with platform_with_endpoint() as clients:
        yield clients


def test_a_server_that_dies_is_a_model_error_and_is_started_again(aws: Clients) -> None:
    before = ask(aws)["pid"]
    assert "did not answer" in str(refused(aws, b"die"))

    def now() -> int | None:
        try:
            return int(ask(aws)["pid"])
        except ClientError:
            return None

    assert until(now, lambda pid: pid is not None, 15) != before


def test_an_update_changes_the_model_without_a_gap_and_deleting_ends_the_processes(aws: Clients) -> None:
    config(aws, "changing-1", one=1)
    model(aws, "slow", "two", SLOW_START="0.5")
    config(aws, "changing-2", slow=1)
    aws.sagemaker.create_endpoint(EndpointName="changing", EndpointConfigName="changing-1")
    with pytest.raises(ClientError, match="Cannot update in-progress endpoint"):
        aws.sagemaker.delete_endpoint(EndpointName="changing")
    aws.sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="changing", WaiterConfig={"Delay": 1})
    first = ask(aws, endpoint="changing")["pid"]

    aws.sagemaker.update_endpoint(EndpointName="changing", EndpointConfigName="changing-2")
    models = []
    while aws.sagemaker.describe_endpoint(EndpointName="changing")["EndpointStatus"] == "Updating":
        models.append(ask(aws, endpoint="changing")["model"]["name"])  # none is refused
    assert set(models[:-1]) <= {"one"}  # the last one may be asked just after the change
    answer = aws.sagemaker.describe_endpoint(EndpointName="changing")
    assert (answer["EndpointStatus"], answer["EndpointConfigName"]) == ("InService", "changing-2")
    second = ask(aws, endpoint="changing")
    assert second["model"]["name"] == "two"
    until(lambda: alive([first]), lambda left: left == [], 5)

    aws.sagemaker.delete_endpoint(EndpointName="changing")
    aws.sagemaker.get_waiter("endpoint_deleted").wait(EndpointName="changing", WaiterConfig={"Delay": 1})
    until(lambda: alive([second["pid"]]), lambda left: left == [], 5)
    assert "not found" in str(refused(aws, endpoint="changing"))


@pytest.mark.parametrize("change", ["update", "delete"])
def test_a_request_that_is_under_way_is_answered_by_the_server_that_is_to_end(aws: Clients, change: str) -> None:
    name = f"busy-{change}"
    config(aws, f"{name}-1", one=1)
    config(aws, f"{name}-2", two=1)
    aws.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=f"{name}-1")
    at_rest(aws, name)
    old = ask(aws, endpoint=name)["pid"]
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(lambda: aws.runtime.invoke_endpoint(EndpointName=name, Body=b"sleep 2")["Body"].read())
        time.sleep(0.3)  # it is with the old server, which would end at once when told to
        if change == "update":
            aws.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=f"{name}-2")
            until(lambda: ask(aws, endpoint=name)["model"]["name"], lambda model: model == "two", 10)
        else:
            aws.sagemaker.delete_endpoint(EndpointName=name)
        assert not slow.done()
        assert slow.result() == b"rested"
    until(lambda: alive([old]), lambda left: left == [], 5)
    if change == "update":
        aws.sagemaker.delete_endpoint(EndpointName=name)


def test_an_endpoint_that_cannot_start_fails_with_the_containers_reason(aws: Clients) -> None:
    model(aws, "refusing", "one", REFUSES="yes")
    model(aws, "broken")
    model(aws, "missing")
    for name, said in (
        (
            "refusing",
            "did not pass the ping health check. It ended with exit code 1; the last line of its log: no model that I could serve",
        ),
        ("broken", "Failed to extract model data archive s3://local/broken.tar.gz"),
        ("missing", "s3://local/missing.tar.gz"),
    ):
        config(aws, name, **{name: 1})
        aws.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
        answer = at_rest(aws, name)
        assert answer["EndpointStatus"] == "Failed"
        assert said in answer["FailureReason"]
        assert "its status is Failed" in str(refused(aws, endpoint=name))
        aws.sagemaker.delete_endpoint(EndpointName=name)


def test_an_update_that_fails_leaves_what_serves(aws: Clients) -> None:
    model(aws, "bad-update", "one", REFUSES="yes")
    config(aws, "bad-update", **{"bad-update": 1})
    aws.sagemaker.update_endpoint(EndpointName="music", EndpointConfigName="bad-update")
    answer = at_rest(aws, "music")
    assert (answer["EndpointStatus"], answer["EndpointConfigName"]) == ("InService", "one")
    assert "ping health check" in answer["FailureReason"]
    assert ask(aws)["model"]["name"] == "one"


@pytest.mark.parametrize(
    ("operation", "request_", "said"),
    [
        ("create_model", {"ModelName": "m"}, "either PrimaryContainer or Containers"),
        ("create_model", {"ModelName": "m", "PrimaryContainer": {"Image": "x", "Mode": "MultiModel"}}, "needs a ModelDataUrl: the prefix"),
        (
            "create_model",
            {"ModelName": "m", "PrimaryContainer": {"Image": "x", "ModelDataUrl": "s3://b/m.zip"}},
            r"must end with \.tar\.gz",
        ),
        ("create_model", {"ModelName": "one", "PrimaryContainer": {"Image": "x"}}, "Cannot create already existing model"),
        ("create_endpoint", {"EndpointName": "e", "EndpointConfigName": "nobody"}, "Could not find endpoint configuration"),
        ("create_endpoint", {"EndpointName": "music", "EndpointConfigName": "one"}, "Cannot create already existing endpoint"),
        ("update_endpoint", {"EndpointName": "nobody", "EndpointConfigName": "one"}, "Could not find endpoint"),
        ("delete_model", {"ModelName": "nobody"}, "Could not find model"),
    ],
)
def test_what_cannot_be_done_is_a_validation_exception(aws: Clients, operation: str, request_: dict[str, Any], said: str) -> None:
    with pytest.raises(ClientError, match=said) as caught:
        getattr(aws.sagemaker, operation)(**request_)
    assert caught.value.response["Error"]["Code"] == "ValidationException"


def test_endpoints_models_and_configurations_are_listed_and_logged(aws: Clients) -> None:
    assert "music" in [one["EndpointName"] for one in aws.sagemaker.list_endpoints(StatusEquals="InService")["Endpoints"]]
    assert "one" in [one["ModelName"] for one in aws.sagemaker.list_models(NameContains="one")["Models"]]
    assert "one" in [one["EndpointConfigName"] for one in aws.sagemaker.list_endpoint_configs()["EndpointConfigs"]]
    assert aws.sagemaker.describe_model(ModelName="one")["PrimaryContainer"]["ModelDataUrl"] == "s3://local/one.tar.gz"
    assert "serving" in aws.log("/aws/sagemaker/Endpoints/music", "v-one/")


def test_another_region_is_refused_with_what_to_do(aws: Clients) -> None:
    elsewhere = Clients(aws.url, "eu-west-1")
    with pytest.raises(ClientError, match="local_sagemaker is in us-east-1, not in eu-west-1"):
        elsewhere.sagemaker.list_models()
    elsewhere.close()


def test_a_port_in_use_is_reported_with_what_to_do(aws: Clients) -> None:
    port = int(aws.url.rpartition(":")[2])
    context = Context("us-east-1", COMMANDS, Processes(COMMANDS))
    with pytest.raises(CommandError, match="choose another with --port"), platform_server(context, port):
        pass
