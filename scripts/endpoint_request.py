"""What an endpoint is asked for: its options, and the requests that they make, built and checked without talking to AWS."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from scripts import aws
from scripts.aws_options import check_s3, tags_of, vpc_of
from scripts.command_line import CommandError, key_values
from scripts.trained_model import TrainedModel, check_model_data

SERVERLESS_MEMORY = (1024, 2048, 3072, 4096, 5120, 6144)
MAIN, CHALLENGER, SHADOW = "AllTraffic", "Challenger", "Shadow"
SUFFIXES = {MAIN: "", CHALLENGER: "-b", SHADOW: "-s"}  # of the names of their models
OF_A_JOB = "output/model.tar.gz"  # where SageMaker puts the model of a job, below the job's name
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
    models = parser.add_argument_group("many models")
    models.add_argument(
        "--multi-model",
        action="store_true",
        help="serves every .tar.gz below --model-data s3://bucket/prefix/, or all models beside that of the job; a request names one",
    )
    models.add_argument("--no-model-cache", action="store_true", help="with --multi-model: a model is unloaded after each request")
    traffic = parser.add_argument_group("traffic")
    traffic.add_argument("--challenger", metavar="S3", help="a second model.tar.gz, asked with a part of the traffic, by the same image")
    traffic.add_argument("--challenger-share", type=float, default=0.1, metavar="SHARE", help="of the traffic, 0 to 1 (%(default)s)")
    traffic.add_argument(
        "--shadow", metavar="S3", help="a second model.tar.gz, which gets copies of requests; its answers are not returned"
    )
    traffic.add_argument("--shadow-share", type=float, default=1.0, metavar="SHARE", help="of the requests, 0 to 1 (%(default)s)")
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
            "--multi-model": options.multi_model,
            "--shadow": options.shadow,
        }
        _refuse("a serverless endpoint", "--serverless-memory", refused)
    if options.multi_model:
        refused = {"--challenger": options.challenger, "--shadow": options.shadow, "--async-output": options.async_output}
        _refuse("a multi-model endpoint", "--multi-model", refused)
    if options.shadow:
        _refuse("an endpoint with a shadow", "--shadow", {"--challenger": options.challenger, "--async-output": options.async_output})
    if options.no_model_cache and not options.multi_model:
        raise CommandError("--no-model-cache is for --multi-model only")
    if options.async_failures and not options.async_output:
        raise CommandError("--async-failures is for --async-output only")
    for name in ("challenger_share", "shadow_share"):
        if not 0 <= getattr(options, name) <= 1:
            raise CommandError(f"--{name.replace('_', '-')} {getattr(options, name)}: from 0 to 1")
    if not 0 <= options.capture_percentage <= 100:
        raise CommandError(f"--capture-percentage {options.capture_percentage}: from 0 to 100")
    for option in ("challenger", "shadow"):
        if address := getattr(options, option):
            check_model_data(address, f"--{option}")
    for option in ("async_output", "async_failures", "capture"):
        if address := getattr(options, option):
            check_s3(address, f"--{option.replace('_', '-')}")


def _refuse(what: str, option: str, given: Mapping[str, object]) -> None:
    if together := [name for name, value in given.items() if value]:
        raise CommandError(f"{what} cannot have {', '.join(together)}: leave out {option}, or these")


def models_place(model: TrainedModel) -> tuple[str, str]:
    """Returns the prefix of a multi-model endpoint, and an example of a name by which a request names a model."""
    if not model.data.endswith(f"/{OF_A_JOB}"):
        return f"{model.data.rstrip('/')}/", "NAME.tar.gz"
    above, job = model.data.removesuffix(f"/{OF_A_JOB}").rsplit("/", 1)
    return f"{above}/", f"{job}/{OF_A_JOB}"


def endpoint_requests(options: argparse.Namespace, model: TrainedModel) -> dict[str, Any]:
    """Returns the requests by the name of the boto3 method, in the order in which they are sent: ``create_model`` has a list of them."""
    name = aws.unique_name(options.endpoint)
    tags = tags_of(options)
    given = {MAIN: models_place(model)[0] if options.multi_model else model.data, CHALLENGER: options.challenger, SHADOW: options.shadow}
    places = {variant: place for variant, place in given.items() if place}
    weights = {
        MAIN: 1 - options.challenger_share if options.challenger else 1.0,
        CHALLENGER: options.challenger_share,
        SHADOW: options.shadow_share,  # of that of the main variant, which is 1
    }
    secured = {"EnableNetworkIsolation": True} if options.network_isolation else {}
    models = [
        {
            "ModelName": f"{name}{SUFFIXES[variant]}",
            "PrimaryContainer": {
                "Image": model.image,
                "ModelDataUrl": place,
                "Environment": key_values(options.env, "--env"),
                **_many(options),
            },
            "ExecutionRoleArn": model.role,
            **secured,
            **vpc_of(options),
            "Tags": tags,
        }
        for variant, place in places.items()
    ]
    variants = {
        variant: {"VariantName": variant, "ModelName": f"{name}{SUFFIXES[variant]}", **_machines(options, weights[variant])}
        for variant in places
    }
    shadow = variants.pop(SHADOW, None)
    key = {"KmsKeyId": options.kms_key} if options.kms_key else {}
    return {
        "create_model": models,
        "create_endpoint_config": {
            "EndpointConfigName": name,
            "ProductionVariants": list(variants.values()),
            **({"ShadowProductionVariants": [shadow]} if shadow else {}),
            **_asynchronous(options),
            **_capture(options),
            **key,
            "Tags": tags,
        },
        "create_endpoint": {"EndpointName": options.endpoint, "EndpointConfigName": name, "Tags": tags},
    }


def _many(options: argparse.Namespace) -> dict[str, Any]:
    if not options.multi_model:
        return {}
    return {"Mode": "MultiModel", "MultiModelConfig": {"ModelCacheSetting": "Disabled" if options.no_model_cache else "Enabled"}}


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
