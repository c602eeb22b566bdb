"""Training jobs of the local SageMaker: what a container is given and what becomes of what it leaves, asked through boto3."""

from __future__ import annotations

import itertools
import json
import os
import struct
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.scripts.local_platform import ROLE, Clients, channel, local_platform, until

GROUP = {"InstanceGroupName": "small", "InstanceType": "ml.m5.large", "InstanceCount": 1}
FOR_A_GROUP = channel("a", "s3://local/d")
FOR_A_GROUP["DataSource"]["S3DataSource"]["InstanceGroupNames"] = ["small"]


@pytest.fixture(scope="module")
def aws() -> Iterator[Clients]:
    with local_platform() as clients:
        clients.put(**{"data/a.csv": "a\n", "data/deep/b.csv": "b\n", "data/c.csv": "c\n", "other.csv": "o\n"})
        yield clients


def refusal(aws: Clients, name: str, **request: Any) -> str:
    with pytest.raises(ClientError) as caught:
        aws.train(name, **request)
    return str(caught.value)


def test_a_job_is_given_its_files_and_leaves_model_output_logs_and_metrics(aws: Clients) -> None:
    definitions = [{"Name": "loss", "Regex": "loss=([0-9.]+)"}, {"Name": "never", "Regex": "never=([0-9.]+)"}]
    algorithm = {"TrainingImage": "any", "TrainingInputMode": "File", "MetricDefinitions": definitions, "ContainerArguments": ["--fast"]}
    tags = [{"Key": "team", "Value": "music"}]
    data = [channel("interactions", "s3://local/data/", ContentType="text/csv")]
    aws.train("whole", channels=data, AlgorithmSpecification=algorithm, Environment={"COLOUR": "blue"}, Tags=tags)
    aws.sagemaker.get_waiter("training_job_completed_or_stopped").wait(TrainingJobName="whole", WaiterConfig={"Delay": 1})
    job = aws.trained("whole")

    assert job["TrainingJobStatus"] == job["SecondaryStatus"] == "Completed"
    statuses = [one["Status"] for one in job["SecondaryStatusTransitions"]]
    assert statuses == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    assert all(one["StartTime"] <= one["EndTime"] for one in job["SecondaryStatusTransitions"])
    assert [(one["MetricName"], one["Value"]) for one in job["FinalMetricDataList"]] == [("loss", 0.25)]
    assert job["CreationTime"] <= job["TrainingStartTime"] <= job["TrainingEndTime"]
    assert job["ModelArtifacts"]["S3ModelArtifacts"] == "s3://local/out/whole/output/model.tar.gz"
    assert aws.unpacked("s3://local/out/whole/output/output.tar.gz") == {"plots/a.txt": b"a plot"}
    assert aws.log("/aws/sagemaker/TrainingJobs", "whole/algo-1-").splitlines() == ["starting", "loss=0.5", "loss=0.25;"]
    assert aws.sagemaker.list_tags(ResourceArn=job["TrainingJobArn"])["Tags"] == tags

    seen = aws.seen(job)
    assert {name: content for name, (content, _) in seen["files"].items()} == {
        "interactions/a.csv": "a\n",
        "interactions/deep/b.csv": "b\n",
        "interactions/c.csv": "c\n",
    }
    assert seen["config"]["hyperparameters"] == {"act": "report"}
    described = {
        "ContentType": "text/csv",
        "TrainingInputMode": "File",
        "S3DistributionType": "FullyReplicated",
        "RecordWrapperType": "None",
    }
    assert seen["config"]["inputdataconfig"] == {"interactions": described}
    resources = seen["config"]["resourceconfig"]
    assert (resources["current_host"], resources["hosts"]) == ("algo-1", ["algo-1"])
    assert resources["instance_groups"] == [
        {"instance_group_name": "homogeneousCluster", "instance_type": "ml.m5.large", "hosts": ["algo-1"]}
    ]
    assert "checkpointconfig" not in seen["config"]
    assert seen["arguments"] == ["--fast"]
    environment = seen["environment"]
    assert (environment["COLOUR"], environment["TRAINING_JOB_NAME"]) == ("blue", "whole")
    assert (environment["TRAINING_JOB_ARN"], environment["AWS_REGION"]) == (job["TrainingJobArn"], "us-east-1")
    assert "AWS_SECRET_ACCESS_KEY" not in environment


