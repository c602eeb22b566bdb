"""What an endpoint is asked for: its options, and the requests that they make, built and checked without talking to AWS."""

from __future__ import annotations

import argparse
from typing import Any

from scripts import aws
from scripts.aws_options import check_s3, tags_of, vpc_of
from scripts.command_line import CommandError, key_values
from scripts.trained_model import TrainedModel, check_model_data

SERVERLESS_MEMORY = (1024, 2048, 3072, 4096, 5120, 6144)
MAIN, CHALLENGER = "AllTraffic", "Challenger"
CSV_TYPES, JSON_TYPES = ["text/csv"], ["application/json", "application/jsonlines"]  # as captured: readable text, not base64


def add_endpoint_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options of machines and traffic; ``check`` says which of them go together."""
    machines = parser.add_argument_group("where it runs")
    machines.add_argument("--instance-type", default="ml.m5.large", help="(%(default)s)")
    machines.add_argument("--instance-count", type=int, default=1, help="(%(default)s)")
    machines.add_argument(
        "--serverless-memory", type=int, choices=SERVERLESS_MEMORY, metavar="MB", help="no instances: 1024, 2048, … 6144 MB"
    )
    machines.add_argument("--max-concurrency", type=int, default=5, help="with --serverless-memory (%(default)s)")
    machines.add_argument("--env", action="append", default=[], metavar="KEY=VALUE", help="environment of the container; may be repeated")
    traffic = parser.add_argument_group("traffic")
    traffic.add_argument("--challenger", metavar="S3", help="a second model.tar.gz, asked with a part of the traffic, by the same image")
    traffic.add_argument("--challenger-share", type=float, default=0.1, metavar="SHARE", help="of the traffic, 0 to 1 (%(default)s)")
    traffic.add_argument("--async-output", metavar="S3", help="asynchronous inference: answers are written there")
    traffic.add_argument("--async-failures", metavar="S3", help="with --async-output: refusals are written there")
    traffic.add_argument("--async-concurrency", type=int, default=4, help="with --async-output: requests at once per machine (%(default)s)")
    traffic.add_argument("--capture", metavar="S3", help="data capture: requests and answers are kept there")
    traffic.add_argument("--capture-percentage", type=int, default=100, help="with --capture: of the requests (%(default)s)")


def check(options: argparse.Namespace) -> None:
    """Raises ``CommandError`` for options that SageMaker would refuse together."""
    if options.serverless_memory:
        refused = {
            "--subnet": options.subnet,
            "--network-isolation": options.network_isolation,
            "--challenger": options.challenger,
            "--async-output": options.async_output,
            "--capture": options.capture,
            "--kms-key": options.kms_key,
        }
        if together := [name for name, given in refused.items() if given]:
            raise CommandError(f"a serverless endpoint cannot have {', '.join(together)}: leave out --serverless-memory, or these")
    if options.async_failures and not options.async_output:
        raise CommandError("--async-failures is for --async-output only")
    if not 0 <= options.challenger_share <= 1:
        raise CommandError(f"--challenger-share {options.challenger_share}: from 0 to 1")
    if not 0 <= options.capture_percentage <= 100:
        raise CommandError(f"--capture-percentage {options.capture_percentage}: from 0 to 100")
    if options.challenger:
        check_model_data(options.challenger, "--challenger")
    for option in ("async_output", "async_failures", "capture"):
        if address := getattr(options, option):
            check_s3(address, f"--{option.replace('_', '-')}")


def endpoint_requests(options: argparse.Namespace, model: TrainedModel) -> dict[str, Any]:
    """Returns the requests by the name of the boto3 method, in the order in which they are sent: ``create_model`` has a list of them."""
    name = aws.unique_name(options.endpoint)
    tags = tags_of(options)
    places = {MAIN: model.data} | ({CHALLENGER: options.challenger} if options.challenger else {})
    weights = {MAIN: 1 - options.challenger_share if options.challenger else 1.0, CHALLENGER: options.challenger_share}
    names = {variant: name if variant == MAIN else f"{name}-b" for variant in places}
    secured = {"EnableNetworkIsolation": True} if options.network_isolation else {}
    models = [
        {
            "ModelName": names[variant],
            "PrimaryContainer": {"Image": model.image, "ModelDataUrl": place, "Environment": key_values(options.env, "--env")},
            "ExecutionRoleArn": model.role,
            **secured,
            **vpc_of(options),
            "Tags": tags,
        }
        for variant, place in places.items()
    ]
    variants = [{"VariantName": variant, "ModelName": names[variant], **_machines(options, weights[variant])} for variant in places]
    key = {"KmsKeyId": options.kms_key} if options.kms_key else {}
    return {
        "create_model": models,
        "create_endpoint_config": {
            "EndpointConfigName": name,
            "ProductionVariants": variants,
            **_asynchronous(options),
            **_capture(options),
            **key,
            "Tags": tags,
        },
        "create_endpoint": {"EndpointName": options.endpoint, "EndpointConfigName": name, "Tags": tags},
    }


def _machines(options: argparse.Namespace, weight: float) -> dict[str, Any]:
    if options.serverless_memory:
        return {"ServerlessConfig": {"MemorySizeInMB": options.serverless_memory, "MaxConcurrency": options.max_concurrency}}
    return {"InstanceType": options.instance_type, "InitialInstanceCount": options.instance_count, "InitialVariantWeight": weight}


def _asynchronous(options: argparse.Namespace) -> dict[str, Any]:
    if not options.async_output:
        return {}
    places = {"S3OutputPath": options.async_output, "S3FailurePath": options.async_failures, "KmsKeyId": options.kms_key}
    output = {name: value for name, value in places.items() if value}
    client = {"MaxConcurrentInvocationsPerInstance": options.async_concurrency}
    return {"AsyncInferenceConfig": {"OutputConfig": output, "ClientConfig": client}}


def _capture(options: argparse.Namespace) -> dict[str, Any]:
    if not options.capture:
        return {}
    return {
        "DataCaptureConfig": {
            "EnableCapture": True,
            "InitialSamplingPercentage": options.capture_percentage,
            "DestinationS3Uri": options.capture,
            **({"KmsKeyId": options.kms_key} if options.kms_key else {}),
            "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
            "CaptureContentTypeHeader": {"CsvContentTypes": CSV_TYPES, "JsonContentTypes": JSON_TYPES},
        }
    }
