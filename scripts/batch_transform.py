"""Asks a model for the recommendations of many listeners at once, by a SageMaker batch transform job: a line in, a line out.

    scripts/batch_transform requests.jsonl --newest --bucket my-bucket                  # answers: requests.jsonl.out beside it
    scripts/batch_transform s3://my-bucket/requests/ --training-job music-1 --output s3://my-bucket/answers --download answers
    scripts/batch_transform listeners.csv --model-data s3://my-bucket/model.tar.gz --image IMAGE --role ROLE_ARN --bucket my-bucket

The input is a file or a folder of .jsonl, .json (an object a line) or .csv, each also as .gz, here or in S3. The job gets a model of its
own at SageMaker, which is deleted after it. A line that cannot be answered has an error in its place, and costs the job nothing.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from scripts import aws
from scripts.aws_advice import with_advice
from scripts.aws_options import add_account_options, check_name, check_s3, tags_of, vpc_of
from scripts.cloud_logs import last_lines
from scripts.command_line import CommandError, key_values, run
from scripts.s3_channels import connect, download, find, is_s3
from scripts.trained_model import TrainedModel, add_model_options, find_trained_model
from scripts.transform_request import Tally, TransformJob, content_type_of
from scripts.uploads import Upload, plan_upload, upload

RUNNING = ("InProgress", "Stopping")
PREFIX = "music-recommender"


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Returns the options of the command line."""
    parser = argparse.ArgumentParser(
        prog="scripts/batch_transform", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("input", help="s3://… or a local file or folder")
    add_model_options(parser)
    parser.add_argument("--env", action="append", default=[], metavar="KEY=VALUE", help="environment of the container; may be given again")
    data = parser.add_argument_group("data")
    data.add_argument("--bucket", help="where a local input is uploaded to, and the answers go without --output")
    data.add_argument("--output", metavar="S3", help=f"where the answers go (s3://BUCKET/{PREFIX}/JOB/output)")
    data.add_argument("--download", type=Path, metavar="DIR", help="where the answers are put here (beside a local input; else nowhere)")
    data.add_argument("--content-type", help="media type of the input (by its ending)")
    data.add_argument("--accept", help="media type of the answers (CSV for CSV, else JSON Lines)")
    data.add_argument("--join", action="store_true", help="each answer stands beside its request, as SageMakerOutput")
    data.add_argument("--input-filter", metavar="JSONPATH", help="the part of each line that is sent")
    data.add_argument("--output-filter", metavar="JSONPATH", help="the part of each answer that is written")
    job = parser.add_argument_group("job")
    job.add_argument("--name", help=f"name of the job ({PREFIX}-DATE-TIME)")
    job.add_argument("--instance-type", default="ml.m5.large", help="(%(default)s)")
    job.add_argument("--instance-count", type=int, default=1, help="(%(default)s)")
    job.add_argument("--max-payload-mb", type=int, help="size of a request (what the container says)")
    job.add_argument("--max-concurrent", type=int, help="requests at once (what the container says)")
    add_account_options(parser)
    parser.add_argument("--no-wait", action="store_true", help="starts the job and leaves; the model stays until scripts/teardown JOB")
    parser.add_argument("--dry-run", action="store_true", help="prints the requests as JSON and sends nothing that changes anything")
    return parser.parse_args(arguments)


@dataclass(frozen=True)
class Source:
    """The input: its prefix in S3, what has to be uploaded first, and the paths of its files below the prefix."""

    uri: str
    upload: Upload | None
    paths: tuple[PurePosixPath, ...]


def find_source(options: argparse.Namespace, name: str) -> Source:
    """Raises ``CommandError`` where there is nothing to read."""
    if is_s3(options.input):
        return Source(options.input, None, tuple(one.path for one in find(connect(), options.input).objects))
    path = Path(options.input)
    if not path.exists():
        raise CommandError(f"{path}: there is no such file or folder")
    if not options.bucket:
        raise CommandError(f"{path} is a local path: give --bucket too, and it is uploaded there")
    prefix = f"{PREFIX}/{name}/input"
    planned = plan_upload(path, options.bucket, prefix)
    return Source(f"s3://{options.bucket}/{prefix}/", planned, tuple(PurePosixPath(key[len(prefix) + 1 :]) for _, key in planned.files))


def plan(options: argparse.Namespace, name: str, source: Source) -> TransformJob:
    """Returns the job. Raises ``CommandError`` for options that do not go together."""
    if not (options.output or options.bucket):
        raise CommandError("nothing says where the answers go: give --output s3://… or --bucket")
    output = options.output or f"s3://{options.bucket}/{PREFIX}/{name}/output"
    check_s3(output, "--output")
    packed = all(path.suffix == ".gz" for path in source.paths)
    content_type = options.content_type
    if content_type is None:
        content_type, packed = content_type_of(source.paths)
    return TransformJob(
        name=name,
        model=name,
        source=source.uri,
        output=output,
        content_type=content_type,
        packed=packed,
        accept=options.accept,
        join=options.join,
        input_filter=options.input_filter,
        output_filter=options.output_filter,
        instance_type=options.instance_type,
        instance_count=options.instance_count,
        max_payload_mb=options.max_payload_mb,
        max_concurrent=options.max_concurrent,
        kms_key=options.kms_key,
        tags=tags_of(options),
    )


def model_request(options: argparse.Namespace, name: str, model: TrainedModel) -> dict[str, Any]:
    container = {"Image": model.image, "ModelDataUrl": model.data, "Environment": key_values(options.env, "--env")}
    isolation = {"EnableNetworkIsolation": True} if options.network_isolation else {}
    named = {"ModelName": name, "PrimaryContainer": container, "ExecutionRoleArn": model.role, "Tags": tags_of(options)}
    return {**named, **isolation, **vpc_of(options)}


def wait_for(sagemaker: Any, s3: Any, job: TransformJob, count: int) -> dict[str, Any]:
    """Waits for the end, and says how many of the files have their answers. Returns the description of the job."""
    bucket, _, prefix = job.output.removeprefix("s3://").partition("/")
    below = f"{prefix.rstrip('/')}/".lstrip("/")

    def status(answer: dict[str, Any]) -> str:
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=below)
        began = answer["CreationTime"].replace(microsecond=0)  # S3 knows whole seconds
        new = [one for page in pages for one in page.get("Contents", []) if one["LastModified"] >= began]
        done = sum(one["Key"].endswith(".out") for one in new)
        return f"{answer['TransformJobStatus']}, {min(done, count)} of {count} file(s) answered"

    return aws.wait(lambda: sagemaker.describe_transform_job(TransformJobName=job.name), status, lambda text: text.startswith(RUNNING))