def test_files_of_fast_file_mode_are_read_only_and_a_manifest_brings_what_it_lists(aws: Clients) -> None:
    aws.put(**{"list.manifest": json.dumps([{"prefix": "s3://local/data/"}, "deep/b.csv", "c.csv"])})
    listed = channel("items", "s3://local/list.manifest", S3DataType="ManifestFile")
    aws.train("modes", channels=[channel("interactions", "s3://local/data/a.csv", "FastFile"), listed])
    job = aws.trained("modes")
    files = aws.seen(job)["files"]
    assert files.pop("interactions/a.csv") == ["a\n", "0o444"]
    assert {name: content for name, (content, _) in files.items()} == {"items/deep/b.csv": "b\n", "items/c.csv": "c\n"}


def test_a_pipe_is_written_for_each_epoch_and_a_record_says_where_an_object_ends(aws: Clients) -> None:
    pipes = [
        channel("interactions", "s3://local/data/", "Pipe"),
        channel("items", "s3://local/data/", "Pipe", RecordWrapperType="RecordIO"),
    ]
    shuffled = channel("users", "s3://local/data/", "Pipe", ShuffleConfig={"Seed": 1})
    aws.train("pipes", "pipe", channels=[*pipes, shuffled])
    job = aws.trained("pipes")
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    read = aws.seen(job)["read"]
    assert read["interactions_0"] == read["interactions_1"] == "a\nc\nb\n"  # in the order of the keys
    records = b"".join(struct.pack("<II", 0xCED7230A, 2) + content + b"\0\0" for content in (b"a\n", b"c\n", b"b\n"))
    assert read["items_0"].encode("latin-1") == records
    assert sorted(read["users_0"]) == sorted(read["users_1"]) == sorted("a\nb\nc\n")


def test_hosts_share_a_channel_by_key_and_one_may_get_nothing(aws: Clients) -> None:
    channels = [channel("interactions", "s3://local/data/", distribution="ShardedByS3Key"), channel("items", "s3://local/other.csv")]
    aws.train("hosts", channels=channels, ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 4, "VolumeSizeInGB": 1})
    job = aws.trained("hosts")
    hosts = [aws.seen(job, number) for number in range(4)]
    parts = [[name for name in host["files"] if name.startswith("interactions/")] for host in hosts]
    assert sorted(itertools.chain(*parts)) == ["interactions/a.csv", "interactions/c.csv", "interactions/deep/b.csv"]
    assert parts[3] == []
    assert all("items/other.csv" in host["files"] for host in hosts)
    names = {host["config"]["resourceconfig"]["current_host"] for host in hosts}
    assert [sorted(names)] * 4 == [host["config"]["resourceconfig"]["hosts"] for host in hosts]


def test_a_channel_for_one_instance_group_goes_to_its_hosts_only(aws: Clients) -> None:
    groups = [
        {"InstanceGroupName": name, "InstanceType": kind, "InstanceCount": 1}
        for name, kind in (("big", "ml.m5.large"), ("small", "ml.c5.xlarge"))
    ]
    one = channel("interactions", "s3://local/other.csv")
    one["DataSource"]["S3DataSource"]["InstanceGroupNames"] = ["small"]
    aws.train("groups", channels=[one], ResourceConfig={"InstanceGroups": groups, "VolumeSizeInGB": 1})
    job = aws.trained("groups")
    big, small = aws.seen(job, 0), aws.seen(job, 1)
    assert (big["files"], list(small["files"])) == ({}, ["interactions/other.csv"])
    assert small["config"]["resourceconfig"]["current_group_name"] == "small"
    assert small["config"]["resourceconfig"]["current_instance_type"] == "ml.c5.xlarge"


def test_checkpoints_are_restored_copied_and_removed(aws: Clients) -> None:
    aws.put(**{"checks/step.txt": "4", "checks/old.txt": "old"})
    aws.train("checked", "checkpoint", CheckpointConfig={"S3Uri": "s3://local/checks"})
    job = aws.trained("checked")
    seen = aws.seen(job)
    assert seen["before"] == {"step.txt": "4", "old.txt": "old"}
    assert aws.keys("checks/") == ["checks/step.txt"]
    assert aws.get("s3://local/checks/step.txt") == b"5"


def test_a_failure_has_the_first_characters_of_its_file_and_no_model(aws: Clients) -> None:
    aws.train("failing", "fail")
    job = aws.trained("failing")
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Failed", "Failed")
    assert len(job["FailureReason"]) == 1024
    assert job["FailureReason"].startswith("AlgorithmError: Do this instead. xxx")
    assert job["FailureReason"].endswith("x, exit code: 3")
    assert job["ModelArtifacts"]["S3ModelArtifacts"] == ""
    assert aws.keys("out/failing/") == []


