"""Starts a SageMaker training job with the image.

    scripts/create_training_job --image 123456789012.dkr.ecr.eu-west-1.amazonaws.com/music-recommender:v1 \\
        --role arn:aws:iam::123456789012:role/SageMaker --bucket my-bucket \\
        --interactions s3://my-bucket/events/ --items ./songs.csv -p models=ease,content -p seed=7 --wait

A channel is an S3 prefix, or a local file or folder, which is then uploaded to --bucket. Hyperparameters are checked here, by the code
that reads them in the container, so that a typo costs no machine. --dry-run prints the request and sends nothing.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scripts import aws
from scripts.command_line import CommandError, key_values, run
from scripts.training_request import CHANNELS, TrainingJob
from scripts.uploads import Upload, plan_upload, upload

RUNNING = ("InProgress", "Stopping")


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Returns the options of the command line."""
    parser = argparse.ArgumentParser(
        prog="scripts/create_training_job", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    data = parser.add_argument_group("data")
    data.add_argument("--interactions", metavar="PLACE", help="listening events: s3://… or a local file or folder")
    data.add_argument("--items", metavar="PLACE", help="the song catalogue")
    data.add_argument("--users", metavar="PLACE", help="the listeners")
    data.add_argument("--test", metavar="PLACE", help="events held out by you, for the report")
    data.add_argument("--bucket", help="where local data is uploaded to, and the model goes without --output")
    data.add_argument("--output", metavar="S3", help="where model.tar.gz goes (s3://BUCKET/music-recommender/output)")
    data.add_argument(
        "--input-mode", choices=("File", "FastFile", "Pipe"), default="File", help="copy first, stream files, or one stream (%(default)s)"
    )
    data.add_argument(
        "--shard",
        action="append",
        default=[],
        choices=CHANNELS,
        metavar="CHANNEL",
        help="each host gets a part of its files; may be repeated",
    )
    job = parser.add_argument_group("job")
    job.add_argument("--image", required=True, help="as scripts/build_and_push prints it")
    job.add_argument("--role", required=True, help="ARN of the role that SageMaker takes on")
    job.add_argument("--name", help="name of the job (music-recommender-DATE-TIME)")
    job.add_argument("-p", "--parameter", action="append", default=[], metavar="KEY=VALUE", help="a hyperparameter; may be given again")
    job.add_argument("--instance-type", default="ml.m5.xlarge", help="(%(default)s)")
    job.add_argument("--instance-count", type=int, default=1, help="(%(default)s)")
    job.add_argument("--volume-gb", type=int, default=30, help="(%(default)s)")
    job.add_argument("--max-runtime", type=int, default=3600, metavar="SECONDS", help="(%(default)s)")
    job.add_argument("--spot", action="store_true", help="managed spot training")
    job.add_argument("--max-wait", type=int, metavar="SECONDS", help="with --spot: waiting and running together (twice --max-runtime)")
    job.add_argument("--network-isolation", action="store_true", help="the container gets no network; it needs none")
    job.add_argument("--tag", action="append", default=[], metavar="KEY=VALUE", help="may be given again")
    parser.add_argument("--region", help="AWS region")
    parser.add_argument("--wait", action="store_true", help="waits for the end; ends non-zero if the job fails")
    parser.add_argument("--dry-run", action="store_true", help="prints the request as JSON and sends nothing")
    return parser.parse_args(arguments)


def plan(options: argparse.Namespace) -> tuple[TrainingJob, list[Upload]]:
    """Returns the job and what has to be uploaded for it. Raises ``CommandError`` with every mistake."""
    name = options.name or aws.unique_name("music-recommender")
    channels: dict[str, str] = {}
    uploads: list[Upload] = []
    mistakes: list[str] = []
    for channel in CHANNELS:
        place = getattr(options, channel)
        if place is None or place.startswith("s3://"):
            channels |= {channel: place} if place else {}
            continue
        if not options.bucket:
            mistakes.append(f"--{channel} {place} is a local path: give --bucket too, and it is uploaded there")
        elif not Path(place).exists():
            mistakes.append(f"--{channel} {place}: there is no such file or folder")
        else:
            uploads.append(plan_upload(Path(place), options.bucket, f"music-recommender/{name}/{channel}"))
        channels[channel] = f"s3://{options.bucket or 'bucket'}/music-recommender/{name}/{channel}"
    if not (options.output or options.bucket):
        mistakes.append("nothing says where the model goes: give --output s3://… or --bucket")
    job = TrainingJob(
        name=name,
        image=options.image,
        role=options.role,
        output=options.output or f"s3://{options.bucket or 'bucket'}/music-recommender/output",
        channels=channels,
        hyperparameters=key_values(options.parameter, "-p"),
        instance_type=options.instance_type,
        instance_count=options.instance_count,
        volume_gb=options.volume_gb,
        max_runtime=options.max_runtime,
        spot=options.spot,
        max_wait=options.max_wait,
        input_mode=options.input_mode,
        sharded=options.shard,
        network_isolation=options.network_isolation,
        tags=key_values(options.tag, "--tag"),
    )
    mistakes += job.mistakes()
    if mistakes:
        raise CommandError("\n  ".join([f"{len(mistakes)} to put right:", *mistakes]) if len(mistakes) > 1 else mistakes[0])
    return job, uploads


def wait_for(sagemaker: Any, name: str) -> int:
    """Waits for the end of the job, prints each status, then where the model is, or why it failed. Returns the exit code."""
    end = aws.wait(
        lambda: sagemaker.describe_training_job(TrainingJobName=name),
        lambda answer: f"{answer['TrainingJobStatus']} {answer.get('SecondaryStatus', '')}".strip(),
        lambda status: status.startswith(RUNNING),
    )
    if end["TrainingJobStatus"] == "Completed":
        print(f"model: {end['ModelArtifacts']['S3ModelArtifacts']}")
        for metric in end.get("FinalMetricDataList", []):
            print(f"{metric['MetricName']}={metric['Value']:.4f}")
        return 0
    print(f"{name} ended as {end['TrainingJobStatus']}: {end.get('FailureReason', 'no reason given')}", file=sys.stderr)
    return 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Starts the job, or prints its request. Returns 0, or 1 if the job that was waited for failed; raises ``CommandError``."""
    options = parse_arguments(arguments)
    job, uploads = plan(options)
    if options.dry_run:
        for one in uploads:
            print(f"would upload {one}", file=sys.stderr)
        print(json.dumps(job.request(), indent=2))
        return 0
    with aws.readable_errors():
        for one in uploads:
            upload(aws.client("s3", options.region), one)
        sagemaker = aws.client("sagemaker", options.region)
        arn = sagemaker.create_training_job(**job.request())["TrainingJobArn"]
        print(f"started {job.name}: {arn}")
        return wait_for(sagemaker, job.name) if options.wait else 0


if __name__ == "__main__":
    sys.exit(run(main))
