"""The options that describe a training job, for the commands that start one or many, and the job that they describe."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from scripts import aws
from scripts.aws_options import add_account_options, tags_of, vpc_of
from scripts.command_line import CommandError, key_values
from scripts.training_request import CHANNELS, MODEL, TrainingJob
from scripts.uploads import Upload, plan_upload

PREFIX = "music-recommender"


def add_training_options(parser: argparse.ArgumentParser) -> None:
    """Adds everything that a ``TrainingJob`` has."""
    data = parser.add_argument_group("data")
    data.add_argument("--interactions", metavar="PLACE", help="listening events: s3://… or a local file or folder")
    data.add_argument("--items", metavar="PLACE", help="the song catalogue")
    data.add_argument("--users", metavar="PLACE", help="the listeners")
    data.add_argument("--test", metavar="PLACE", help="events held out by you, for the report")
    data.add_argument("--model", metavar="PLACE", help="an earlier model.tar.gz or its folder: trains on new data without a new search")
    data.add_argument("--bucket", help="where local data is uploaded to, and the model goes without --output")
    data.add_argument("--output", metavar="S3", help=f"where model.tar.gz goes (s3://BUCKET/{PREFIX}/output)")
    data.add_argument(
        "--input-mode", choices=("File", "FastFile", "Pipe"), default="File", help="copy first, stream files, or one stream (%(default)s)"
    )
    data.add_argument(
        "--shard",
        action="append",
        default=[],
        choices=[channel for channel in CHANNELS if channel != MODEL],
        metavar="CHANNEL",
        help="each host gets a part of its files; may be repeated",
    )
    job = parser.add_argument_group("job")
    job.add_argument("--image", required=True, help="as scripts/build_and_push prints it")
    job.add_argument("--role", required=True, help="ARN of the role that SageMaker takes on")
    job.add_argument("--name", help=f"name of the job ({PREFIX}-DATE-TIME)")
    job.add_argument("-p", "--parameter", action="append", default=[], metavar="KEY=VALUE", help="a hyperparameter; may be given again")
    job.add_argument("--instance-type", default="ml.m5.xlarge", help="(%(default)s)")
    job.add_argument("--instance-count", type=int, default=1, help="(%(default)s)")
    job.add_argument("--volume-gb", type=int, default=30, help="(%(default)s)")
    job.add_argument("--max-runtime", type=int, default=3600, metavar="SECONDS", help="(%(default)s)")
    job.add_argument("--spot", action="store_true", help="managed spot training; give --checkpoints too")
    job.add_argument("--max-wait", type=int, metavar="SECONDS", help="with --spot: waiting and running together (twice --max-runtime)")
    job.add_argument("--checkpoints", metavar="S3", help="where a job that is interrupted goes on from; a prefix of its own for each model")
    job.add_argument(
        "--price-per-hour", type=float, metavar="PRICE", help="of one such instance, in your region: says the most it can cost"
    )
    add_account_options(parser)


def plan(options: argparse.Namespace) -> tuple[TrainingJob, list[Upload]]:
    """Returns the job and what has to be uploaded for it. Raises ``CommandError`` with every mistake."""
    name = options.name or aws.unique_name(PREFIX)
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
            uploads.append(plan_upload(Path(place), options.bucket, f"{PREFIX}/{name}/{channel}"))
        channels[channel] = f"s3://{options.bucket or 'bucket'}/{PREFIX}/{name}/{channel}"
    if not (options.output or options.bucket):
        mistakes.append("nothing says where the model goes: give --output s3://… or --bucket")
    if options.price_per_hour is not None and options.price_per_hour <= 0:
        mistakes.append(f"--price-per-hour {options.price_per_hour}: a price is above 0")
    vpc = {}
    try:
        vpc = vpc_of(options)
    except CommandError as error:
        mistakes.append(str(error))
    job = TrainingJob(
        name=name,
        image=options.image,
        role=options.role,
        output=options.output or f"s3://{options.bucket or 'bucket'}/{PREFIX}/output",
        channels=channels,
        hyperparameters=key_values(options.parameter, "-p"),
        instance_type=options.instance_type,
        instance_count=options.instance_count,
        volume_gb=options.volume_gb,
        max_runtime=options.max_runtime,
        spot=options.spot,
        max_wait=options.max_wait,
        checkpoints=options.checkpoints,
        input_mode=options.input_mode,
        sharded=options.shard,
        network_isolation=options.network_isolation,
        vpc=vpc,
        kms_key=options.kms_key,
        tags=tags_of(options),
    )
    mistakes += job.mistakes()
    if mistakes:
        raise CommandError("\n  ".join([f"{len(mistakes)} to put right:", *mistakes]) if len(mistakes) > 1 else mistakes[0])
    return job, uploads


def show_plan(request: Mapping[str, Any], uploads: Sequence[Upload], most: str) -> None:
    """Prints what a dry run is for: the request as JSON on stdout; what would be uploaded, and the most it costs, on stderr."""
    for one in uploads:
        print(f"would upload {one}", file=sys.stderr)
    print(most, file=sys.stderr)
    print(json.dumps(request, indent=2))


def cost(hours: float, machines: int, price_per_hour: float | None) -> str:
    """Returns ``0.25 h × 2 machines × 0.23 = 0.12``, in the currency of the price; without one, the hours alone."""
    text = f"{hours:.2f} h × {machines} machine{'s' if machines != 1 else ''}"
    return text if price_per_hour is None else f"{text} × {price_per_hour:g} = {hours * machines * price_per_hour:.2f}"
