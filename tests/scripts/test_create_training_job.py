"""Training jobs against moto, and the request checked by botocore's own model of the API."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.validate import ParamValidator

from scripts import aws, create_training_job
from scripts.command_line import CommandError

IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/music-recommender:v1"
ROLE = "arn:aws:iam::123456789012:role/SageMaker"
BASICS = ["--image", IMAGE, "--role", ROLE, "--output", "s3://models/out", "--name", "job-1"]


def dry_run(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert create_training_job.main([*BASICS, *arguments, "--dry-run"]) == 0
    return dict(json.loads(capsys.readouterr().out))


def refused(*arguments: str) -> str:
    with pytest.raises(CommandError) as caught:
        create_training_job.main([*arguments, "--dry-run"])
    return str(caught.value)


def test_the_request_says_what_the_options_say(capsys: pytest.CaptureFixture[str]) -> None:
    request = dry_run(
        capsys,
        *("--interactions", "s3://data/events/", "--items", "s3://data/songs/", "--test", "s3://data/test/"),
        *("-p", "seed=7", "-p", "models=ease,content", "--instance-type", "ml.c5.xlarge", "--instance-count", "1", "--volume-gb", "50"),
        *("--max-runtime", "600", "--network-isolation", "--tag", "team=music", "--input-mode", "FastFile"),
    )
    assert request["TrainingJobName"] == "job-1"
    assert request["RoleArn"] == ROLE
    assert request["AlgorithmSpecification"]["TrainingImage"] == IMAGE
    assert request["HyperParameters"] == {"seed": "7", "models": "ease,content"}
    channels = {one["ChannelName"]: one for one in request["InputDataConfig"]}
    assert list(channels) == ["interactions", "items", "test"]
    assert channels["items"]["DataSource"]["S3DataSource"]["S3Uri"] == "s3://data/songs/"
    assert channels["items"]["InputMode"] == "FastFile"
    assert request["ResourceConfig"] == {"InstanceType": "ml.c5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 50}
    assert request["StoppingCondition"] == {"MaxRuntimeInSeconds": 600}
    assert (request["EnableNetworkIsolation"], request["EnableManagedSpotTraining"]) == (True, False)
    assert request["OutputDataConfig"] == {"S3OutputPath": "s3://models/out"}
    assert request["Tags"] == [{"Key": "team", "Value": "music"}]


def test_the_request_has_the_form_that_the_api_asks_for(capsys: pytest.CaptureFixture[str]) -> None:
    request = dry_run(capsys, "--interactions", "s3://data/events/", "--spot")
    shape = boto3.client("sagemaker").meta.service_model.operation_model("CreateTrainingJob").input_shape
    assert ParamValidator().validate(request, shape).generate_report() == ""
    definitions = request["AlgorithmSpecification"]["MetricDefinitions"]
    assert 1 <= len(definitions) <= 40
    assert "hybrid:recall_at_20" in [one["Name"] for one in definitions]


def test_each_further_option_stands_in_the_request_and_botocore_accepts_it(capsys: pytest.CaptureFixture[str]) -> None:
    request = dry_run(
        capsys,
        *("--interactions", "s3://data/events/", "--model", "s3://models/old/model.tar.gz", "--input-mode", "Pipe"),
        *(
            "--spot",
            "--checkpoints",
            "s3://models/checkpoints/a",
            "--subnet",
            "subnet-1",
            "--subnet",
            "subnet-2",
            "--security-group",
            "sg-1",
        ),
        *("--kms-key", "key-1"),
    )
    shape = boto3.client("sagemaker").meta.service_model.operation_model("CreateTrainingJob").input_shape
    assert ParamValidator().validate(request, shape).generate_report() == ""
    channels = {one["ChannelName"]: one for one in request["InputDataConfig"]}
    assert (channels["interactions"]["InputMode"], channels["model"]["InputMode"]) == ("Pipe", "File")
    assert channels["model"]["ContentType"] == "application/x-sagemaker-model"
    assert request["CheckpointConfig"] == {"S3Uri": "s3://models/checkpoints/a"}
    assert request["VpcConfig"] == {"Subnets": ["subnet-1", "subnet-2"], "SecurityGroupIds": ["sg-1"]}
    assert (request["OutputDataConfig"]["KmsKeyId"], request["ResourceConfig"]["VolumeKmsKeyId"]) == ("key-1", "key-1")


def test_the_cost_is_hours_or_hours_by_the_price_that_the_user_gives(capsys: pytest.CaptureFixture[str]) -> None:
    job = [*BASICS, "--items", "s3://data/songs/", "--max-runtime", "1800", "--instance-count", "2", "--dry-run"]
    create_training_job.main(job)
    assert capsys.readouterr().err == "at most 0.50 h × 2 machines\n"
    create_training_job.main([*job, "--price-per-hour", "0.25"])
    assert capsys.readouterr().err == "at most 0.50 h × 2 machines × 0.25 = 0.25\n"


def test_spot_waits_as_long_again_unless_told(capsys: pytest.CaptureFixture[str]) -> None:
    spot = ("--items", "s3://data/songs/", "--spot", "--max-runtime", "600")
    assert dry_run(capsys, *spot)["StoppingCondition"] == {"MaxRuntimeInSeconds": 600, "MaxWaitTimeInSeconds": 1200}
    assert dry_run(capsys, *spot, "--max-wait", "700")["StoppingCondition"]["MaxWaitTimeInSeconds"] == 700


def test_several_hosts_get_parts_of_a_channel_and_all_of_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    several = ("--interactions", "s3://data/events/", "--items", "s3://data/songs/", "--instance-count", "3", "--shard", "interactions")
    request = dry_run(capsys, *several)
    how = {one["ChannelName"]: one["DataSource"]["S3DataSource"]["S3DataDistributionType"] for one in request["InputDataConfig"]}
    assert how == {"interactions": "ShardedByS3Key", "items": "FullyReplicated"}
    assert request["ResourceConfig"]["InstanceCount"] == 3
    base = ("--image", IMAGE, "--role", ROLE, "--output", "s3://models/out", "--name", "job-1")
    assert "pipes are read by one host" in refused(*base, *several, "--input-mode", "Pipe")
    assert "there is no such channel; give --test" in refused(*base, *several, "--shard", "test")


def test_all_mistakes_are_said_at_once_before_anything_is_sent() -> None:
    said = refused(
        *("--image", IMAGE, "--role", "SageMaker", "--name", "a_b", "--interactions", "events.csv", "--max-wait", "5"),
        *("-p", "sead=7", "-p", "models=easy"),
    )
    for part in (
        "--role SageMaker",
        "--name a_b",
        "--interactions events.csv is a local path: give --bucket",
        "nothing says where the model goes",
        "--max-wait is for --spot only",
        "did you mean seed?",
        "models",
    ):
        assert part in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([*BASICS], "there is nothing to train on"),
        ([*BASICS, "--users", "s3://data/users/"], "there is nothing to train on"),
        ([*BASICS, "--items", "s3://UPPER/x"], "--items s3://UPPER/x: not an address"),
        ([*BASICS, "--items", "s3://data/x", "-p", "seed"], "write it as -p key=value"),
        ([*BASICS, "--items", "s3://data/x", "--spot", "--max-wait", "10"], "is below --max-runtime"),
        ([*BASICS, "--items", "s3://data/x", "--checkpoints", "there"], "--checkpoints there: not an address"),
        ([*BASICS, "--items", "s3://data/x", "--subnet", "subnet-1"], "needs both --subnet and --security-group"),
        ([*BASICS, "--items", "s3://data/x", "--price-per-hour", "0"], "a price is above 0"),
        ([*BASICS, "--items", "s3://data/x", "--volume-gb", "0"], "--volume-gb 0: at least 1"),
        ([*BASICS, "--items", "missing.csv", "--bucket", "data"], "there is no such file or folder"),
    ],
)
def test_a_mistake_is_named_with_its_option(arguments: list[str], said: str) -> None:
    assert said in refused(*arguments)


@pytest.mark.usefixtures("aws_account")
def test_local_data_is_uploaded_and_the_job_reads_it_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    boto3.client("s3").create_bucket(Bucket="mine", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    (tmp_path / "events" / "2024").mkdir(parents=True)
    (tmp_path / "events" / "2024" / "a.csv").write_text("user_id,item_id\nu,s\n")
    (tmp_path / "events" / ".hidden").write_text("no")
    (tmp_path / "songs.csv").write_text("item_id\ns\n")
    data = ["--interactions", str(tmp_path / "events"), "--items", str(tmp_path / "songs.csv")]
    assert create_training_job.main(["--image", IMAGE, "--role", ROLE, "--name", "job-1", "--bucket", "mine", *data]) == 0
    keys = [one["Key"] for one in boto3.client("s3").list_objects_v2(Bucket="mine")["Contents"]]
    assert keys == ["music-recommender/job-1/interactions/2024/a.csv", "music-recommender/job-1/items/songs.csv"]
    job = boto3.client("sagemaker").describe_training_job(TrainingJobName="job-1")
    places = [one["DataSource"]["S3DataSource"]["S3Uri"] for one in job["InputDataConfig"]]
    assert places == ["s3://mine/music-recommender/job-1/interactions", "s3://mine/music-recommender/job-1/items"]
    assert job["OutputDataConfig"]["S3OutputPath"] == "s3://mine/music-recommender/output"
    assert "started job-1: arn:aws:sagemaker:eu-west-1:123456789012:training-job/job-1" in capsys.readouterr().out


@pytest.mark.usefixtures("aws_account")
def test_waiting_ends_with_the_place_of_the_model(capsys: pytest.CaptureFixture[str]) -> None:
    assert create_training_job.main([*BASICS, "--items", "s3://data/songs/", "--wait"]) == 0
    out = capsys.readouterr().out
    assert "Completed" in out
    assert "model: s3://models/out" in out


@pytest.mark.usefixtures("aws_account")
def test_what_aws_refuses_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "songs.csv").write_text("item_id\ns\n")
    with pytest.raises(CommandError, match=r"songs\.csv.*The specified bucket does not exist. What to do: make the bucket"):
        create_training_job.main([*BASICS, "--items", str(tmp_path / "songs.csv"), "--bucket", "not-there"])


class Answers:
    """A SageMaker that gives one description after the other."""

    def __init__(self, *answers: dict[str, Any]) -> None:
        self.answers = list(answers)

    def describe_training_job(self, TrainingJobName: str) -> dict[str, Any]:
        return self.answers.pop(0)


def test_each_status_is_printed_once_and_a_failure_with_its_reason(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(aws, "POLL_SECONDS", 0.0)
    running = {"TrainingJobStatus": "InProgress", "SecondaryStatus": "Training"}
    failed = {"TrainingJobStatus": "Failed", "SecondaryStatus": "Failed", "FailureReason": "AlgorithmError: Add a column item_id."}
    starting = {"TrainingJobStatus": "InProgress", "SecondaryStatus": "Starting"}
    assert create_training_job.wait_for(Answers(starting, running, running, running, failed), "job-1") == 1
    said = capsys.readouterr()
    assert [line.split("  ")[-1] for line in said.out.splitlines()] == ["InProgress Starting", "InProgress Training", "Failed Failed"]
    assert said.err == "job-1 ended as Failed: AlgorithmError: Add a column item_id.\n"
