"""Starts a SageMaker training job with the image, and follows it.

    scripts/create_training_job --image 123456789012.dkr.ecr.eu-west-1.amazonaws.com/music-recommender:v1 \\
        --role arn:aws:iam::123456789012:role/SageMaker --bucket my-bucket \\
        --interactions s3://my-bucket/events/ --items ./songs.csv -p models=ease,content -p seed=7 --wait

A channel is an S3 prefix, or a local file or folder, which is then uploaded to --bucket. Hyperparameters are checked here, by the code
that reads them in the container, so that a typo costs no machine. With --name the command may be repeated: a job of that name is not
started twice, but followed, or told as finished. --dry-run prints the request and sends nothing.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from scripts import aws
from scripts.aws_advice import with_advice
from scripts.cloud_logs import LogFollower
from scripts.command_line import CommandError, run
from scripts.training_options import add_training_options, cost, plan, show_plan
from scripts.uploads import upload

RUNNING = ("InProgress", "Stopping")


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Returns the options of the command line."""
    parser = argparse.ArgumentParser(
        prog="scripts/create_training_job", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_training_options(parser)
    parser.add_argument("--wait", action="store_true", help="shows the log until the end; ends non-zero if the job fails")
    parser.add_argument("--dry-run", action="store_true", help="prints the request as JSON and sends nothing")
    return parser.parse_args(arguments)


def find_job(sagemaker: Any, name: str) -> dict[str, Any] | None:
    """Returns the description of the job, or None if there is none."""
    try:
        return dict(sagemaker.describe_training_job(TrainingJobName=name))
    except ClientError as error:
        if aws.is_missing(error):
            return None
        raise


def wait_for(sagemaker: Any, name: str, logs: Any = None, price_per_hour: float | None = None) -> int:
    """Waits for the end of the job, prints each status and, with a client for ``logs``, what the job prints. Returns the exit code."""
    follower = LogFollower(logs, "TrainingJobs", f"{name}/", several=_has_several_hosts(sagemaker, name)) if logs else None
    end = aws.wait(
        lambda: sagemaker.describe_training_job(TrainingJobName=name),
        lambda answer: f"{answer['TrainingJobStatus']} {answer.get('SecondaryStatus', '')}".strip(),
        lambda status: status.startswith(RUNNING),
        meanwhile=follower.show_new if follower else lambda: None,
    )
    return tell_end(end, name, price_per_hour)


def _has_several_hosts(sagemaker: Any, name: str) -> bool:
    resources = sagemaker.describe_training_job(TrainingJobName=name)["ResourceConfig"]
    groups = resources.get("InstanceGroups") or [resources]
    return sum(int(one.get("InstanceCount", 1)) for one in groups) > 1


def tell_end(job: Mapping[str, Any], name: str, price_per_hour: float | None = None) -> int:
    """Prints where the model of a finished job is, or why there is none, and what was paid for. Returns the exit code."""
    if "BillableTimeInSeconds" in job:
        print(f"paid: {cost(job['BillableTimeInSeconds'] / 3600, job['ResourceConfig'].get('InstanceCount', 1), price_per_hour)}")
    if job["TrainingJobStatus"] == "Completed":
        print(f"model: {job['ModelArtifacts']['S3ModelArtifacts']}")
        for metric in job.get("FinalMetricDataList", []):
            print(f"{metric['MetricName']}={metric['Value']:.4f}")
        return 0
    secondary = str(job.get("SecondaryStatus", ""))
    said = f"{name} ended as {job['TrainingJobStatus']}: {job.get('FailureReason', 'no reason given')}"
    print(with_advice(said, secondary), file=sys.stderr)
    return 1


def tell_existing(sagemaker: Any, job: Mapping[str, Any], options: argparse.Namespace) -> int:
    """Follows or tells a job that was there before. Raises ``CommandError`` for one that failed: its name is used up."""
    name, status = options.name, job["TrainingJobStatus"]
    if status in RUNNING:
        print(f"{name} is running already: {job['TrainingJobArn']}")
        return wait_for(sagemaker, name, aws.client("logs", options.region), options.price_per_hour) if options.wait else 0
    if status == "Completed":
        print(f"{name} was trained already: {job['TrainingJobArn']}")
        return tell_end(job, name, options.price_per_hour)
    reason = job.get("FailureReason", "no reason given")
    raise CommandError(f"there was a job {name}, it ended as {status} ({reason}), and its name is used up: give another --name")


def main(arguments: Sequence[str] | None = None) -> int:
    """Starts the job, or prints its request. Returns 0, or 1 if the job that was waited for failed; raises ``CommandError``."""
    options = parse_arguments(arguments)
    job, uploads = plan(options)
    most = f"at most {cost(job.max_runtime / 3600, job.instance_count, options.price_per_hour)}"
    if options.dry_run:
        show_plan(job.request(), uploads, most)
        return 0
    with aws.readable_errors():
        sagemaker = aws.client("sagemaker", options.region)
        if options.name and (existing := find_job(sagemaker, options.name)):
            return tell_existing(sagemaker, existing, options)
        for one in uploads:
            upload(aws.client("s3", options.region), one)
        arn = sagemaker.create_training_job(**job.request())["TrainingJobArn"]
        print(f"started {job.name}: {arn}; {most}")
        return wait_for(sagemaker, job.name, aws.client("logs", options.region), options.price_per_hour) if options.wait else 0


if __name__ == "__main__":
    sys.exit(run(main))
