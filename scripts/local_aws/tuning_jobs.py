"""The operations on tuning jobs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from scripts.local_aws.context import Context
from scripts.local_aws.errors import ApiError, invalid
from scripts.local_aws.training_jobs import TrainingJobs
from scripts.local_aws.tuning_checks import TuningPlan, read_plan
from scripts.local_aws.tuning_run import TuningRun
from scripts.local_aws.tuning_space import Values
from scripts.local_aws.tuning_summaries import RUNNING, Summary, best_of, count, page_of, summarise, value_of

NAME = "HyperParameterTuningJobName"


class TuningJobs:
    """CreateHyperParameterTuningJob, Describe…, List…, Stop…, Delete…, ListTrainingJobsForHyperParameterTuningJob."""

    def __init__(self, context: Context, training: TrainingJobs) -> None:
        self._context, self._training = context, training
        self.records = context.records("HyperParameterTuningJob", "HyperParameterTuningJobSummaries")
        self._runs: dict[str, TuningRun] = {}
        for name in self.records.names():
            if self.records.get(name)["HyperParameterTuningJobStatus"] in RUNNING:
                reason = "InternalServerError: local_sagemaker was ended during the job."
                facts = count(self._summaries(name))
                self.records.change(name, HyperParameterTuningJobStatus="Failed", FailureReason=reason, **facts)

    def create(self, request: Mapping[str, Any]) -> dict[str, Any]:
        plan = read_plan(request)
        self._training.check(plan.training_request(1, {}))
        earlier = [found for parent in plan.parents for found in self._found(parent, plan)]
        config = request["HyperParameterTuningJobConfig"]
        facts = {"HyperParameterTuningJobStatus": "InProgress", "Strategy": plan.strategy, "ResourceLimits": config["ResourceLimits"]}
        arn = self.records.create(plan.name, {**request, **facts, **count([])})
        run = TuningRun(self._context, self.records, self._training, plan, earlier)
        self._runs[plan.name] = run
        run.start()
        return {"HyperParameterTuningJobArn": arn}

    def describe(self, request: Mapping[str, Any]) -> dict[str, Any]:
        job = self._get(request[NAME])
        described = self.records.describe(request[NAME])
        if parents := job.get("WarmStartConfig", {}).get("ParentHyperParameterTuningJobs"):
            names = [request[NAME], *(parent[NAME] for parent in parents if parent[NAME] in self.records.names())]
            objective = job["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]
            best = best_of([one for name in names for one in self._summaries(name)], objective)
            described |= {"OverallBestTrainingJob": best} if best else {}
        return described

    def list(self, request: Mapping[str, Any]) -> dict[str, Any]:
        return self.records.list(request)

    def list_training_jobs(self, request: Mapping[str, Any]) -> dict[str, Any]:
        self._get(request[NAME])
        try:
            page, token = page_of(self._summaries(request[NAME]), request)
        except ValueError:
            raise invalid("The NextToken is none that was handed out.") from None
        return {"TrainingJobSummaries": page} | ({"NextToken": token} if token else {})

    def stop(self, request: Mapping[str, Any]) -> dict[str, Any]:
        status = self._get(request[NAME])["HyperParameterTuningJobStatus"]
        if status not in RUNNING:
            raise invalid(f"The request was rejected because the hyperparameter tuning job is in status {status}.")
        self._runs[request[NAME]].stop()
        return {}

    def delete(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The training jobs and what they made stay, as on AWS."""
        if self._get(request[NAME])["HyperParameterTuningJobStatus"] in RUNNING:
            raise invalid("The request was rejected because the hyperparameter tuning job is still running: stop it first.")
        self.records.delete(request[NAME])
        return {}

    def runs(self) -> tuple[TuningRun, ...]:
        return tuple(self._runs.values())

    def _get(self, name: str) -> dict[str, Any]:
        if name not in self.records.names():
            raise ApiError("ResourceNotFound", f"Amazon SageMaker can't find a tuning job with the name {name}.")
        return self.records.get(name)

    def _summaries(self, name: str) -> Sequence[Summary]:
        objective = self.records.get(name)["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]
        arn, records = self.records.arn(name), self._training.records
        jobs = [records.get(one) for one in records.names()]
        return [summarise(job, objective) | {"TuningJobName": name} for job in jobs if job.get("TuningJobArn") == arn]

    def _found(self, parent: str, plan: TuningPlan) -> Iterator[tuple[Values, float]]:
        """Yields what an earlier tuning job has found, for one that begins with it."""
        if parent not in self.records.names():
            raise invalid(f"There is no tuning job {parent} to begin with.")
        job = self.records.get(parent)
        if job["HyperParameterTuningJobStatus"] in RUNNING:
            raise invalid(f"The parent tuning job {parent} is still running.")
        if job["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"] != plan.objective:
            raise invalid(f"The parent tuning job {parent} has another objective.")
        for one in self._summaries(parent):
            if (value := value_of(one)) is not None:
                yield one["TunedHyperParameters"], value
