"""Shows that a training job comes to the same model whatever befalls it: by jobs of a local SageMaker that are struck while they run.

    scripts/misfortunes                                  # processes of this checkout
    scripts/misfortunes --docker music-recommender       # containers of this image

Trains the same invented listening five times: on one host and on three, undisturbed; on one host whose spot instance is taken away while
models are fitted; on three of which one is killed, so that RetryStrategy starts the job again; and on three spot instances that are taken
away. Each is compared with the first. Ends non-zero if a model differs.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts import aws
from scripts.cloud_logs import stream_names
from scripts.command_line import CommandError, run
from scripts.local_aws.children import Launcher, Processes
from scripts.local_aws.containers import Containers
from scripts.local_aws.context import LOCAL_ROLE, Context
from scripts.local_aws.platform_server import LocalPlatform, platform_server
from scripts.make_dataset import make_dataset
from scripts.training_request import TrainingJob

BUCKET = "misfortunes"
SETTINGS = {"models": "popularity,item_knn,pearson,als", "als_factors": "64", "als_iterations": "40", "threads": "1"}
SETTINGS |= {"evaluation_bootstrap_samples": "200", "data_partition_mb": "1"}
FITTED, READY, TAKEN = "name=fit_item_knn", "event=workers_ready", "event=checkpoint_taken"
GROUP = "TrainingJobs"
MINUTES = 20
POLL_SECONDS = 0.2


@dataclass(frozen=True)
class Case:
    """A job and what befalls it once its log says ``moment``: its spot instances are taken away, or its host ``killed`` is."""

    name: str
    hosts: int
    moment: str = ""
    killed: str = ""

    @property
    def told(self) -> str:
        on = "one host" if self.hosts == 1 else f"{self.hosts} hosts"
        if not self.moment:
            return f"{on}, undisturbed"
        return f"{on}, {self.killed} killed once" if self.killed else f"{on}, spot instances taken away"


CASES = (
    Case("whole", 1),
    Case("spot", 1, FITTED),
    Case("three", 3),
    Case("three-killed", 3, READY, "algo-3"),
    Case("three-spot", 3, FITTED),
)


@dataclass(frozen=True)
class Made:
    """What a job has made. ``files``: the hash of each file of the model; ``metrics``: by name; ``course``: its secondary statuses."""

    files: dict[str, str]
    version: str
    metrics: dict[str, float]
    course: list[str]
    taken: int
    seconds: int


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/misfortunes", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--docker", metavar="IMAGE", help="containers of this image in place of processes")
    parser.add_argument("--songs", type=int, default=500, help="(%(default)s)")
    parser.add_argument("--listeners", type=int, default=400, help="(%(default)s)")
    parser.add_argument("--only", action="append", choices=[case.name for case in CASES[1:]], help="this case; may be given again (all)")
    return parser.parse_args(arguments)


def request(case: Case) -> dict[str, Any]:
    """Returns what CreateTrainingJob is asked."""
    channels = {name: f"s3://{BUCKET}/{name}/" for name in ("interactions", "items")}
    spot = bool(case.moment) and not case.killed
    job = TrainingJob(case.name, "local", LOCAL_ROLE, f"s3://{BUCKET}/out", channels, SETTINGS, instance_count=case.hosts, spot=spot)
    checkpoints = {"CheckpointConfig": {"S3Uri": f"s3://{BUCKET}/checkpoints/{case.name}"}} if case.moment else {}
    return {**job.request(), **checkpoints, **({"RetryStrategy": {"MaximumRetryAttempts": 1}} if case.killed else {})}


class Theatre:
    """A platform, and a client of it."""

    def __init__(self, context: Context, platform: LocalPlatform) -> None:
        self._platform, self._s3 = platform, context.s3
        self._sagemaker, self._logs = context.client("sagemaker"), context.client("logs")

    def upload(self, data: Path) -> None:
        self._s3.create_bucket(Bucket=BUCKET)
        for path in sorted(data.rglob("*.csv")):
            self._s3.upload_file(str(path), BUCKET, path.relative_to(data).as_posix())

    def play(self, case: Case) -> Made:
        """Runs a job, and has its misfortune befall it. Raises ``CommandError`` if it fails, or ends before that."""
        print(f"{case.name}: {case.told}", flush=True)
        self._sagemaker.create_training_job(**request(case))
        if case.moment:
            self._until(case, lambda: case.moment in self._log(case.name))
            if case.killed:
                self._platform.training.lose(case.name, case.killed)
            else:
                self._platform.training.interrupt(case.name)
        job = self._until(case, lambda: self._job(case.name)["TrainingJobStatus"] == "Completed")
        course = [one["Status"] for one in job["SecondaryStatusTransitions"]]
        files = self._files(job["ModelArtifacts"]["S3ModelArtifacts"])
        return Made(
            files={name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
            version=json.loads(files["model.json"])["model_version"],
            metrics={one["MetricName"]: one["Value"] for one in job["FinalMetricDataList"]},
            course=course,
            taken=self._log(case.name).count(TAKEN),
            seconds=job["TrainingTimeInSeconds"],
        )

    def _job(self, name: str) -> dict[str, Any]:
        return dict(self._sagemaker.describe_training_job(TrainingJobName=name))

    def _until(self, case: Case, done: Callable[[], bool]) -> dict[str, Any]:
        deadline = time.monotonic() + 60 * MINUTES
        while not done():
            job = self._job(case.name)
            if job["TrainingJobStatus"] not in ("InProgress", "Completed") or time.monotonic() > deadline:
                raise CommandError(f"{case.name} is {job['TrainingJobStatus']}: {job.get('FailureReason', 'it takes too long')}")
            if job["TrainingJobStatus"] == "Completed" and not done():
                raise CommandError(f"{case.name} was done before anything could befall it: give it more --songs and --listeners")
            time.sleep(POLL_SECONDS)
        return self._job(case.name)

    def _log(self, name: str) -> str:
        found = []
        for stream in stream_names(self._logs, f"/aws/sagemaker/{GROUP}", f"{name}/"):
            token: dict[str, str] = {}
            while True:
                place = {"logGroupName": f"/aws/sagemaker/{GROUP}", "logStreamName": stream, "startFromHead": True}
                answer = self._logs.get_log_events(**place, **token)
                found += [event["message"] for event in answer["events"]]
                if not answer["events"]:
                    break
                token = {"nextToken": answer["nextForwardToken"]}
        return "\n".join(found)

    def _files(self, uri: str) -> dict[str, bytes]:
        key = uri.removeprefix(f"s3://{BUCKET}/")
        packed = self._s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        with tarfile.open(fileobj=io.BytesIO(packed), mode="r:gz") as archive:
            return {member.name: content.read() for member in archive if (content := archive.extractfile(member))}


def compare(made: Made, first: Made) -> bool:
    """Prints what a job went through, and whether it made what the first one made."""
    differ = sorted(name for name in first.files.keys() | made.files.keys() if first.files.get(name) != made.files.get(name))
    same = not differ and made.metrics == first.metrics
    print(f"  {' → '.join(made.course)}; {made.seconds} s of training, {made.taken} part(s) taken from checkpoints")
    print(f"  model {made.version}, {len(made.files)} files, {len(made.metrics)} metrics")
    wrong = [*(f"the file {name}" for name in differ), *(["a metric"] if made.metrics != first.metrics else [])]
    told = "  the same bytes and figures" if same else f"  DIFFERENT: {', '.join(wrong)}"
    print("" if made is first else told, flush=True)
    return same


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 0 if all models are the same, 1 if not; raises ``CommandError``."""
    options = parse_arguments(arguments)
    launcher: Launcher = Containers(options.docker) if options.docker else Processes()
    cases = [case for case in CASES if not options.only or case.name in ("whole", *options.only)]
    with tempfile.TemporaryDirectory(prefix="lsm-", ignore_cleanup_errors=True) as folder:
        data = Path(folder, "data")
        make_dataset(data, songs=options.songs, listeners=options.listeners, events_per_listener=30)
        context = Context("us-east-1", Path(folder, "ml"), launcher)
        with aws.readable_errors(), platform_server(context, 0) as platform:
            theatre = Theatre(context, platform)
            theatre.upload(data)
            first = theatre.play(cases[0])
            same = [compare(first, first)]
            same += [compare(theatre.play(case), first) for case in cases[1:]]
    print(f"\n{sum(same)} of {len(same)} jobs made the same model")
    return 0 if all(same) else 1


if __name__ == "__main__":
    sys.exit(run(main))
