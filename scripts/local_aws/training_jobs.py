"""The operations on training jobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from scripts.local_aws.channels import Channel
from scripts.local_aws.context import Context
from scripts.local_aws.errors import invalid
from scripts.local_aws.logs import Metrics
from scripts.local_aws.training_checks import check_training, with_defaults
from scripts.local_aws.training_run import TrainingRun

RUNNING = ("InProgress", "Stopping")


class TrainingJobs:
    """CreateTrainingJob, DescribeTrainingJob, ListTrainingJobs, StopTrainingJob, DeleteTrainingJob."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.records = context.records("TrainingJob", "TrainingJobSummaries")
        self._runs: dict[str, TrainingRun] = {}
        for name in self.records.names():
            if self.records.get(name)["TrainingJobStatus"] in RUNNING:
                reason = "InternalServerError: local_sagemaker was ended during the job."
                self.records.change(name, TrainingJobStatus="Failed", SecondaryStatus="Failed", FailureReason=reason)

    def create(self, request: Mapping[str, Any]) -> dict[str, Any]:
        return {"TrainingJobArn": self.launch(request)}

    def check(self, request: Mapping[str, Any]) -> None:
        """Raises ``ApiError`` for what ``launch`` would refuse of the request."""
        self._plan(with_defaults(request))

    def launch(self, request: Mapping[str, Any], **facts: Any) -> str:
        """Starts a job and returns its ARN. ``facts`` are of its description and not of its request. Raises ``ApiError``."""
        asked = with_defaults(request)
        run = TrainingRun(self._context, self.records, asked, *self._plan(asked))
        started = {"TrainingJobStatus": "InProgress", "SecondaryStatus": "Starting"}
        arn = self.records.create(run.name, {**asked, **started, **facts})
        self._runs[run.name] = run
        run.start()
        return arn

    def describe(self, request: Mapping[str, Any]) -> dict[str, Any]:
        # Members that the answer must have, even while there is no model yet.
        return {"ModelArtifacts": {"S3ModelArtifacts": ""}, **self.records.describe(request["TrainingJobName"])}

    def list(self, request: Mapping[str, Any]) -> dict[str, Any]:
        return self.records.list({"SortOrder": "Ascending", **request})

    def stop(self, request: Mapping[str, Any]) -> dict[str, Any]:
        name = request["TrainingJobName"]
        status = self.records.get(name)["TrainingJobStatus"]
        if status not in RUNNING:
            raise invalid(f"The request was rejected because the training job is in status {status}.")
        self._runs[name].stop()
        return {}

    def delete(self, request: Mapping[str, Any]) -> dict[str, Any]:
        name = request["TrainingJobName"]
        if self.records.get(name)["TrainingJobStatus"] in RUNNING:
            raise invalid("The request was rejected because the training job is still running: stop it first.")
        self.records.delete(name)
        return {}

    def interrupt(self, name: str) -> None:
        """Takes a job's spot instances away. Raises ``ApiError``."""
        self._running(name).interrupt()

    def lose(self, name: str, host: str) -> None:
        """Kills a job's host, ``algo-1`` and so on. Raises ``ApiError``."""
        self._running(name).lose(host)

    def metric_values(self, name: str, metric: str) -> tuple[float, ...]:
        """Returns every value of a metric that the job has printed since we were started."""
        return tuple(self._runs[name].metrics.values(metric)) if name in self._runs else ()

    def runs(self) -> tuple[TrainingRun, ...]:
        return tuple(self._runs.values())

    def _running(self, name: str) -> TrainingRun:
        status = self.records.get(name)["TrainingJobStatus"]
        if status not in RUNNING:
            raise invalid(f"The request was rejected because the training job is in status {status}.")
        return self._runs[name]

    def _plan(self, asked: Mapping[str, Any]) -> tuple[Sequence[Channel], Metrics]:
        check_training(asked, self._context.launcher)
        algorithm = asked["AlgorithmSpecification"]
        channels = [Channel.of(entry, algorithm["TrainingInputMode"]) for entry in asked.get("InputDataConfig", [])]
        return channels, Metrics(algorithm.get("MetricDefinitions", []))
