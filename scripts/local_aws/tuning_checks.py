"""The request of a tuning job, read and held against what SageMaker takes, before anything is started."""

from __future__ import annotations

import math
import sys
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scripts.local_aws import service_model
from scripts.local_aws.errors import invalid, not_here
from scripts.local_aws.storage import under
from scripts.local_aws.tuning_space import Space, Values, read_space

OBJECTIVE = "_tuning_objective_metric"  # the hyperparameter that tells a container what is aimed at
OF_A_TRAINING_JOB = (
    "AlgorithmSpecification",
    "RoleArn",
    "InputDataConfig",
    "VpcConfig",
    "OutputDataConfig",
    "ResourceConfig",
    "StoppingCondition",
    "EnableNetworkIsolation",
    "EnableInterContainerTrafficEncryption",
    "EnableManagedSpotTraining",
    "RetryStrategy",
    "Environment",
)


@dataclass(frozen=True)
class TuningPlan:
    """What a tuning job does. ``most``: training jobs in all; ``at_once``: at the same time; times in seconds."""

    name: str
    strategy: str
    space: Space
    objective: Mapping[str, str]
    most: int
    at_once: int
    max_runtime: float
    target: float | None
    patience: int | None  # training jobs without a better one, before it ends
    early_stopping: bool
    seed: int | None
    parents: tuple[str, ...]
    definition: Mapping[str, Any]
    tags: tuple[Mapping[str, str], ...]

    def training_request(self, number: int, values: Values) -> dict[str, Any]:
        """Returns the request of the training job with these values; its name is the tuning job's with a number and eight digits.

        Checkpoints, which it must not share with the others, are below the prefix that was given, under its name.
        """
        name = f"{self.name}-{number:03d}-{uuid.uuid4().hex[:8]}"
        static = self.definition.get("StaticHyperParameters", {})
        request = {key: self.definition[key] for key in OF_A_TRAINING_JOB if key in self.definition}
        if checkpoints := self.definition.get("CheckpointConfig"):
            request["CheckpointConfig"] = {**checkpoints, "S3Uri": under(checkpoints["S3Uri"], name)}
        hyperparameters = {OBJECTIVE: self.objective["MetricName"], **static, **values}
        return {"TrainingJobName": name, **request, "HyperParameters": hyperparameters, **({"Tags": list(self.tags)} if self.tags else {})}


def read_plan(request: Mapping[str, Any]) -> TuningPlan:
    """Reads CreateHyperParameterTuningJob. Raises ``ApiError`` for what SageMaker refuses, and for what is not done here."""
    definition, config = _definition(request), request["HyperParameterTuningJobConfig"]
    strategy = config["Strategy"]
    if strategy == "Hyperband":
        raise not_here("the strategy Hyperband", "It takes Bayesian, Random and Grid.")
    space = read_space(config.get("ParameterRanges", {}))
    objective = _objective(config, definition)
    names = {one.name for one in space.parameters}
    if both := sorted(names & definition.get("StaticHyperParameters", {}).keys()):
        raise invalid(f"A hyperparameter is in StaticHyperParameters or in ParameterRanges, not both: {', '.join(both)}.")
    limits, criteria = config["ResourceLimits"], config.get("TuningJobCompletionCriteria", {})
    if criteria.get("ConvergenceDetected", {}).get("CompleteOnConvergence") == "Enabled":
        raise not_here("ConvergenceDetected", "It takes TargetObjectiveMetricValue and BestObjectiveNotImproving.")
    most = _most(strategy, space, limits)
    if limits["MaxParallelTrainingJobs"] > most:
        raise invalid(f"MaxParallelTrainingJobs must be less than or equal to MaxNumberOfTrainingJobs, which is {most}.")
    plan = TuningPlan(
        name=request["HyperParameterTuningJobName"],
        strategy=strategy,
        space=space,
        objective=objective,
        most=most,
        at_once=limits["MaxParallelTrainingJobs"],
        max_runtime=float(limits.get("MaxRuntimeInSeconds", math.inf)),
        target=criteria.get("TargetObjectiveMetricValue"),
        patience=criteria.get("BestObjectiveNotImproving", {}).get("MaxNumberOfTrainingJobsNotImproving"),
        early_stopping=config.get("TrainingJobEarlyStoppingType") == "Auto",
        seed=config.get("RandomSeed"),
        parents=tuple(
            one["HyperParameterTuningJobName"] for one in request.get("WarmStartConfig", {}).get("ParentHyperParameterTuningJobs", [])
        ),
        definition=definition,
        tags=tuple(request.get("Tags", ())),
    )
    service_model.check_request("CreateTrainingJob", plan.training_request(1, {one.name: "" for one in space.parameters}))
    return plan


def _definition(request: Mapping[str, Any]) -> Mapping[str, Any]:
    if request.get("TrainingJobDefinitions"):
        raise not_here("TrainingJobDefinitions", "It takes one TrainingJobDefinition.")
    if "Autotune" in request:
        raise not_here("Autotune")
    definition: Mapping[str, Any] | None = request.get("TrainingJobDefinition")
    if not definition:
        raise invalid("TrainingJobDefinition is needed.")
    for member in ("HyperParameterTuningResourceConfig", "HyperParameterRanges", "TuningObjective"):
        if member in definition:
            raise not_here(f"{member} in a TrainingJobDefinition", "It takes ResourceConfig, and ranges and objective of the tuning job.")
    return definition


def _objective(config: Mapping[str, Any], definition: Mapping[str, Any]) -> Mapping[str, str]:
    objective: Mapping[str, str] | None = config.get("HyperParameterTuningJobObjective")
    if not objective:
        raise invalid("HyperParameterTuningJobObjective is needed.")
    known = [one["Name"] for one in definition["AlgorithmSpecification"].get("MetricDefinitions", [])]
    if objective["MetricName"] not in known:
        said = f"The objective metric {objective['MetricName']} is not one of MetricDefinitions"
        raise invalid(f"{said}: {', '.join(known) or 'there are none'}.")
    return {"Type": objective["Type"], "MetricName": objective["MetricName"]}


def _most(strategy: str, space: Space, limits: Mapping[str, int]) -> int:
    """How many training jobs there will be. A grid says so by itself."""
    given = limits.get("MaxNumberOfTrainingJobs")
    if strategy == "Grid":
        if math.isinf(space.count) or any(not hasattr(one, "values") for one in space.parameters):
            raise invalid("The strategy Grid takes CategoricalParameterRanges only.")
        if given is not None and given != space.count:
            raise invalid(f"MaxNumberOfTrainingJobs must be the number of combinations of the grid, {space.count:.0f}, or be left out.")
        return int(space.count)
    if given is None and "MaxRuntimeInSeconds" not in limits:
        raise invalid(f"MaxNumberOfTrainingJobs is needed for the strategy {strategy}, or MaxRuntimeInSeconds.")
    return given if given is not None else sys.maxsize
