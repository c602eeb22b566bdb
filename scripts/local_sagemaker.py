"""A SageMaker on this machine: boto3 talks to it as to AWS, and its jobs and endpoints are real processes of `train` and `serve`.

    scripts/local_sagemaker                                # at http://127.0.0.1:8081, with an empty bucket "local"
    scripts/local_sagemaker --data runs/local              # keeps jobs, models, endpoints and buckets there for the next time
    scripts/local_sagemaker --endpoint music=trained       # with an endpoint of a model that scripts/train made
    scripts/local_sagemaker --docker music-recommender     # in containers of this image, in place of processes
    scripts/local_sagemaker --container DIR                # another container's commands, DIR/train and DIR/serve

Then, at another terminal, with the variables that it prints, scripts/create_training_job, scripts/deploy_endpoint and scripts/invoke, or
any program that uses boto3. SageMaker and SageMaker Runtime are answered here; S3, IAM, STS, ECR, CloudWatch and the rest by moto.
Ctrl-C ends it and everything that it has started. It listens on 127.0.0.1 only, checks no signatures, and costs nothing.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType

from scripts import aws
from scripts.command_line import CommandError, key_values, run
from scripts.local_aws.children import OURS, Launcher, Processes
from scripts.local_aws.containers import Containers
from scripts.local_aws.context import DUMMY_KEY, LOCAL_ROLE, Context
from scripts.local_aws.platform_server import platform_server
from scripts.local_aws.ready_endpoint import make_endpoint
from scripts.local_server import find_model


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Returns the options of the command line."""
    parser = argparse.ArgumentParser(
        prog="scripts/local_sagemaker", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--port", type=int, default=8081, help="port on 127.0.0.1; 0 takes a free one (%(default)s)")
    parser.add_argument("--region", default="us-east-1", help="the region that names have in them (%(default)s)")
    parser.add_argument("--bucket", action="append", metavar="NAME", help="makes this bucket; may be given again (local)")
    parser.add_argument("--data", type=Path, metavar="DIR", help="keeps everything there for the next time, the folders of jobs too")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--docker", metavar="IMAGE", help="runs jobs and servers in containers of this image, whatever image a request names")
    what.add_argument(
        "--container", type=Path, default=OURS, metavar="DIR", help="the commands train and serve; they honour SAGEMAKER_BASE_DIR (ours)"
    )
    parser.add_argument(
        "--endpoint", action="append", default=[], metavar="NAME=MODEL", help="an endpoint of a model on this machine; may be given again"
    )
    parser.add_argument(
        "--interrupt-spot-after",
        action="append",
        type=seconds,
        default=[],
        metavar="SECONDS",
        help="takes the machines of each spot training job away, so long after its training began; given again: of its second start, too",
    )
    return parser.parse_args(arguments)


def seconds(text: str) -> float:
    """Reads a time. Raises ``ValueError``, which argparse words."""
    value = float(text)
    if not 0 <= value < float("inf"):
        raise ValueError(text)
    return value


def choose_launcher(options: argparse.Namespace) -> Launcher:
    """Raises ``CommandError`` if there is nothing that could be run."""
    if options.docker:
        return Containers(options.docker)
    if missing := [name for name in ("train", "serve") if not os.access(options.container / name, os.X_OK)]:
        raise CommandError(f"--container {options.container} has no command {' and no '.join(missing)}")
    return Processes(options.container.resolve())


@contextlib.contextmanager
def folders(data: Path | None) -> Iterator[tuple[Path, Path | None]]:
    """Yields where the folders of jobs and servers lie, and where records and buckets are kept, if they are."""
    if data is None:
        # Not below the project, and short: the path of a socket may have 107 bytes.
        with tempfile.TemporaryDirectory(prefix="lsm-", ignore_cleanup_errors=True) as folder:
            yield Path(folder), None
        return
    try:
        for name in ("ml", "records", "s3"):
            (data / name).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CommandError(f"--data {data} cannot be used: {error.strerror}") from None
    yield data.resolve() / "ml", data.resolve()


def greet(context: Context, commands: str, buckets: Sequence[str]) -> None:
    print(
        f"local SageMaker at {context.url}: jobs and endpoints run {commands}\n\n"
        f"    export AWS_ENDPOINT_URL={context.url} AWS_ACCESS_KEY_ID={DUMMY_KEY} AWS_SECRET_ACCESS_KEY={DUMMY_KEY} "
        f"AWS_DEFAULT_REGION={context.region}\n\n"
        f"buckets: {', '.join(buckets)}. Any image and any role will do: --image local --role {LOCAL_ROLE}. Ctrl-C ends it.\n",
        flush=True,
    )


def make_buckets(context: Context, buckets: Sequence[str]) -> None:
    place = {} if context.region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": context.region}}
    for name in buckets:
        with contextlib.suppress(context.s3.exceptions.BucketAlreadyOwnedByYou, context.s3.exceptions.BucketAlreadyExists):
            context.s3.create_bucket(Bucket=name, **place)


def end_when_told() -> threading.Event:
    """Returns an event that is set when SIGTERM, SIGINT or SIGHUP arrives; later ones do nothing."""
    told = threading.Event()

    def tell(number: int, frame: FrameType | None) -> None:
        told.set()

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        if number == signal.SIGTERM or signal.getsignal(number) != signal.SIG_IGN:  # nohup has SIGHUP ignored
            signal.signal(number, tell)
    return told


def main(arguments: Sequence[str] | None = None) -> int:
    """Serves until told to end. Returns 0; raises ``CommandError``."""
    options = parse_arguments(arguments)
    endpoints = {name: find_model(Path(place)) for name, place in key_values(options.endpoint, "--endpoint").items()}
    buckets = options.bucket or ["local"]
    launcher = choose_launcher(options)
    told = end_when_told()
    with folders(options.data) as (folder, kept):
        misfortunes = tuple(options.interrupt_spot_after)
        context = Context(options.region, folder, launcher, kept and kept / "records", kept is not None, misfortunes)
        with aws.readable_errors(), platform_server(context, options.port, kept and kept / "s3") as platform:
            make_buckets(context, buckets)
            greet(context, options.docker or f"{options.container}/train and {options.container}/serve", buckets)
            platform.endpoints.resume()
            for name, model in endpoints.items():
                make_endpoint(context, platform, name, model, buckets[0])
            told.wait()
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
