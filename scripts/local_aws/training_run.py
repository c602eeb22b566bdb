"""One training job from Starting to its end, on a thread of its own, started again where the platform would."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Mapping, Sequence
from typing import Any

from scripts.local_aws.channels import Channel
from scripts.local_aws.context import Context
from scripts.local_aws.errors import JobError, invalid
from scripts.local_aws.logs import Metrics
from scripts.local_aws.records import Records
from scripts.local_aws.storage import under, upload
from scripts.local_aws.training_attempt import MOST_REASON, Attempt, Outcome, remove
from scripts.local_aws.training_hosts import count_hosts, machines
from scripts.local_aws.training_progress import TrainingProgress

ENDS = {  # what the command was stopped for: status, message, secondary status
    "done": ("Completed", "Training job completed", ""),
    "stopped": ("Stopped", "Training job stopped", ""),
    "over_time": ("Stopped", "Training job runtime exceeded MaxRuntimeInSeconds", "MaxRuntimeExceeded"),
    "waited": ("Stopped", "Training job wait time exceeded MaxWaitTimeInSeconds", "MaxWaitTimeExceeded"),
}


class TrainingRun:
    """``request``: what CreateTrainingJob was asked, checked. Its progress is written into the records."""

    def __init__(
        self, context: Context, records: Records, request: Mapping[str, Any], channels: Sequence[Channel], metrics: Metrics
    ) -> None:
        self._context, self._records, self._request = context, records, request
        self._channels, self.metrics = channels, metrics
        self.name: str = request["TrainingJobName"]
        self._progress = TrainingProgress(context, records, self.name)
        self._attempt = Attempt(context, request, channels, metrics)
        self._stop, self._interrupt = threading.Event(), threading.Event()
        self._begin, self._interruptions = time.monotonic(), 0
        self._started: float | None = None  # since when the command of this start runs
        self._thread = threading.Thread(target=self._run, name=f"training {self.name}")

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """SIGTERM, and SIGKILL 120 s later; what is in the model folder then is uploaded."""
        self._stop.set()

    def join(self) -> None:
        if self._thread.is_alive():  # not so where it never was started
            self._thread.join()

    def kill(self) -> None:
        """Ends the processes now."""
        self._stop.set()
        self._attempt.kill()

    def interrupt(self) -> None:
        """Takes the spot instances away, as soon as may be. Raises ``ApiError`` where there are none, or none yet."""
        if not self._request.get("EnableManagedSpotTraining"):
            raise invalid(f"The training job {self.name} has no spot instances: it was created without EnableManagedSpotTraining.")
        self._must_be_training()
        self._interrupt.set()

    def lose(self, host: str) -> None:
        """Kills one host without a warning. Raises ``ApiError`` if it does not run."""
        self._must_be_training()
        if not self._attempt.lose(host):
            raise invalid(f"No host {host} of the training job {self.name} is running: they are called algo-1, algo-2, and so on.")

    def _must_be_training(self) -> None:
        secondary = self._records.get(self.name)["SecondaryStatus"]
        if secondary != "Training":
            raise invalid(f"The training job {self.name} is {secondary}: only one that is Training can be interrupted.")

    def _run(self) -> None:
        base = self._context.folder / "training" / self.name
        try:
            self._deliver(self._start_until_it_ends())
        except JobError as error:
            self._fail(str(error))
        except Exception as error:
            traceback.print_exc()
            self._fail(f"InternalServerError: {type(error).__name__}: {error}")
        finally:
            self._context.launcher.release(self.name)
            if not self._context.keep:
                remove(base)

    def _start_until_it_ends(self) -> Outcome:
        """Starts the job, and starts it again, on new machines, after an interruption, or where RetryStrategy has a loss retried."""
        resources, base = self._request["ResourceConfig"], self._context.folder / "training" / self.name
        cluster = machines(resources, self._context.launcher.hosts(self.name, count_hosts(resources)))
        retries = self._request.get("RetryStrategy", {}).get("MaximumRetryAttempts", 0)
        while True:
            self._progress.step("Starting", "Starting the training job")
            self._progress.step("Downloading", "Downloading input data")
            self._attempt = Attempt(self._context, self._request, self._channels, self.metrics)
            self._attempt.prepare(base, cluster)
            if self._stop.is_set():
                return Outcome("stopped")
            self._interrupt.clear()
            self._started = time.monotonic()
            self._progress.begin()
            outcome = self._attempt.run(self._variables(), self._why_stop, self._stopping)
            again = outcome.why == "interrupted" or (outcome.why == "lost" and retries > 0)
            if not again or self._stop.is_set():
                return Outcome("stopped") if outcome.why == "interrupted" else outcome
            self._progress.pause()
            if outcome.why == "lost":
                retries -= 1
                self._progress.step("Restarting", f"{outcome.reason}. Attempts left after this one: {retries}")

    def _variables(self) -> dict[str, str]:
        region = {"AWS_REGION": self._context.region, "AWS_DEFAULT_REGION": self._context.region}
        job = {"TRAINING_JOB_NAME": self.name, "TRAINING_JOB_ARN": self._records.arn(self.name)}
        return {**region, **self._request.get("Environment", {}), **job}

    def _why_stop(self) -> str:
        """Returns why the command has to end now, or "". The times of all starts count together."""
        conditions = self._request["StoppingCondition"]
        if self._stop.is_set():
            return "stopped"
        if self._progress.seconds > conditions["MaxRuntimeInSeconds"]:
            return "over_time"
        if time.monotonic() - self._begin > conditions.get("MaxWaitTimeInSeconds", float("inf")):
            return "waited"
        return "interrupted" if self._interrupt.is_set() or self._interruption_is_due() else ""

    def _interruption_is_due(self) -> bool:
        after = self._context.interrupt_spot_after
        if self._interruptions >= len(after) or not self._request.get("EnableManagedSpotTraining") or self._started is None:
            return False
        return time.monotonic() - self._started >= after[self._interruptions]

    def _stopping(self, why: str) -> None:
        if why == "interrupted":
            self._interruptions += 1
            self._progress.step("Interrupted", "The spot instances were taken away. The training job starts again.")
        else:
            self._progress.step("Stopping", "Stopping the training job", TrainingJobStatus="Stopping")

    def _deliver(self, outcome: Outcome) -> None:
        """Uploads what the command left, and ends the job."""
        where, compressed = self._request["OutputDataConfig"], self._request["OutputDataConfig"].get("CompressionType") != "NONE"
        place, hosts = under(where["S3OutputPath"], self.name, "output"), self._attempt.hosts
        if outcome.why in ENDS:
            self._progress.step("Uploading", "Uploading generated training model")
            model = upload(self._context.s3, [host.model for host in hosts], under(place, "model"), compressed)
            if model:
                self._records.change(self.name, ModelArtifacts={"S3ModelArtifacts": model})
        name = "output" if compressed else "data"
        upload(self._context.s3, [host.output for host in hosts], under(place, name), compressed)
        if outcome.why not in ENDS:
            self._fail(outcome.reason)
            return
        status, message, secondary = ENDS[outcome.why]
        self._progress.end(status, message, secondary, FinalMetricDataList=self.metrics.final() or None)

    def _fail(self, reason: str) -> None:
        final = self.metrics.final() or None
        self._progress.end("Failed", "Training job failed", FailureReason=reason[:MOST_REASON], FinalMetricDataList=final)
