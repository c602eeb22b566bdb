"""What the local SageMaker keeps of the traffic of an endpoint: shadow variants and data capture, asked through boto3."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest

from scripts.local_aws.asking import Answer
from scripts.local_aws.children import Processes
from scripts.local_aws.context import Context
from scripts.local_aws.data_capture import DataCapture
from tests.scripts.local_endpoints import archive, ask, at_rest, deployed, model, refused
from tests.scripts.local_platform import COMMANDS, Clients, local_platform, until

PATH = re.compile(r"seen/watched/(one|shadow)/\d{4}/\d\d/\d\d/\d\d/\d\d-\d\d-\d{3}-[0-9a-f-]{36}\.jsonl")
TYPES = {"CsvContentTypes": ["text/csv"], "JsonContentTypes": ["application/json"]}
MACHINE = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}


def capture(percentage: int = 100, *modes: str, **more: Any) -> dict[str, Any]:
    options = [{"CaptureMode": mode} for mode in modes or ("Input", "Output")]
    place = {"InitialSamplingPercentage": percentage, "DestinationS3Uri": "s3://local/seen"}
    return {"DataCaptureConfig": {**place, "CaptureOptions": options, "CaptureContentTypeHeader": TYPES, **more}}


def shadow(name: str, weight: float = 1.0) -> dict[str, Any]:
    return {"ShadowProductionVariants": [{"VariantName": "shadow", "ModelName": name, "InitialVariantWeight": weight, **MACHINE}]}


def captured(aws: Clients, endpoint: str) -> list[dict[str, Any]]:
    return [json.loads(line) for key in aws.keys(f"seen/{endpoint}/") for line in aws.get(f"s3://local/{key}").splitlines()]


def closed(aws: Clients, endpoint: str) -> list[dict[str, Any]]:
    """Deletes an endpoint, and returns what was captured of it."""
    aws.sagemaker.delete_endpoint(EndpointName=endpoint)
    return list(until(lambda: captured(aws, endpoint), lambda lines: lines != [], 10))


@pytest.fixture(scope="module")
def aws() -> Iterator[Clients]:
    with local_platform() as clients:
        clients.put(**{"one.tar.gz": archive(name="one"), "two.tar.gz": archive(name="two")})
        model(clients, "one")
        model(clients, "two")
        yield clients


def test_requests_and_answers_are_captured_as_model_monitor_reads_them(aws: Clients) -> None:
    endpoint = deployed(aws, "watched", {"ModelName": "one"}, **shadow("two"), **capture())
    assert endpoint["DataCaptureConfig"] == {
        "EnableCapture": True,
        "CaptureStatus": "Started",
        "CurrentSamplingPercentage": 100,
        "DestinationS3Uri": "s3://local/seen",
        "KmsKeyId": "",
    }
    assert [one["VariantName"] for one in endpoint["ShadowProductionVariants"]] == ["shadow"]
    text = "a,b\n"
    answer = aws.runtime.invoke_endpoint(
        EndpointName="watched",
        Body=text,
        ContentType="text/csv; charset=utf-8",
        Accept="text/csv",
        CustomAttributes="a=1",
        InferenceId="id-1",
    )
    body = answer["Body"].read().decode()
    assert json.loads(body)["model"] == {"name": "one"}
    aws.runtime.invoke_endpoint(EndpointName="watched", Body=b"\xff", ContentType="application/json", Accept="image/png")
    refused(aws, b"status 422 no", "watched")
    begin = time.monotonic()
    lines = closed(aws, "watched")
    assert time.monotonic() - begin < 10  # not after a minute
    lines = until(lambda: captured(aws, "watched"), lambda found: len(found) == 4, 5)

    assert all(PATH.fullmatch(key) for key in aws.keys("seen/"))
    production = [line for line in lines if "invocationSource" not in line["eventMetadata"]]
    first, second = sorted(production, key=lambda line: "inferenceId" not in line["eventMetadata"])
    assert first["captureData"] == {
        "endpointInput": {"observedContentType": "text/csv; charset=utf-8", "mode": "INPUT", "data": text, "encoding": "CSV"},
        "endpointOutput": {"observedContentType": "text/csv", "mode": "OUTPUT", "data": body, "encoding": "CSV"},
    }
    assert first["eventVersion"] == "0"
    metadata = first["eventMetadata"]
    assert (metadata["inferenceId"], metadata["customAttributes"]) == ("id-1", ["a=1"])
    assert re.fullmatch(r"[0-9a-f-]{36}", metadata["eventId"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", metadata["inferenceTime"])
    data = second["captureData"]
    assert data["endpointInput"] == {
        "observedContentType": "application/json",
        "mode": "INPUT",
        "data": base64.b64encode(b"\xff").decode(),
        "encoding": "BASE64",
    }
    assert (data["endpointOutput"]["observedContentType"], data["endpointOutput"]["encoding"]) == ("image/png", "BASE64")

    shadows = [line for line in lines if line["eventMetadata"].get("invocationSource") == "ShadowExperiment"]
    assert [line["eventMetadata"].get("inferenceId") for line in sorted(shadows, key=str)].count("id-1") == 1
    for line in shadows:
        output = line["captureData"]["endpointOutput"]
        seen = base64.b64decode(output["data"]) if output["encoding"] == "BASE64" else output["data"]
        assert json.loads(seen)["model"] == {"name": "two"}
    log = [json.loads(line) for line in aws.log("/aws/sagemaker/Endpoints/watched", "shadow/shadow-").splitlines()]
    statuses = sorted((line["status"], line["production_status"]) for line in log)
    assert statuses == [(200, 200), (200, 200), (422, 422)]


def test_a_slow_shadow_delays_no_answer(aws: Clients) -> None:
    model(aws, "lazy", "two", DELAY="2")
    deployed(aws, "lazy", {"ModelName": "one"}, **shadow("lazy"))
    begin = time.monotonic()
    assert {ask(aws, endpoint="lazy")["model"]["name"] for _ in range(10)} == {"one"}
    assert time.monotonic() - begin < 10  # it would be 20 if each waited for its copy
    assert "not found" in str(refused(aws, endpoint="lazy", TargetVariant="shadow"))
    aws.sagemaker.delete_endpoint(EndpointName="lazy")


def test_only_a_share_is_captured_and_copied_and_only_the_chosen_side(aws: Clients) -> None:
    deployed(aws, "sampled", {"ModelName": "one"}, **shadow("two", 0.5), **capture(50, "Output"))
    for _ in range(80):
        ask(aws, endpoint="sampled")
    lines = closed(aws, "sampled")
    production = [line for line in lines if "invocationSource" not in line["eventMetadata"]]
    assert 17 <= len(production) <= 63  # 40 of 80, with five standard deviations of 4.5
    assert all(line["captureData"].keys() == {"endpointOutput"} for line in lines)
    copied = aws.log("/aws/sagemaker/Endpoints/sampled", "shadow/shadow-").splitlines()
    assert 17 <= len(copied) <= 63


def test_a_capture_that_is_off_captures_nothing_and_an_update_may_retain_that(aws: Clients) -> None:
    endpoint = deployed(aws, "unseen", {"ModelName": "one"}, **capture(EnableCapture=False))
    assert "DataCaptureConfig" not in endpoint
    variant = {"VariantName": "one", "ModelName": "one", **MACHINE}
    aws.sagemaker.create_endpoint_config(EndpointConfigName="seen", ProductionVariants=[variant], **capture())
    aws.sagemaker.update_endpoint(EndpointName="unseen", EndpointConfigName="seen", RetainAllVariantProperties=True)
    assert "DataCaptureConfig" not in at_rest(aws, "unseen")
    ask(aws, endpoint="unseen")
    aws.sagemaker.delete_endpoint(EndpointName="unseen")
    time.sleep(0.5)
    assert captured(aws, "unseen") == []


def test_what_waits_is_written_from_time_to_time_and_a_bucket_that_is_missing_costs_no_request(
    aws: Clients, capsys: pytest.CaptureFixture[str]
) -> None:
    context = Context(aws.region, COMMANDS, Processes(COMMANDS), url=aws.url)
    good, lost = (
        DataCapture(context, name, capture(DestinationS3Uri=f"s3://{bucket}/seen")["DataCaptureConfig"], flush_seconds=0.1)
        for name, bucket in (("timely", "local"), ("lost", "nowhere"))
    )
    for one in (good, lost):
        one.keep("v", b"{}", {"Content-Type": "application/json"}, Answer(200, {}, b"{}"))
    (line,) = until(lambda: captured(aws, "timely"), lambda lines: lines != [], 5)
    assert line["captureData"]["endpointOutput"]["observedContentType"] == "application/octet-stream"
    lost.close()
    good.close()
    assert "endpoint lost: 1 captured requests are lost" in capsys.readouterr().out
