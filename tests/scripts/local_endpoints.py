"""Models and endpoints of the other container, for the tests that ask them through boto3."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.scripts.local_platform import ROLE, Clients, local_platform, until


def archive(**files: str) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    return packed.getvalue()


def model(aws: Clients, name: str, archive: str = "", **environment: str) -> None:
    container = {"Image": "any", "ModelDataUrl": f"s3://local/{archive or name}.tar.gz", "Environment": environment}
    aws.sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=ROLE)


def config(aws: Clients, name: str, asynchronous: dict[str, Any] | None = None, **weights: float) -> None:
    machine = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    variants = [{"VariantName": f"v-{one}", "ModelName": one, "InitialVariantWeight": weight, **machine} for one, weight in weights.items()]
    more = {"AsyncInferenceConfig": asynchronous} if asynchronous else {}
    aws.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=variants, **more)


def deployed(aws: Clients, name: str, *variants: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Makes an endpoint of variants, each a ProductionVariant or just its ModelName, and returns its description when it serves."""
    machine = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    whole = [{"VariantName": one["ModelName"], **({} if "ServerlessConfig" in one else machine), **one} for one in variants]
    aws.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=whole, **more)
    aws.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    answer = at_rest(aws, name)
    assert answer["EndpointStatus"] == "InService", answer.get("FailureReason")
    return answer


def at_rest(aws: Clients, name: str) -> dict[str, Any]:
    return until(
        lambda: aws.sagemaker.describe_endpoint(EndpointName=name), lambda answer: answer["EndpointStatus"] not in ("Creating", "Updating")
    )


def ask(aws: Clients, body: bytes = b"{}", endpoint: str = "music", **more: Any) -> dict[str, Any]:
    return dict(json.loads(aws.runtime.invoke_endpoint(EndpointName=endpoint, Body=body, **more)["Body"].read()))


def refused(aws: Clients, body: bytes = b"{}", endpoint: str = "music", **more: Any) -> ClientError:
    with pytest.raises(ClientError) as caught:
        aws.runtime.invoke_endpoint(EndpointName=endpoint, Body=body, **more)
    return caught.value


@contextmanager
def platform_with_endpoint() -> Iterator[Clients]:
    """One with two models, "one" and "two", and the endpoint "music" that serves the first."""
    with local_platform() as clients:
        clients.put(**{"one.tar.gz": archive(name="one"), "two.tar.gz": archive(name="two"), "broken.tar.gz": "no archive"})
        model(clients, "one")
        model(clients, "two")
        config(clients, "one", one=1)
        clients.sagemaker.create_endpoint(EndpointName="music", EndpointConfigName="one")
        assert at_rest(clients, "music")["EndpointStatus"] == "InService"
        yield clients
