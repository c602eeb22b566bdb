"""What SageMaker refuses of a training job, beyond what botocore's model of a request says, and what is not done here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from scripts.local_aws.children import Launcher
from scripts.local_aws.errors import invalid, not_here
from scripts.local_aws.training_attempt import CHECKPOINTS

A_DAY = 86_400  # MaxRuntimeInSeconds, where the request does not say


def with_defaults(request: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the request with what the platform adds to it."""
    return {**request, "StoppingCondition": {"MaxRuntimeInSeconds": A_DAY, **request.get("StoppingCondition", {})}}


def check_training(asked: Mapping[str, Any], launcher: Launcher) -> None:
    """Raises ``ApiError`` for a request, defaults filled in, that cannot be carried out."""
    algorithm = asked.get("AlgorithmSpecification")
    if not algorithm or not algorithm.get("TrainingImage"):
        raise invalid("AlgorithmSpecification with a TrainingImage is needed: local_sagemaker has no registered algorithms.")
    if "ServerlessJobConfig" in asked:
        raise not_here("serverless training jobs")
    launcher.check_entry(algorithm.get("ContainerEntrypoint", []))
    groups = _check_resources(asked.get("ResourceConfig", {}), bool(asked.get("EnableManagedSpotTraining")))
    _check_channels(asked.get("InputDataConfig", []), groups)
    place = asked.get("CheckpointConfig", {}).get("LocalPath", CHECKPOINTS)
    if not place.startswith("/opt/ml/") or ".." in place.split("/"):
        raise not_here(f"CheckpointConfig.LocalPath {place}", "It takes a folder below /opt/ml.")
    _check_times(asked["StoppingCondition"], bool(asked.get("EnableManagedSpotTraining")))


def _check_resources(resources: Mapping[str, Any], spot: bool) -> set[str]:
    """Returns the names of the instance groups."""
    groups = resources.get("InstanceGroups", [])
    if groups and ("InstanceType" in resources or "InstanceCount" in resources):
        raise invalid("ResourceConfig takes InstanceGroups, or InstanceType with InstanceCount, not both.")
    for one in groups or [resources]:
        if not one.get("InstanceType") or not one.get("InstanceCount"):
            raise invalid("ResourceConfig with an InstanceType and an InstanceCount of at least 1 is needed, for each instance group.")
    names = [group["InstanceGroupName"] for group in groups]
    if twice := _twice(names):
        raise invalid(f"InstanceGroupName must be unique in InstanceGroups: {twice}.")
    if spot and resources.get("KeepAlivePeriodInSeconds"):
        raise invalid("KeepAlivePeriodInSeconds cannot be used with EnableManagedSpotTraining: a warm pool has no spot instances.")
    return set(names)


def _check_channels(channels: Sequence[Mapping[str, Any]], groups: set[str]) -> None:
    if twice := _twice([entry["ChannelName"] for entry in channels]):
        raise invalid(f"ChannelName must be unique in InputDataConfig: {twice}.")
    for entry in channels:
        named = entry["DataSource"].get("S3DataSource", {}).get("InstanceGroupNames", [])
        if unknown := sorted(set(named) - groups):
            raise invalid(f"The channel {entry['ChannelName']} is for instance groups that there are not: {', '.join(unknown)}.")


def _check_times(conditions: Mapping[str, int], spot: bool) -> None:
    longest = conditions.get("MaxWaitTimeInSeconds")
    if longest is not None and not spot:
        raise invalid("MaxWaitTimeInSeconds is for EnableManagedSpotTraining only.")
    if spot and (longest is None or longest < conditions["MaxRuntimeInSeconds"]):
        raise invalid("Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to MaxRuntimeInSeconds.")


def _twice(names: Sequence[str]) -> str:
    return ", ".join(sorted({name for name in names if names.count(name) > 1}))
