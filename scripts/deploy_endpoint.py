"""Puts a trained model behind a SageMaker endpoint, updates it, or takes it down.

    scripts/deploy_endpoint music --training-job music-recommender-20250131-120000 --wait
    scripts/deploy_endpoint music --model-data s3://my-bucket/model.tar.gz --image IMAGE --role ROLE_ARN --serverless 2048
    scripts/deploy_endpoint music --delete

An endpoint that exists is updated without a gap: SageMaker starts the new machines before it stops the old ones. The model and the
endpoint configuration get new names each time and the old ones stay, so that going back is one `update_endpoint`. --delete removes the
endpoint, its current configuration and that one's models.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence
from typing import Any

from botocore.exceptions import ClientError

from scripts import aws
from scripts.command_line import CommandError, key_values, run

SERVERLESS_MEMORY = (1024, 2048, 3072, 4096, 5120, 6144)
RUNNING = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Returns the options of the command line."""
    parser = argparse.ArgumentParser(
        prog="scripts/deploy_endpoint", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("endpoint", help="name of the endpoint")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--training-job", metavar="NAME", help="serves the model of this job, with its image and role")
    what.add_argument("--model-data", metavar="S3", help="serves this model.tar.gz; needs --image and --role")
    what.add_argument("--delete", action="store_true", help="takes the endpoint down")
    parser.add_argument("--image", help="as scripts/build_and_push prints it")
    parser.add_argument("--role", help="ARN of the role that SageMaker takes on")
    parser.add_argument("--instance-type", default="ml.m5.large", help="(%(default)s)")
    parser.add_argument("--instance-count", type=int, default=1, help="(%(default)s)")
    parser.add_argument("--serverless", type=int, choices=SERVERLESS_MEMORY, metavar="MB", help="no instances: 1024, 2048, … 6144 MB")
    parser.add_argument("--max-concurrency", type=int, default=5, help="with --serverless (%(default)s)")
    parser.add_argument("--env", action="append", default=[], metavar="KEY=VALUE", help="environment of the container; may be given again")
    parser.add_argument("--tag", action="append", default=[], metavar="KEY=VALUE", help="may be given again")
    parser.add_argument("--region", help="AWS region")
    parser.add_argument("--wait", action="store_true", help="waits until it serves; ends non-zero if it does not")
    parser.add_argument("--dry-run", action="store_true", help="prints the requests as JSON and sends nothing that changes anything")
    return parser.parse_args(arguments)


def source_of_model(options: argparse.Namespace, sagemaker: Any) -> tuple[str, str, str]:
    """Returns the model's S3 address, the image and the role: those given, else those of the training job."""
    if options.training_job:
        job = sagemaker.describe_training_job(TrainingJobName=options.training_job)
        if job["TrainingJobStatus"] != "Completed":
            raise CommandError(f"the training job {options.training_job} is {job['TrainingJobStatus']}: only a completed one has a model")
        image = options.image or job["AlgorithmSpecification"]["TrainingImage"]
        return job["ModelArtifacts"]["S3ModelArtifacts"], image, options.role or job["RoleArn"]
    missing = [f"--{name}" for name in ("image", "role") if not getattr(options, name)]
    if missing:
        raise CommandError(f"--model-data needs {' and '.join(missing)} too")
    if not re.fullmatch(r"s3://[^/]+/.+\.tar\.gz", options.model_data):
        raise CommandError(f"--model-data {options.model_data}: not an address like s3://bucket/path/model.tar.gz")
    return options.model_data, options.image, options.role


def requests(options: argparse.Namespace, model_data: str, image: str, role: str) -> dict[str, dict[str, Any]]:
    """Returns the three requests, by the name of the boto3 method, in the order in which they are sent."""
    name = aws.unique_name(options.endpoint)
    tags = aws.tag_list(key_values(options.tag, "--tag"))
    variant: dict[str, Any] = {"VariantName": "AllTraffic", "ModelName": name}
    if options.serverless:
        variant["ServerlessConfig"] = {"MemorySizeInMB": options.serverless, "MaxConcurrency": options.max_concurrency}
    else:
        machines = {"InstanceType": options.instance_type, "InitialInstanceCount": options.instance_count, "InitialVariantWeight": 1.0}
        variant |= machines
    container = {"Image": image, "ModelDataUrl": model_data, "Environment": key_values(options.env, "--env")}
    return {
        "create_model": {"ModelName": name, "PrimaryContainer": container, "ExecutionRoleArn": role, "Tags": tags},
        "create_endpoint_config": {"EndpointConfigName": name, "ProductionVariants": [variant], "Tags": tags},
        "create_endpoint": {"EndpointName": options.endpoint, "EndpointConfigName": name, "Tags": tags},
    }


def describe(sagemaker: Any, endpoint: str) -> dict[str, Any] | None:
    """Returns the description of the endpoint, or None if there is none."""
    try:
        return dict(sagemaker.describe_endpoint(EndpointName=endpoint))
    except ClientError as error:
        if aws.error_code(error) in ("ValidationException", "ResourceNotFound"):
            return None
        raise


def deploy(sagemaker: Any, planned: dict[str, dict[str, Any]]) -> None:
    sagemaker.create_model(**planned["create_model"])
    sagemaker.create_endpoint_config(**planned["create_endpoint_config"])
    endpoint = planned["create_endpoint"]
    if describe(sagemaker, endpoint["EndpointName"]) is None:
        sagemaker.create_endpoint(**endpoint)
        print(f"creating the endpoint {endpoint['EndpointName']} with {endpoint['EndpointConfigName']}")
    else:
        sagemaker.update_endpoint(EndpointName=endpoint["EndpointName"], EndpointConfigName=endpoint["EndpointConfigName"])
        print(f"updating the endpoint {endpoint['EndpointName']} to {endpoint['EndpointConfigName']}")


def wait_for(sagemaker: Any, endpoint: str, configuration: str) -> int:
    """Waits until the endpoint is at rest. Returns 0 if it serves this configuration (an update that fails rolls back to the old one)."""
    end = aws.wait(
        lambda: sagemaker.describe_endpoint(EndpointName=endpoint),
        lambda answer: str(answer["EndpointStatus"]),
        lambda status: status in RUNNING,
    )
    if end["EndpointStatus"] == "InService" and end["EndpointConfigName"] == configuration:
        print(f"{endpoint} serves; ask it: scripts/invoke --endpoint {endpoint} --user USER_ID")
        return 0
    print(f"{endpoint} is {end['EndpointStatus']}: {end.get('FailureReason', 'no reason given')}", file=sys.stderr)
    return 1


def delete(sagemaker: Any, endpoint: str, dry_run: bool) -> int:
    """Deletes the endpoint with its present configuration and models, or prints what it would delete. Returns 0."""
    found = describe(sagemaker, endpoint)
    if found is None:
        raise CommandError(f"there is no endpoint {endpoint}")
    configuration = found["EndpointConfigName"]
    variants = sagemaker.describe_endpoint_config(EndpointConfigName=configuration)["ProductionVariants"]
    doing = "would delete" if dry_run else "deleting"
    print(f"{doing} the endpoint {endpoint}, the configuration {configuration}, and {', '.join(v['ModelName'] for v in variants)}")
    if not dry_run:
        sagemaker.delete_endpoint(EndpointName=endpoint)
        sagemaker.delete_endpoint_config(EndpointConfigName=configuration)
        for variant in variants:
            sagemaker.delete_model(ModelName=variant["ModelName"])
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Deploys, updates or deletes an endpoint, or prints the requests. Returns 0, or 1 if it failed; raises ``CommandError``."""
    options = parse_arguments(arguments)
    if not re.fullmatch(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}", options.endpoint):
        raise CommandError(f"{options.endpoint}: an endpoint's name has letters, digits and hyphens inside, at most 63")
    if options.dry_run and options.model_data:
        print(json.dumps(requests(options, *source_of_model(options, None)), indent=2))
        return 0
    with aws.readable_errors():
        sagemaker = aws.client("sagemaker", options.region)
        if options.delete:
            return delete(sagemaker, options.endpoint, options.dry_run)
        planned = requests(options, *source_of_model(options, sagemaker))
        if options.dry_run:
            print(json.dumps(planned, indent=2))
            return 0
        deploy(sagemaker, planned)
        configuration = planned["create_endpoint"]["EndpointConfigName"]
        return wait_for(sagemaker, options.endpoint, configuration) if options.wait else 0


if __name__ == "__main__":
    sys.exit(run(main))
