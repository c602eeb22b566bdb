"""Tuning jobs of the local SageMaker: searches over real training jobs, asked through boto3."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.scripts.local_platform import ROLE, Clients, local_platform, until

X = {"Name": "x", "MinValue": "0.5", "MaxValue": "2.5"}
KINDS = {"Name": "kind", "Values": ["good", "broken"]}
LOSS = {"Name": "loss", "Regex": "loss=([0-9.]+)"}


@pytest.fixture(scope="module")
def aws() -> Iterator[Clients]:
    with local_platform() as clients:
        yield clients


def request(name: str, ranges: dict[str, Any], strategy: str = "Random", jobs: int | None = 3, at_once: int = 2, **more: Any) -> Any:
    static = {"act": "course", **more.pop("static", {})}
    definition = {
        "StaticHyperParameters": static,
        "AlgorithmSpecification": {"TrainingImage": "any", "TrainingInputMode": "File", "MetricDefinitions": [LOSS]},
        "RoleArn": ROLE,
        "OutputDataConfig": {"S3OutputPath": "s3://local/out"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        **more.pop("definition", {}),
    }
    limits = {"MaxParallelTrainingJobs": at_once, **({"MaxNumberOfTrainingJobs": jobs} if jobs else {}), **more.pop("limits", {})}
    config = {
        "Strategy": strategy,
        "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "loss"},
        "ResourceLimits": limits,
        "ParameterRanges": ranges,
        **more.pop("config", {}),
    }
    return {"HyperParameterTuningJobName": name, "HyperParameterTuningJobConfig": config, "TrainingJobDefinition": definition, **more}


def start(aws: Clients, name: str, ranges: dict[str, Any], *arguments: Any, **more: Any) -> None:
    aws.sagemaker.create_hyper_parameter_tuning_job(**request(name, ranges, *arguments, **more))


def described(aws: Clients, name: str) -> dict[str, Any]:
    return dict(aws.sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name))


def ended(aws: Clients, name: str, seconds: float = 60) -> dict[str, Any]:
    status = "HyperParameterTuningJobStatus"
    return dict(until(lambda: described(aws, name), lambda job: job[status] not in ("InProgress", "Stopping"), seconds))


def listed(aws: Clients, name: str, **more: Any) -> list[dict[str, Any]]:
    pages = aws.sagemaker.get_paginator("list_training_jobs_for_hyper_parameter_tuning_job")
    return [one for page in pages.paginate(HyperParameterTuningJobName=name, **more) for one in page["TrainingJobSummaries"]]


def test_a_search_runs_training_jobs_within_its_limits_and_names_the_best(aws: Clients) -> None:
    tags = [{"Key": "team", "Value": "music"}]
    checkpoints = {"CheckpointConfig": {"S3Uri": "s3://local/checks"}}
    start(aws, "whole", {"ContinuousParameterRanges": [X]}, jobs=4, config={"RandomSeed": 7}, Tags=tags, definition=checkpoints)
    most = 0
    while (job := described(aws, "whole"))["HyperParameterTuningJobStatus"] == "InProgress":
        most = max(most, job["TrainingJobStatusCounters"]["InProgress"])
    assert (job["HyperParameterTuningJobStatus"], most) == ("Completed", 2)
    assert job["TrainingJobStatusCounters"] == {
        "Completed": 4,
        "InProgress": 0,
        "RetryableError": 0,
        "NonRetryableError": 0,
        "Stopped": 0,
    }
    assert job["ObjectiveStatusCounters"] == {"Succeeded": 4, "Pending": 0, "Failed": 0}
    assert job["CreationTime"] < job["HyperParameterTuningEndTime"]

    jobs = listed(aws, "whole", SortBy="FinalObjectiveMetricValue", MaxResults=3)
    assert len(jobs) == 4
    losses = [one["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] for one in jobs]
    assert losses == sorted(losses)
    assert [float(one["TunedHyperParameters"]["x"]) for one in jobs] == pytest.approx([loss - 1 / 3 for loss in losses], abs=1e-5)
    assert job["BestTrainingJob"]["TrainingJobName"] == jobs[0]["TrainingJobName"]
    assert [one["TrainingJobName"][:10] for one in listed(aws, "whole")] == [f"whole-00{number}-" for number in range(1, 5)]

    best = aws.trained(jobs[0]["TrainingJobName"])
    assert best["TuningJobArn"] == job["HyperParameterTuningJobArn"]
    values = {"act": "course", "x": jobs[0]["TunedHyperParameters"]["x"], "_tuning_objective_metric": "loss"}
    seen = aws.seen(best)
    assert best["HyperParameters"] == seen["config"]["hyperparameters"] == values
    assert best["CheckpointConfig"]["S3Uri"] == f"s3://local/checks/{best['TrainingJobName']}"
    for arn in (job["HyperParameterTuningJobArn"], best["TrainingJobArn"]):
        assert aws.sagemaker.list_tags(ResourceArn=arn)["Tags"] == tags


def test_a_grid_tries_every_combination_once_and_counts_those_that_fail(aws: Clients) -> None:
    ranges = {"CategoricalParameterRanges": [KINDS, {"Name": "x", "Values": ["1", "2"]}]}
    start(aws, "grid", ranges, "Grid", None, 4)
    job = ended(aws, "grid")
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    assert {status: count for status, count in job["TrainingJobStatusCounters"].items() if count} == {
        "Completed": 2,
        "NonRetryableError": 2,
    }
    assert job["ObjectiveStatusCounters"] == {"Succeeded": 2, "Pending": 0, "Failed": 2}
    tried = sorted((one["TunedHyperParameters"]["kind"], one["TunedHyperParameters"]["x"]) for one in listed(aws, "grid"))
    assert tried == [("broken", "1"), ("broken", "2"), ("good", "1"), ("good", "2")]
    assert job["BestTrainingJob"]["TunedHyperParameters"] == {"kind": "good", "x": "1"}
    failed = listed(aws, "grid", StatusEquals="Failed")
    assert [one["ObjectiveStatus"] for one in failed] == ["Failed", "Failed"]
    assert failed[0]["FailureReason"].startswith("AlgorithmError: Do this instead.")
    assert len(listed(aws, "grid", SortBy="FinalObjectiveMetricValue")) == 2


def test_a_search_of_which_every_job_fails_has_failed(aws: Clients) -> None:
    start(aws, "hopeless", {"ContinuousParameterRanges": [X]}, jobs=2, static={"kind": "broken"})
    job = ended(aws, "hopeless")
    assert job["HyperParameterTuningJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("All training jobs failed.")
    assert "BestTrainingJob" not in job


def test_a_stopped_search_stops_its_jobs_and_starts_no_more(aws: Clients) -> None:
    start(aws, "stopped", {"ContinuousParameterRanges": [X]}, jobs=9, static={"act": "wait"})
    until(lambda: aws.log("/aws/sagemaker/TrainingJobs", "stopped-").count("waiting"), lambda count: count == 2)
    assert described(aws, "stopped")["TrainingJobStatusCounters"]["InProgress"] == 2
    aws.sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName="stopped")
    job = ended(aws, "stopped")
    assert (job["HyperParameterTuningJobStatus"], job["TrainingJobStatusCounters"]["Stopped"]) == ("Stopped", 2)
    assert len(listed(aws, "stopped")) == 2
    with pytest.raises(ClientError, match="is in status Stopped"):
        aws.sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName="stopped")


def test_jobs_that_are_worse_than_the_others_were_by_then_are_stopped_early(aws: Clients) -> None:
    values = {"CategoricalParameterRanges": [{"Name": "x", "Values": ["1", "1.1", "1.2", "3"]}]}
    more = {"static": {"hang_above": "2"}, "config": {"TrainingJobEarlyStoppingType": "Auto"}}
    start(aws, "early", values, "Grid", None, 1, **more)
    job = ended(aws, "early")
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    assert [one["TunedHyperParameters"]["x"] for one in listed(aws, "early", StatusEquals="Stopped")] == ["3"]
    assert job["BestTrainingJob"]["TunedHyperParameters"] == {"x": "1"}


def test_a_search_ends_when_its_target_is_met_and_another_begins_with_what_it_found(aws: Clients) -> None:
    criteria = {"TuningJobCompletionCriteria": {"TargetObjectiveMetricValue": 3.0}}
    start(aws, "parent", {"ContinuousParameterRanges": [X]}, "Bayesian", 50, 1, config=criteria)
    parent = ended(aws, "parent")
    assert len(listed(aws, "parent")) == 1
    warm = {"ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": "parent"}], "WarmStartType": "IdenticalDataAndAlgorithm"}
    start(aws, "child", {"ContinuousParameterRanges": [X]}, "Bayesian", 1, 1, WarmStartConfig=warm)
    child = ended(aws, "child")
    both = [one["BestTrainingJob"]["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] for one in (parent, child)]
    assert child["OverallBestTrainingJob"]["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] == min(both)


def test_searches_are_listed_and_deleted_and_unknown_ones_are_not_found(aws: Clients) -> None:
    start(aws, "listed", {"ContinuousParameterRanges": [X]}, jobs=1, at_once=1)
    ended(aws, "listed")
    (summary,) = aws.sagemaker.list_hyper_parameter_tuning_jobs(NameContains="listed")["HyperParameterTuningJobSummaries"]
    assert (summary["Strategy"], summary["TrainingJobStatusCounters"]["Completed"]) == ("Random", 1)
    with pytest.raises(aws.sagemaker.exceptions.ResourceInUse):
        start(aws, "listed", {"ContinuousParameterRanges": [X]}, jobs=1, at_once=1)
    trained = listed(aws, "listed")[0]["TrainingJobName"]
    aws.sagemaker.delete_hyper_parameter_tuning_job(HyperParameterTuningJobName="listed")
    assert aws.trained(trained)["TrainingJobStatus"] == "Completed"  # it stays
    for ask in (aws.sagemaker.describe_hyper_parameter_tuning_job, aws.sagemaker.list_training_jobs_for_hyper_parameter_tuning_job):
        with pytest.raises(aws.sagemaker.exceptions.ResourceNotFound):
            ask(HyperParameterTuningJobName="listed")


CONTINUOUS = {"ContinuousParameterRanges": [X]}


@pytest.mark.parametrize(
    ("ranges", "more", "said"),
    [
        (CONTINUOUS, {"strategy": "Grid", "jobs": None}, "The strategy Grid takes CategoricalParameterRanges only"),
        ({"CategoricalParameterRanges": [KINDS]}, {"strategy": "Grid", "jobs": 3}, "the number of combinations of the grid, 2"),
        (CONTINUOUS, {"strategy": "Hyperband"}, "does not do this: the strategy Hyperband"),
        (CONTINUOUS, {"jobs": None}, "MaxNumberOfTrainingJobs is needed"),
        (CONTINUOUS, {"jobs": 1}, "MaxParallelTrainingJobs must be less than or equal to MaxNumberOfTrainingJobs"),
        (CONTINUOUS, {"static": {"x": "1"}}, "in StaticHyperParameters or in ParameterRanges, not both: x"),
        ({}, {}, "at least one range is needed"),
        ({"ContinuousParameterRanges": [X, X]}, {}, "x has several"),
        ({"IntegerParameterRanges": [X]}, {}, "of the integer hyperparameter x must be integer numbers"),
        ({"ContinuousParameterRanges": [{**X, "MinValue": "3"}]}, {}, "must be less than its MaxValue"),
        ({"ContinuousParameterRanges": [{**X, "MinValue": "0", "ScalingType": "Logarithmic"}]}, {}, "A logarithmic scale is for values"),
        ({"ContinuousParameterRanges": [{**X, "ScalingType": "ReverseLogarithmic"}]}, {}, "A reverse logarithmic scale is for"),
        (
            CONTINUOUS,
            {"config": {"HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "lost"}}},
            "The objective metric lost is not one of MetricDefinitions: loss",
        ),
        (CONTINUOUS, {"definition": {"EnableManagedSpotTraining": True}}, "Invalid MaxWaitTimeInSeconds"),
        (CONTINUOUS, {"Autotune": {"Mode": "Enabled"}}, "does not do this: Autotune"),
    ],
)
def test_what_aws_would_refuse_or_is_not_done_here_is_refused_at_once(
    aws: Clients, ranges: dict[str, Any], more: dict[str, Any], said: str
) -> None:
    with pytest.raises(ClientError) as caught:
        start(aws, "refused", ranges, **more)
    assert said in str(caught.value)
    assert caught.value.response["Error"]["Code"] == "ValidationException"
    assert aws.sagemaker.list_hyper_parameter_tuning_jobs(NameContains="refused")["HyperParameterTuningJobSummaries"] == []