def test_without_a_failure_file_the_last_line_of_the_log_stands_in(aws: Clients) -> None:
    aws.train("silent", "fail_silently")
    assert aws.trained("silent")["FailureReason"] == "AlgorithmError: it was the last line, exit code: 1"


def test_a_host_that_fails_ends_the_others_and_the_job(aws: Clients) -> None:
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}
    aws.train("one-fails", "one_host_fails", ResourceConfig=resources)
    job = aws.trained("one-fails")
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("AlgorithmError: Do this instead.")


def test_data_that_is_not_there_fails_the_job_and_names_the_place(aws: Clients) -> None:
    aws.train("no-data", channels=[channel("interactions", "s3://local/nothing/")])
    aws.train("no-bucket", channels=[channel("interactions", "s3://nowhere/data/")])
    assert "s3://local/nothing/" in aws.trained("no-data")["FailureReason"]
    assert "there is no bucket nowhere" in aws.trained("no-bucket")["FailureReason"]


def test_a_stopped_job_uploads_what_its_command_wrote_after_sigterm(aws: Clients) -> None:
    aws.train("stopped", "wait")
    until(lambda: aws.log("/aws/sagemaker/TrainingJobs", "stopped/"), lambda log: "waiting" in log)
    aws.sagemaker.stop_training_job(TrainingJobName="stopped")
    job = aws.trained("stopped")
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "Stopped")
    assert "Stopping" in [one["Status"] for one in job["SecondaryStatusTransitions"]]
    assert aws.unpacked(job["ModelArtifacts"]["S3ModelArtifacts"]) == {"late.txt": b"written after SIGTERM"}
    with pytest.raises(ClientError, match="is in status Stopped"):
        aws.sagemaker.stop_training_job(TrainingJobName="stopped")


