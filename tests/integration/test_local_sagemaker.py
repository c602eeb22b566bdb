"""scripts/local_sagemaker as a person starts it, with this project's container: from a bucket to an endpoint and back, through boto3."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from scripts import batch_transform, create_training_job, deploy_endpoint, invoke, teardown
from scripts.make_dataset import make_dataset
from scripts.pack import pack
from scripts.server_processes import alive
from tests.integration.serving import make_model
from tests.scripts.local_platform import ROLE, Clients, channel, until

ROOT = Path(__file__).resolve().parents[2]
QUICK = {"models": "item_knn,popularity", "evaluation_bootstrap_samples": "20", "evaluation_k": "5", "threads": "1"}


@contextmanager
def started(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], Clients]]:
    command = [str(ROOT / "scripts" / "local_sagemaker"), "--port", "0", "--region", "eu-west-1", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        assert first.startswith("local SageMaker at http://127.0.0.1:"), first
        clients = Clients(first.split()[3].rstrip(":"), "eu-west-1")
        try:
            yield process, clients
        finally:
            clients.close()
            process.terminate()
            process.wait(40)


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clients]:
    folder = tmp_path_factory.mktemp("data")
    make_dataset(folder, songs=150, listeners=80, events_per_listener=15)
    header, *rows = (folder / "interactions" / "events.csv").read_text().splitlines()
    with started() as (_, clients):
        for number in range(4):  # in shards, as large data lies there
            part = "\n".join([header, *rows[number::4]]) + "\n"
            clients.put(**{f"events/{number}.csv": part})
        clients.put(**{"events.csv": "\n".join([header, *rows]) + "\n"})
        clients.s3.upload_file(str(folder / "items" / "songs.csv"), "local", "items/songs.csv")
        yield clients


@pytest.fixture(scope="module")
def jobs(aws: Clients) -> dict[str, dict[str, Any]]:
    """Jobs that were run side by side, each from the same events, in another way. "file" was started by our own command."""
    items = channel("items", "s3://local/items/")
    three = {"InstanceType": "ml.m5.large", "InstanceCount": 3, "VolumeSizeInGB": 1}
    slow = {"models": "als", "als_iterations": "200", "als_factors": "500", "evaluation_bootstrap_samples": "100000", "threads": "1"}
    ways: dict[str, dict[str, Any]] = {
        "pipe": {"channels": [channel("interactions", "s3://local/events.csv", "Pipe", ContentType="text/csv"), items]},
        "three-hosts": {
            "channels": [channel("interactions", "s3://local/events/", "FastFile", "ShardedByS3Key"), items],
            "ResourceConfig": three,
        },
        "wrong": {"channels": [channel("interactions", "s3://local/events/")], "HyperParameters": {**QUICK, "modles": "ease"}},
        "long": {"channels": [channel("interactions", "s3://local/events/"), items], "HyperParameters": slow},
    }
    for name, request in ways.items():
        aws.train(name, **{"HyperParameters": QUICK, **request})
    parameters = [word for name, value in QUICK.items() for word in ("-p", f"{name}={value}")]
    place = ["--interactions", "s3://local/events/", "--items", "s3://local/items/", "--output", "s3://local/out", "--name", "file"]
    with through_environment(aws):
        assert create_training_job.main(["--image", "local", "--role", ROLE, *place, *parameters]) == 0
    until(lambda: aws.log("/aws/sagemaker/TrainingJobs", "long/"), lambda log: "event=start" in log, 60)
    aws.sagemaker.stop_training_job(TrainingJobName="long")
    return {name: aws.trained(name, 120) for name in ("file", *ways)}


@contextmanager
def through_environment(aws: Clients) -> Iterator[None]:
    """Our own commands, like any program that uses boto3, are led here by variables alone."""
    variables = {"AWS_ENDPOINT_URL": aws.url, "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_DEFAULT_REGION": aws.region}
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
            patch.delenv(name, raising=False)
        for name, value in variables.items():
            patch.setenv(name, value)
        yield


@pytest.mark.slow
def test_one_model_comes_of_files_of_a_pipe_and_of_three_hosts(aws: Clients, jobs: dict[str, dict[str, Any]]) -> None:
    versions = {}
    for name in ("file", "pipe", "three-hosts"):
        assert jobs[name]["TrainingJobStatus"] == "Completed", jobs[name].get("FailureReason")
        model = json.loads(aws.unpacked(jobs[name]["ModelArtifacts"]["S3ModelArtifacts"])["model.json"])
        versions[name] = model["model_version"]  # a hash of all arrays and weights
    assert versions["file"] == versions["pipe"] == versions["three-hosts"]
    assert "event=followed" in aws.log("/aws/sagemaker/TrainingJobs", "three-hosts/algo-3")


def test_the_metrics_are_those_of_the_report(aws: Clients, jobs: dict[str, dict[str, Any]]) -> None:
    report = json.loads(aws.unpacked("s3://local/out/file/output/output.tar.gz")["evaluation.json"])["holdout"]["models"]["hybrid"]
    metrics = {metric["MetricName"]: metric["Value"] for metric in jobs["file"]["FinalMetricDataList"]}
    assert metrics["hybrid:recall_at_5"] == pytest.approx(report["recall_at_5"]["mean"], abs=1e-5)
    assert metrics["hybrid:ndcg_at_5"] == pytest.approx(report["ndcg_at_5"]["mean"], abs=1e-5)


def test_a_wrong_hyperparameter_is_the_reason(jobs: dict[str, dict[str, Any]]) -> None:
    assert jobs["wrong"]["TrainingJobStatus"] == "Failed"
    said = 'AlgorithmError: Correct the hyperparameter: "modles" is not known (did you mean models?). [UserError], exit code: 2'
    assert jobs["wrong"]["FailureReason"] == said


def test_a_stopped_job_leaves_no_half_model(jobs: dict[str, dict[str, Any]]) -> None:
    assert (jobs["long"]["TrainingJobStatus"], jobs["long"]["ModelArtifacts"]["S3ModelArtifacts"]) == ("Stopped", "")


def test_the_model_is_deployed_asked_updated_transformed_and_taken_down(aws: Clients, jobs: dict[str, dict[str, Any]]) -> None:
    sagemaker, artifacts = aws.sagemaker, jobs["file"]["ModelArtifacts"]["S3ModelArtifacts"]
    container = {"Image": "local", "ModelDataUrl": artifacts, "Environment": {"SAGEMAKER_MODEL_SERVER_WORKERS": "1"}}
    sagemaker.create_model(ModelName="music", PrimaryContainer=container, ExecutionRoleArn=ROLE)
    machine = {"ModelName": "music", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    places = {"S3OutputPath": "s3://local/answers", "S3FailurePath": "s3://local/failures"}
    sagemaker.create_endpoint_config(EndpointConfigName="now", ProductionVariants=[{"VariantName": "a", **machine}])
    sagemaker.create_endpoint_config(
        EndpointConfigName="later", ProductionVariants=[{"VariantName": "b", **machine}], AsyncInferenceConfig={"OutputConfig": places}
    )
    sagemaker.create_endpoint(EndpointName="music", EndpointConfigName="now")
    user = aws.get("s3://local/events.csv").decode().splitlines()[1].split(",")[0]
    aws.put(**{"ask/lines.jsonl": f'{{"user_id": "{user}", "num_recommendations": 2}}\n{{"user": "typo"}}\n'})
    sagemaker.create_transform_job(
        TransformJobName="batch",
        ModelName="music",
        TransformInput={
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://local/ask/"}},
            "ContentType": "application/jsonlines",
            "SplitType": "Line",
        },
        TransformOutput={"S3OutputPath": "s3://local/told", "AssembleWith": "Line"},
        DataProcessing={"JoinSource": "Input", "OutputFilter": "$['SageMakerOutput']"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="music", WaiterConfig={"Delay": 1})
    body = json.dumps({"user_id": user, "num_recommendations": 3}).encode()
    answer = aws.runtime.invoke_endpoint(EndpointName="music", Body=body, ContentType="application/json")
    assert len(json.loads(answer["Body"].read())["recommendations"]) == 3
    with pytest.raises(aws.runtime.exceptions.ModelError) as caught:
        aws.runtime.invoke_endpoint(EndpointName="music", Body=b'{"user": "u0"}', ContentType="application/json")
    assert caught.value.response["OriginalStatusCode"] == 422
    assert json.loads(caught.value.response["OriginalMessage"])["error"]["code"] == "unknown_field"

    sagemaker.get_waiter("transform_job_completed_or_stopped").wait(TransformJobName="batch", WaiterConfig={"Delay": 1})
    good, bad = [json.loads(line) for line in aws.get("s3://local/told/lines.jsonl.out").splitlines()]
    assert (good["user_id"], len(good["recommendations"])) == (user, 2)
    assert bad["error"]["code"] == "unknown_field"

    sagemaker.update_endpoint(EndpointName="music", EndpointConfigName="later")
    until(lambda: sagemaker.describe_endpoint(EndpointName="music")["EndpointStatus"], lambda status: status == "InService", 60)
    aws.put(question=body)
    told = aws.runtime.invoke_endpoint_async(EndpointName="music", InputLocation="s3://local/question", ContentType="application/json")
    until(lambda: aws.keys("answers/"), lambda keys: keys != [], 20)
    assert len(json.loads(aws.get(told["OutputLocation"]))["recommendations"]) == 3
    sagemaker.delete_endpoint(EndpointName="music")
    sagemaker.get_waiter("endpoint_deleted").wait(EndpointName="music", WaiterConfig={"Delay": 1})


@pytest.mark.slow
def test_our_own_commands_deploy_ask_transform_and_tear_down(
    aws: Clients, jobs: dict[str, dict[str, Any]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    user = aws.get("s3://local/events.csv").decode().splitlines()[1].split(",")[0]
    with through_environment(aws):
        assert create_training_job.wait_for(aws.sagemaker, "file") == 0
        assert "model: s3://local/out/file/output/model.tar.gz" in capsys.readouterr().out
        assert deploy_endpoint.main(["scripted", "--training-job", "file", "--wait"]) == 0
        capsys.readouterr()
        assert invoke.main(["--endpoint", "scripted", "--user", user, "--num", "2"]) == 0
        assert capsys.readouterr().out.startswith(f"listener {user} · model ")
        assert teardown.main(["scripted", "--yes"]) == 0
        (tmp_path / "lines.jsonl").write_text(f'{{"user_id": "{user}", "num_recommendations": 2}}\n{{"usr": 1}}\n')
        assert batch_transform.main([str(tmp_path / "lines.jsonl"), "--training-job", "file", "--bucket", "local"]) == 0
        assert f"2 line(s) of answers in {tmp_path}, 1 of them errors" in capsys.readouterr().out
        good, bad = [json.loads(line) for line in (tmp_path / "lines.jsonl.out").read_text().splitlines()]
        assert (good["user_id"], len(good["recommendations"]), bad["error"]["code"]) == (user, 2, "unknown_field")
    assert "scripted" not in [one["EndpointName"] for one in aws.sagemaker.list_endpoints()["Endpoints"]]


def family(process: subprocess.Popen[str]) -> list[int]:
    return [child.pid for child in psutil.Process(process.pid).children(recursive=True)]


def in_service(aws: Clients) -> bool:
    endpoints = aws.sagemaker.list_endpoints()["Endpoints"]
    return [one["EndpointStatus"] for one in endpoints] == ["InService"]


@pytest.mark.slow
def test_what_is_kept_is_there_the_next_time_and_no_process_outlives_either_end(tmp_path: Path) -> None:
    pack(make_model(tmp_path / "model"), tmp_path / "model.tar.gz")
    kept = ["--data", str(tmp_path / "kept")]
    question = {"EndpointName": "music", "Body": b'{"user_id": "u0"}', "ContentType": "application/json"}
    with started(*kept, "--endpoint", f"music={tmp_path / 'model.tar.gz'}") as (process, aws):
        until(lambda: in_service(aws), bool, 30)
        aws.put(**{"a": "x", "a/b": "y", "naïve name": "z"})
        before = family(process)
        assert len(before) >= 4  # a guardian, serve, Java and a worker
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
        until(lambda: alive(before), lambda left: left == [], 5)
    with started(*kept) as (process, aws):
        until(lambda: in_service(aws), bool, 30)
        assert len(json.loads(aws.runtime.invoke_endpoint(**question)["Body"].read())["recommendations"]) == 10
        assert [aws.get(f"s3://local/{key}") for key in ("a", "a/b", "naïve name")] == [b"x", b"y", b"z"]
        before = family(process)
        process.kill()
        process.wait()
        until(lambda: alive(before), lambda left: left == [], 35)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--endpoint", "music=/nowhere"], "is no model"),
        (["--endpoint", "music"], "write it as --endpoint key=value"),
        (["--container", "/tmp"], "has no command train and no serve"),
        (["--bucket", "No"], "InvalidBucketName"),
        (["--data", "/proc/no"], "--data /proc/no cannot be used"),
    ],
)
def test_what_cannot_be_is_one_sentence(arguments: list[str], said: str) -> None:
    command = [str(ROOT / "scripts" / "local_sagemaker"), "--port", "0", *arguments]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env={**os.environ})
    assert finished.returncode == 2, finished.stderr
    assert said in finished.stderr
    assert "Traceback" not in finished.stderr
