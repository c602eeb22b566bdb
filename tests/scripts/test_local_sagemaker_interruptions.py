"""What befalls training jobs of the local SageMaker: spot instances that are taken away, machines that fail, time that is over."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from tests.scripts.local_platform import Clients, channel, local_platform, until

SPOT: dict[str, Any] = {
    "EnableManagedSpotTraining": True,
    "StoppingCondition": {"MaxRuntimeInSeconds": 600, "MaxWaitTimeInSeconds": 600},
}
TWO = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}


@pytest.fixture(scope="module")
def aws() -> Iterator[Clients]:
    with local_platform() as clients:
        clients.put(**{"data/a.csv": "a\n"})
        yield clients


def switch(aws: Clients, path: str, method: str = "POST") -> tuple[int, str]:
    """Asks for what boto3 has no operation for."""
    request = urllib.request.Request(f"{aws.url}/_local/training-jobs/{path}", data=b"", method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.loads(answer.read())["message"]
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())["message"]


def wait_for_lines(aws: Clients, name: str, count: int = 1) -> None:
    until(lambda: aws.log("/aws/sagemaker/TrainingJobs", f"{name}/").count("waiting"), lambda found: found >= count)


def statuses(job: dict[str, Any]) -> list[str]:
    return [one["Status"] for one in job["SecondaryStatusTransitions"]]


def test_an_interrupted_spot_job_starts_again_as_it_was_with_its_checkpoints(aws: Clients) -> None:
    data = [channel("interactions", "s3://local/data/")]
    aws.train("spot", "resume", data, CheckpointConfig={"S3Uri": "s3://local/checks/spot"}, **SPOT)
    wait_for_lines(aws, "spot")
    assert switch(aws, "spot/interrupt") == (200, "The spot instances of spot are taken away.")
    job = aws.trained("spot")
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Completed", "Completed")
    start = ["Starting", "Downloading", "Training"]
    assert statuses(job) == [*start, "Interrupted", *start, "Uploading", "Completed"]
    assert all(one["StartTime"] <= one["EndTime"] for one in job["SecondaryStatusTransitions"])
    seen = aws.seen(job)
    assert seen["before"] == ["late-0.txt"]  # what was written after SIGTERM
    assert list(seen["files"]) == ["interactions/a.csv"]
    assert seen["config"]["hyperparameters"] == {"act": "resume"}
    # The second start is on a new machine: what the first one left in the model folder is gone.
    assert aws.unpacked(job["ModelArtifacts"]["S3ModelArtifacts"]).keys() == {"seen-0.json"}
    wall = (job["TrainingEndTime"] - job["TrainingStartTime"]).total_seconds()
    assert 0 <= job["BillableTimeInSeconds"] <= job["TrainingTimeInSeconds"] <= wall + 1


def test_spot_jobs_are_interrupted_by_themselves_after_the_times_given() -> None:
    with local_platform(interrupt_spot_after=(0.0, 0.1)) as aws:
        hyperparameters = {"act": "resume", "interruptions": "0"}
        aws.train("plain", HyperParameters=hyperparameters, CheckpointConfig={"S3Uri": "s3://local/checks/plain"})
        aws.train("spot", "wait", CheckpointConfig={"S3Uri": "s3://local/checks/spot"}, **SPOT)
        assert "Interrupted" not in statuses(aws.trained("plain"))
        wait_for_lines(aws, "spot")
        aws.sagemaker.stop_training_job(TrainingJobName="spot")
        assert statuses(aws.trained("spot")).count("Interrupted") == 2


def test_a_spot_job_that_waits_and_runs_too_long_is_stopped(aws: Clients) -> None:
    times = {"MaxRuntimeInSeconds": 1, "MaxWaitTimeInSeconds": 1}
    aws.train("too-long", "wait", EnableManagedSpotTraining=True, StoppingCondition=times)
    job = aws.trained("too-long")
    assert job["TrainingJobStatus"] == "Stopped"
    assert job["SecondaryStatus"] in ("MaxWaitTimeExceeded", "MaxRuntimeExceeded")
    assert job["SecondaryStatusTransitions"][-1]["EndTime"] == job["SecondaryStatusTransitions"][-1]["StartTime"]


def test_the_time_of_all_starts_counts_against_the_longest_runtime(aws: Clients) -> None:
    times = {"MaxRuntimeInSeconds": 2, "MaxWaitTimeInSeconds": 600}
    aws.train("twice", "wait", EnableManagedSpotTraining=True, StoppingCondition=times)
    wait_for_lines(aws, "twice")
    switch(aws, "twice/interrupt")
    job = aws.trained("twice")
    assert job["SecondaryStatus"] == "MaxRuntimeExceeded"
    assert job["TrainingTimeInSeconds"] in (2, 3)


def test_a_lost_host_ends_the_job_or_is_retried_as_the_request_says(aws: Clients) -> None:
    for name, more in (("lost", {}), ("retried", {"RetryStrategy": {"MaximumRetryAttempts": 1}})):
        checkpoints = {"S3Uri": f"s3://local/checks/{name}"}
        aws.train(name, "lose_a_host", ResourceConfig=TWO, CheckpointConfig=checkpoints, **more)
    for name in ("lost", "retried"):
        wait_for_lines(aws, name, 2)
        assert switch(aws, f"{name}/hosts/algo-2/kill") == (200, f"algo-2 of {name} is killed.")
    lost, retried = aws.trained("lost"), aws.trained("retried")
    assert lost["TrainingJobStatus"] == "Failed"
    assert lost["FailureReason"].startswith("InternalServerError: algo-2 was killed from outside")
    assert lost["FailureReason"].endswith("exit code: 137")
    assert retried["TrainingJobStatus"] == "Completed"
    start = ["Starting", "Downloading", "Training"]
    assert statuses(retried) == [*start, "Restarting", *start, "Uploading", "Completed"]
    assert [aws.seen(retried, number)["config"]["hyperparameters"]["act"] for number in range(2)] == ["lose_a_host"] * 2


def test_a_machine_that_is_lost_again_and_again_uses_up_the_attempts_and_a_failure_of_the_algorithm_none(aws: Clients) -> None:
    aws.train("again", "kill_itself", RetryStrategy={"MaximumRetryAttempts": 2})
    aws.train("own-fault", "fail", RetryStrategy={"MaximumRetryAttempts": 2})
    job = aws.trained("again")
    assert statuses(job).count("Restarting") == 2
    assert job["FailureReason"].startswith("InternalServerError: algo-1 was killed from outside")
    own = aws.trained("own-fault")
    assert "Restarting" not in statuses(own)
    assert own["FailureReason"].startswith("AlgorithmError: ")


def test_a_switch_that_cannot_be_turned_says_why(aws: Clients) -> None:
    aws.train("on-demand", "wait")
    wait_for_lines(aws, "on-demand")
    assert switch(aws, "on-demand/interrupt")[0] == 400
    assert "created without EnableManagedSpotTraining" in switch(aws, "on-demand/interrupt")[1]
    assert "No host algo-2 of the training job on-demand is running" in switch(aws, "on-demand/hosts/algo-2/kill")[1]
    assert switch(aws, "on-demand/interrupt", "GET")[0] == 405
    assert switch(aws, "on-demand/explode")[0] == 404
    assert "Requested resource not found" in switch(aws, "nobody/interrupt")[1]
    aws.sagemaker.stop_training_job(TrainingJobName="on-demand")
    aws.trained("on-demand")
    assert "is in status Stopped" in switch(aws, "on-demand/interrupt")[1]


def test_a_warm_pool_is_accepted_and_changes_nothing(aws: Clients) -> None:
    resources = {**TWO, "InstanceCount": 1, "KeepAlivePeriodInSeconds": 600}
    aws.train("warm", ResourceConfig=resources)
    job = aws.trained("warm")
    assert (job["TrainingJobStatus"], job["ResourceConfig"]) == ("Completed", resources)
    assert "WarmPoolStatus" not in job