def test_a_job_over_its_time_is_stopped_and_one_that_ignores_sigterm_is_killed(aws: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scripts.local_aws.children.TRAIN_PATIENCE", 1)
    aws.train("over-time", "ignore", StoppingCondition={"MaxRuntimeInSeconds": 1})
    job = aws.trained("over-time")
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")


def test_uncompressed_output_is_one_object_for_each_file(aws: Clients) -> None:
    aws.train("plain", OutputDataConfig={"S3OutputPath": "s3://local/out", "CompressionType": "NONE"})
    assert aws.trained("plain")["ModelArtifacts"]["S3ModelArtifacts"] == "s3://local/out/plain/output/model/"
    assert aws.keys("out/plain/") == ["out/plain/output/data/plots/a.txt", "out/plain/output/model/seen-0.json"]


def test_jobs_are_listed_by_name_status_and_page(aws: Clients) -> None:
    for name in ("listed-1", "listed-2", "listed-3"):
        aws.train(name, "fail" if name == "listed-2" else "report")
    for name in ("listed-1", "listed-2", "listed-3"):
        aws.trained(name)

    def names(**request: Any) -> list[str]:
        pages = aws.sagemaker.get_paginator("list_training_jobs").paginate(NameContains="LISTED", **request)
        return [one["TrainingJobName"] for page in pages for one in page["TrainingJobSummaries"]]

    assert names(SortBy="Name", SortOrder="Descending", MaxResults=2) == ["listed-3", "listed-2", "listed-1"]
    assert names(StatusEquals="Failed") == ["listed-2"]
    assert names(CreationTimeBefore=1_000_000_000) == []
    aws.sagemaker.delete_training_job(TrainingJobName="listed-1")
    assert names() == ["listed-2", "listed-3"]


def test_a_name_is_given_once_and_an_unknown_one_is_a_validation_error(aws: Clients) -> None:
    aws.train("once")
    aws.trained("once")
    assert "ResourceInUse" in refusal(aws, "once")
    with pytest.raises(ClientError, match="Requested resource not found") as caught:
        aws.sagemaker.describe_training_job(TrainingJobName="nobody")
    assert caught.value.response["Error"]["Code"] == "ValidationException"


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (
            {"HyperParameters": {"x": "y" * 2501}},
            "at 'hyperParameters.x.member' failed to satisfy constraint: Member must have length less",
        ),
        ({"RoleArn": "nobody-that-is-known-here"}, "at 'roleArn' failed to satisfy constraint: Member must satisfy regular expression"),
        ({"RetryStrategy": {"MaximumRetryAttempts": 31}}, "Member must have value less than or equal to 30"),
        ({"ResourceConfig": {"InstanceType": "ml.huge", "InstanceCount": 1, "VolumeSizeInGB": 1}}, "enum value set"),
        ({"StoppingCondition": {"MaxWaitTimeInSeconds": 10}}, "MaxWaitTimeInSeconds is for EnableManagedSpotTraining only"),
        ({"EnableManagedSpotTraining": True}, "Invalid MaxWaitTimeInSeconds. It must be present"),
        ({"ResourceConfig": {"InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}}, "an InstanceCount of at least 1"),
        ({"ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceGroups": [GROUP], "VolumeSizeInGB": 1}}, "not both"),
        ({"ResourceConfig": {"InstanceGroups": [GROUP, GROUP], "VolumeSizeInGB": 1}}, "InstanceGroupName must be unique"),
        ({"channels": [FOR_A_GROUP]}, "The channel a is for instance groups that there are not: small"),
        ({"channels": [channel("a", "s3://local/d"), channel("a", "s3://local/d")]}, "ChannelName must be unique"),
        ({"channels": [channel("a", "s3://local/d", RecordWrapperType="RecordIO")]}, "the channel a is in File mode"),
        ({"channels": [channel("a", "s3://local/d", "FastFile", S3DataType="ManifestFile")]}, "FastFile mode takes S3Prefix only"),
        ({"channels": [channel("a", "s3://local/d", S3DataType="AugmentedManifestFile")]}, "does not do this: S3DataType Augmented"),
        ({"CheckpointConfig": {"S3Uri": "s3://local/c", "LocalPath": "/home/x"}}, "LocalPath /home/x"),
        (
            {
                "AlgorithmSpecification": {
                    "TrainingImage": "x",
                    "TrainingInputMode": "File",
                    "MetricDefinitions": [{"Name": "m", "Regex": "("}],
                }
            },
            "Regex of the metric m is not a regular expression",
        ),
        (
            {"AlgorithmSpecification": {"TrainingImage": "x", "TrainingInputMode": "File", "ContainerEntrypoint": ["bash"]}},
            "ContainerEntrypoint",
        ),
    ],
)
def test_what_aws_would_refuse_or_is_not_done_here_is_refused_at_once(aws: Clients, request_: dict[str, Any], said: str) -> None:
    assert said in refusal(aws, "refused", **request_)
    assert aws.sagemaker.list_training_jobs(NameContains="refused")["TrainingJobSummaries"] == []


def test_operations_that_are_not_done_are_refused_and_other_services_are_motos(aws: Clients) -> None:
    with pytest.raises(ClientError, match=r"local_sagemaker does not do ListProcessingJobs\. It does: AddTags, "):
        aws.sagemaker.list_processing_jobs()
    assert aws.client("sts").get_caller_identity()["Account"] == ROLE.split(":")[4]
    assert aws.client("ecr").create_repository(repositoryName="music")["repository"]["repositoryName"] == "music"
    aws.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument="{}")
    aws.client("cloudwatch").put_metric_data(Namespace="n", MetricData=[{"MetricName": "m", "Value": 1.0}])


def test_nothing_is_left_of_a_job(aws: Clients) -> None:
    aws.train("gone")
    job = aws.trained("gone")
    base = aws.seen(job)["folder"]
    until(lambda: os.path.exists(base), lambda there: not there, 5)  # noqa: PTH110


def test_folders_that_are_kept_are_emptied_for_the_next_job_of_the_same_name() -> None:
    with local_platform(keep=True) as aws:
        aws.put(**{"a.csv": "a\n"})
        for act in ("wait", "pipe"):
            aws.train("again", act, channels=[channel("interactions", "s3://local/a.csv", "Pipe")])
            if act == "wait":
                until(lambda: aws.log("/aws/sagemaker/TrainingJobs", "again/"), lambda log: "waiting" in log)
                aws.sagemaker.stop_training_job(TrainingJobName="again")
            job = aws.trained("again")
            left = aws.unpacked(job["ModelArtifacts"]["S3ModelArtifacts"]).keys()
            aws.sagemaker.delete_training_job(TrainingJobName="again")
        assert (job["TrainingJobStatus"], left) == ("Completed", {"seen-0.json"})
