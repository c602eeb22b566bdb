"""The operations on training jobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from scripts.local_aws.channels import Channel
from scripts.local_aws.context import Context
from scripts.local_aws.errors import invalid, not_here
from scripts.local_aws.logs import Metrics
from scripts.local_aws.training_run import CHECKPOINTS, TrainingRun

A_DAY = 86_400  # MaxRuntimeInSeconds, where the request does not say
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
        asked = {"StoppingCondition": {}, **request}
        asked["StoppingCondition"] = {"MaxRuntimeInSeconds": A_DAY, **asked["StoppingCondition"]}
        self._check(asked)
        algorithm = asked["AlgorithmSpecification"]
        channels = [Channel.of(entry, algorithm["TrainingInputMode"]) for entry in asked.get("InputDataConfig", [])]
        run = TrainingRun(self._context, self.records, asked, channels, Metrics(algorithm.get("MetricDefinitions", [])))
        arn = self.records.create(run.name, {**asked, "TrainingJobStatus": "InProgress", "SecondaryStatus": "Starting"})
        self._runs[run.name] = run
        run.start()
        return {"TrainingJobArn": arn}

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

    def runs(self) -> Sequence[TrainingRun]:
        return tuple(self._runs.values())

    def _check(self, asked: Mapping[str, Any]) -> None:
        algorithm, resources = asked.get("AlgorithmSpecification"), asked.get("ResourceConfig")
        if not algorithm or not algorithm.get("TrainingImage"):
            raise invalid("AlgorithmSpecification with a TrainingImage is needed: local_sagemaker has no registered algorithms.")
        if not resources or not (resources.get("InstanceGroups") or resources.get("InstanceType")):
            raise invalid("ResourceConfig with an InstanceType is needed.")
        if "ServerlessJobConfig" in asked:
            raise not_here("serverless training jobs")
        self._context.launcher.check_entry(algorithm.get("ContainerEntrypoint", []))
        names = [entry["ChannelName"] for entry in asked.get("InputDataConfig", [])]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise invalid(f"ChannelName must be unique in InputDataConfig: {', '.join(twice)}.")
        place = asked.get("CheckpointConfig", {}).get("LocalPath", CHECKPOINTS)
        if not place.startswith("/opt/ml/") or ".." in place.split("/"):
            raise not_here(f"CheckpointConfig.LocalPath {place}", "It takes a folder below /opt/ml.")
        longest = asked["StoppingCondition"].get("MaxWaitTimeInSeconds")
        if longest is not None and not asked.get("EnableManagedSpotTraining"):
            raise invalid("MaxWaitTimeInSeconds is for EnableManagedSpotTraining only.")
        if longest is not None and longest < asked["StoppingCondition"]["MaxRuntimeInSeconds"]:
            raise invalid("Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to MaxRuntimeInSeconds.")