def fetch(s3: Any, job: TransformJob, source: Source, folder: Path) -> Tally:
    """Puts the answers of this input below ``folder``, and counts them. Raises ``CommandError`` for one that is not there."""
    tally = Tally()
    place = find(s3, f"{job.output.rstrip('/')}/")
    wanted = {PurePosixPath(f"{path}.out") for path in source.paths}
    answers = tuple(one for one in place.objects if one.path in wanted)
    if len(answers) < len(wanted):
        raise CommandError(f"only {len(answers)} of {len(wanted)} files of answers are in {job.output}")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".answers-", dir=folder) as partial:  # all or nothing
        download(s3, [(type(place)(place.url, place.bucket, answers), Path(partial))])
        for path in sorted(wanted):
            tally.count(Path(partial) / path, str(path))
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (Path(partial) / path).replace(folder / path)
    return tally


def target_of(options: argparse.Namespace) -> Path | None:
    """Returns the folder for the answers: beside a file, within a folder (each beside its own), or None."""
    if options.download or is_s3(options.input):
        return Path(options.download) if options.download else None
    path = Path(options.input)
    return path if path.is_dir() else path.parent


def start(sagemaker: Any, s3: Any, job: TransformJob, model: dict[str, Any], source: Source, options: argparse.Namespace) -> int:
    """Makes the model and the job. The model is deleted once the job has ended, or where none could be started."""
    sagemaker.create_model(**model)
    try:
        print(f"started {job.name}: {sagemaker.create_transform_job(**job.request())['TransformJobArn']}", flush=True)
    except BaseException:
        sagemaker.delete_model(ModelName=job.model)
        raise
    later = f"its answers will be in {job.output}; then delete its model: scripts/teardown {job.model}"
    if options.no_wait:
        print(later)
        return 0
    try:
        return finish(sagemaker, s3, job, source, options)
    except KeyboardInterrupt:
        print(f"\nthe job {job.name} goes on; {later}", file=sys.stderr)
        raise


def finish(sagemaker: Any, s3: Any, job: TransformJob, source: Source, options: argparse.Namespace) -> int:
    """Waits, and fetches the answers. Returns the exit code."""
    end = wait_for(sagemaker, s3, job, len(source.paths))
    sagemaker.delete_model(ModelName=job.model)
    if end["TransformJobStatus"] != "Completed":
        reason = end.get("FailureReason", "no reason given")
        print(with_advice(f"{job.name} ended as {end['TransformJobStatus']}: {reason}"), file=sys.stderr)
        for line in last_lines(aws.client("logs", options.region), "TransformJobs", f"{job.name}/"):
            print(f"    {line}", file=sys.stderr)
        return 1
    print(f"answers: {job.output}")
    if folder := target_of(options):
        tally = fetch(s3, job, source, folder)
        print(f"{tally.lines} line(s) of answers in {folder}, {tally.errors} of them errors")
        if tally.errors:
            print(f"the first of them: {tally.example}", file=sys.stderr)
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the job, or prints its requests. Returns 0, or 1 if the job failed; raises ``CommandError``."""
    options = parse_arguments(arguments)
    name = options.name or aws.unique_name(PREFIX)
    check_name(name, "--name")
    with aws.readable_errors():
        source = find_source(options, name)
        job = plan(options, name, source)
        sagemaker = None if options.dry_run and options.model_data else aws.client("sagemaker", options.region)
        model = model_request(options, name, find_trained_model(options, sagemaker))
        if options.dry_run:
            if source.upload:
                print(f"would upload {source.upload}", file=sys.stderr)
            print(json.dumps({"create_model": model, "create_transform_job": job.request()}, indent=2))
            return 0
        s3 = connect()
        if source.upload:
            upload(s3, source.upload)
        assert sagemaker is not None
        return start(sagemaker, s3, job, model, source, options)


if __name__ == "__main__":
    sys.exit(run(main))
