"""The model that a command serves: a model.tar.gz in S3, that of a training job, or that of the newest training job of ours."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from scripts.aws_options import check_role, check_s3
from scripts.command_line import CommandError
from training.evaluation.text import MAIN

NEWEST_LOOKED_AT = 50


@dataclass(frozen=True)
class TrainedModel:
    """``data``: the address of model.tar.gz; ``image`` and ``role`` are those to serve it with."""

    data: str
    image: str
    role: str


def add_model_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("the model")
    what = group.add_mutually_exclusive_group(required=True)
    what.add_argument("--training-job", metavar="NAME", help="the model of this job, with its image and role")
    what.add_argument("--newest", action="store_true", help="the model of the newest completed job of ours")
    what.add_argument("--model-data", metavar="S3", help="this model.tar.gz; needs --image and --role")
    group.add_argument("--image", help="as scripts/build_and_push prints it")
    group.add_argument("--role", help="ARN of the role that SageMaker takes on")


def find_trained_model(options: argparse.Namespace, sagemaker: Any, many: bool = False) -> TrainedModel:
    """Returns what the options of ``add_model_options`` name. ``sagemaker`` is not asked where --model-data is given.

    ``many``: --model-data is the prefix of many models.
    """
    if not options.model_data:
        job = _newest(sagemaker) if options.newest else sagemaker.describe_training_job(TrainingJobName=options.training_job)
        name = job["TrainingJobName"] if options.newest else options.training_job
        if job["TrainingJobStatus"] != "Completed":
            raise CommandError(f"the training job {name} is {job['TrainingJobStatus']}: only a completed one has a model")
        image = options.image or job["AlgorithmSpecification"]["TrainingImage"]
        return TrainedModel(job["ModelArtifacts"]["S3ModelArtifacts"], image, options.role or job["RoleArn"])
    missing = [f"--{name}" for name in ("image", "role") if not getattr(options, name)]
    if missing:
        raise CommandError(f"--model-data needs {' and '.join(missing)} too")
    if many:
        check_s3(options.model_data, "--model-data")
    else:
        check_model_data(options.model_data, "--model-data")
    check_role(options.role)
    return TrainedModel(options.model_data, options.image, options.role)


def check_model_data(address: str, option: str) -> None:
    if not re.fullmatch(r"s3://[^/]+/.+\.tar\.gz", address):
        raise CommandError(f"{option} {address}: not an address like s3://bucket/path/model.tar.gz")


def _newest(sagemaker: Any) -> dict[str, Any]:
    """Others may train in this account, too: a job of ours has our metrics."""
    for job in _completed(sagemaker):
        definitions = job["AlgorithmSpecification"].get("MetricDefinitions", [])
        if any(one["Name"].startswith(f"{MAIN}:") for one in definitions):
            print(f"the newest model is that of the training job {job['TrainingJobName']}", file=sys.stderr)
            return job
    raise CommandError("there is no completed training job of ours: start one with scripts/create_training_job, or name a --training-job")


def _completed(sagemaker: Any) -> Iterator[dict[str, Any]]:
    found = sagemaker.list_training_jobs(
        StatusEquals="Completed", SortBy="CreationTime", SortOrder="Descending", MaxResults=NEWEST_LOOKED_AT
    )
    for summary in found["TrainingJobSummaries"]:
        yield dict(sagemaker.describe_training_job(TrainingJobName=summary["TrainingJobName"]))
