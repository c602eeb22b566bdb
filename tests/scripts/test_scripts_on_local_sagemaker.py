"""The commands that talk to SageMaker, as a person types them, at a local SageMaker whose container is a few small scripts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts import batch_transform, create_training_job, deploy_endpoint, invoke, teardown, tune
from scripts.command_line import CommandError
from tests.scripts.local_endpoints import archive, ask
from tests.scripts.local_platform import ROLE, Clients, local_platform, until

JOB = ["--image", "any", "--role", ROLE, "--bucket", "local"]
MODEL = ["--image", "any", "--role", ROLE, "--model-data", "s3://local/two.tar.gz"]


@pytest.fixture(scope="module")
def platform() -> Iterator[Clients]:
    with local_platform() as clients:
        clients.put(**{"two.tar.gz": archive(name="two"), "events/a.csv": "user_id,item_id\nu,s\n"})
        yield clients


@pytest.fixture(autouse=True)
def aws(platform: Clients, monkeypatch: pytest.MonkeyPatch) -> Clients:
    """The commands are led there by variables, as a person would."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", platform.url)
    monkeypatch.setenv("AWS_DEFAULT_REGION", platform.region)
    return platform


@pytest.fixture(scope="module")
def trained(platform: Clients) -> str:
    """A job of ours, run by the command."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"AWS_ENDPOINT_URL": platform.url, "AWS_DEFAULT_REGION": platform.region}.items():
            patch.setenv(name, value)
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        patch.delenv("AWS_PROFILE", raising=False)
        assert create_training_job.main([*JOB, "--name", "trained", "--interactions", "s3://local/events/", "--wait"]) == 0
    return "trained"


def names(aws: Clients) -> list[str]:
    found = [
        *((one["EndpointName"]) for one in aws.sagemaker.list_endpoints()["Endpoints"]),
        *((one["EndpointConfigName"]) for one in aws.sagemaker.list_endpoint_configs()["EndpointConfigs"]),
        *((one["ModelName"]) for one in aws.sagemaker.list_models()["Models"]),
    ]
    return sorted(found)


# Training


def test_a_job_is_followed_with_its_log_and_told_as_trained_when_asked_for_again(
    aws: Clients, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "songs.csv").write_text("item_id\ns\n")
    (tmp_path / "model.tar.gz").write_bytes(archive(name="old"))
    job = [*JOB, "--name", "whole", "--items", str(tmp_path / "songs.csv"), "--model", str(tmp_path / "model.tar.gz"), "--spot"]
    job += ["--checkpoints", "s3://local/checkpoints/whole", "--price-per-hour", "0.5", "--tag", "team=music"]
    job += ["--subnet", "subnet-1", "--security-group", "sg-1", "--network-isolation"]
    assert create_training_job.main([*job, "--wait"]) == 0
    out = capsys.readouterr().out
    log = [line.strip() for line in out.splitlines() if line.startswith("          ")]
    assert log == ["starting", "loss=0.5", "loss=0.25;"]
    assert "at most 1.00 h × 1 machine × 0.5 = 0.50" in out
    assert re.search(
        r"paid: 0\.00 h × 1 machine × 0\.5 = 0\.00\nmodel: s3://local/music-recommender/output/whole/output/model\.tar\.gz", out
    )
    seen = aws.seen(aws.trained("whole"))
    assert sorted(seen["files"]) == ["items/songs.csv", "model/model.tar.gz"]
    assert seen["config"]["checkpointconfig"] == {"LocalPath": "/proc/self/cwd/checkpoints"}

    assert create_training_job.main([*job, "--wait"]) == 0
    assert "whole was trained already: arn:" in (again := capsys.readouterr().out)
    assert "model: s3://local/music-recommender/output/whole/" in again
    assert "uploading" not in again


def test_the_lines_of_several_hosts_are_told_apart(capsys: pytest.CaptureFixture[str]) -> None:
    job = [*JOB, "--name", "two-hosts", "--interactions", "s3://local/events/", "--instance-count", "2", "--wait"]
    assert create_training_job.main(job) == 0
    lines = {line.strip() for line in capsys.readouterr().out.splitlines()}
    assert {"algo-1: starting", "algo-2: starting"} <= lines


def test_a_job_that_runs_is_followed_and_not_started_again(aws: Clients, capsys: pytest.CaptureFixture[str]) -> None:
    aws.train("long", act="wait")
    until(lambda: aws.log("/aws/sagemaker/TrainingJobs", "long/"), lambda log: "waiting" in log)
    job = [*JOB, "--name", "long", "--interactions", "s3://local/events/"]
    assert create_training_job.main(job) == 0
    assert "long is running already: arn:" in capsys.readouterr().out
    aws.sagemaker.stop_training_job(TrainingJobName="long")
    assert create_training_job.main([*job, "--wait"]) == 1
    said = capsys.readouterr()
    assert "waiting" in said.out
    assert "long ended as Stopped" in said.err


def test_a_name_that_a_failed_job_has_used_up_is_said(aws: Clients) -> None:
    aws.train("failed", act="fail")
    aws.trained("failed")
    with pytest.raises(CommandError, match=r"there was a job failed, it ended as Failed .*give another --name"):
        create_training_job.main([*JOB, "--name", "failed", "--interactions", "s3://local/events/"])


def test_a_job_that_fails_says_why_and_what_to_do(aws: Clients, capsys: pytest.CaptureFixture[str]) -> None:
    job = [*JOB, "--name", "lost", "--interactions", "s3://no-bucket/events/", "--wait"]
    assert create_training_job.main(job) == 1
    assert re.search(r"lost ended as Failed: .*no-bucket.*What to do: make the bucket", capsys.readouterr().err)


def test_a_search_is_followed_to_its_end_and_told_when_asked_for_again(
    aws: Clients, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "songs.csv").write_text("item_id\ns\n")
    search = [*JOB, "--items", str(tmp_path / "songs.csv"), "-p", "models=content", "--tune", "content_neighbours=10:90"]
    search += ["--jobs", "2", "--name", "search", "--spot", "--seed", "1", "--early-stopping", "--wait"]
    assert tune.main(search) == 1  # this container prints other figures than ours
    said = capsys.readouterr()
    assert "Failed, 2 done, 0 running, 0 failed" in said.out
    assert "search ended as Failed: All training jobs failed." in said.err
    _, one = aws.sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(HyperParameterTuningJobName="search")["TrainingJobSummaries"]
    seen = aws.seen(aws.trained(one["TrainingJobName"]))
    assert seen["config"]["hyperparameters"]["_tuning_objective_metric"] == "hybrid:recall_at_20"
    assert 10 <= int(seen["config"]["hyperparameters"]["content_neighbours"]) <= 90
    assert list(seen["files"]) == ["items/songs.csv"]
    assert tune.main(search) == 1
    assert "search was started already: arn:" in capsys.readouterr().out


# Endpoints


def test_an_endpoint_is_made_updated_with_a_challenger_and_torn_down_whole(
    aws: Clients, trained: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert deploy_endpoint.main(["music", "--newest", "--wait"]) == 0
    assert f"the training job {trained}" in (said := capsys.readouterr()).err
    assert "music serves; ask it: scripts/invoke --endpoint music --user USER_ID" in said.out
    first = aws.sagemaker.describe_endpoint(EndpointName="music")["EndpointConfigName"]
    challenger = ["--challenger", "s3://local/two.tar.gz", "--challenger-share", "1"]
    updated = deploy_endpoint.main(["music", "--training-job", trained, *challenger, "--wait"])
    assert updated == 0, capsys.readouterr().err
    assert aws.sagemaker.describe_endpoint(EndpointName="music")["EndpointConfigName"] != first
    assert ask(aws)["model"]["name"] == "two"
    before = names(aws)
    assert len(before) == 1 + 2 + 3

    assert teardown.main(["music", "--dry-run"]) == 0
    assert len([line for line in capsys.readouterr().out.splitlines() if line.startswith("would delete")]) == len(before)
    with pytest.raises(CommandError, match="give --yes"):
        teardown.main(["music"])
    assert names(aws) == before
    assert teardown.main(["music", "--yes"]) == 0
    assert names(aws) == []
    capsys.readouterr()
    assert teardown.main(["music", "--yes"]) == 0
    assert "nothing to delete" in capsys.readouterr().out


def test_a_server_that_does_not_start_shows_the_reason_and_its_log_and_can_be_deployed_again(
    aws: Clients, capsys: pytest.CaptureFixture[str]
) -> None:
    assert deploy_endpoint.main(["broken", *MODEL, "--env", "REFUSES=1", "--wait"]) == 1
    err = capsys.readouterr().err
    assert err.startswith("broken is Failed: ")
    assert "\n    no model that I could serve" in err
    assert deploy_endpoint.main(["broken", *MODEL, "--serverless-memory", "2048", "--wait"]) == 0
    assert "the endpoint broken had failed; deleting it" in capsys.readouterr().out
    assert ask(aws, endpoint="broken")["model"]["name"] == "two"
    # An update that does not start leaves what there was, and what it made is still found by teardown.
    assert deploy_endpoint.main(["broken", *MODEL, "--env", "REFUSES=1", "--wait"]) == 1
    assert "it still serves broken-" in capsys.readouterr().err
    assert teardown.main(["broken", "--yes"]) == 0
    assert names(aws) == []


def test_an_asynchronous_endpoint_answers_in_s3(aws: Clients, capsys: pytest.CaptureFixture[str]) -> None:
    assert deploy_endpoint.main(["later", *MODEL, "--async-output", "s3://local/answers", "--wait"]) == 0
    assert "an answer comes to s3://local/answers" in capsys.readouterr().out
    assert "AsyncInferenceConfig" in aws.sagemaker.describe_endpoint(EndpointName="later")
    teardown.main(["later", "--yes"])


def test_a_multi_model_endpoint_is_asked_for_the_model_of_a_job_by_its_name(
    aws: Clients, trained: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert deploy_endpoint.main(["many", "--training-job", trained, "--multi-model", "--wait"]) == 0
    target = "trained/output/model.tar.gz"
    assert f"scripts/invoke --endpoint many --target-model {target} --user USER_ID" in capsys.readouterr().out
    assert invoke.main(["--endpoint", "many", "--target-model", target, "--user", "u", "--raw"]) == 0
    seen = json.loads(capsys.readouterr().out.splitlines()[-1])  # before it, the platform in this process says what it loads
    assert (json.loads(seen["body"]), "seen-0.json" in seen["model"]) == ({"user_id": "u"}, True)
    teardown.main(["many", "--yes"])


def test_an_endpoint_with_a_shadow_that_is_captured_is_torn_down_with_both_models(aws: Clients) -> None:
    aws.put(**{"three.tar.gz": archive(name="three")})
    options = ["--shadow", "s3://local/three.tar.gz", "--capture", "s3://local/captured", "--wait"]
    assert deploy_endpoint.main(["shadowed", *MODEL, *options]) == 0
    assert ask(aws, endpoint="shadowed")["model"] == {"name": "two"}
    assert teardown.main(["shadowed", "--yes"]) == 0
    assert names(aws) == []
    keys = until(lambda: aws.keys("captured/"), lambda found: len(found) == 2, 10)
    assert [key.split("/")[1:3] for key in sorted(keys)] == [["shadowed", "AllTraffic"], ["shadowed", "Shadow"]]


def test_what_is_refused_leaves_nothing_behind(aws: Clients) -> None:
    with pytest.raises(CommandError, match="does not do this: data capture of asynchronous"):
        deploy_endpoint.main(["captured", *MODEL, "--capture", "s3://local/seen", "--async-output", "s3://local/answers"])
    assert names(aws) == []


# Batch transform


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_file_is_answered_beside_itself_line_by_line(
    aws: Clients, trained: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    requests = tmp_path / "requests.jsonl"
    requests.write_text("".join(f'{{"user_id": "u{number}"}}\n' for number in range(3)))
    assert batch_transform.main([str(requests), "--newest", "--bucket", "local"]) == 0
    assert [line["saw"]["user_id"] for line in lines(tmp_path / "requests.jsonl.out")] == ["u0", "u1", "u2"]
    out = capsys.readouterr().out
    assert "Completed, 1 of 1 file(s) answered" in out
    assert f"3 line(s) of answers in {tmp_path}, 0 of them errors" in out
    assert names(aws) == []  # the model of the job is gone


def test_a_prefix_is_answered_folder_by_folder_and_joined(aws: Clients, tmp_path: Path) -> None:
    aws.put(**{"in/a.jsonl": '{"id": "a", "x": {"n": 1}}\n', "in/deep/b.jsonl": '{"id": "b", "x": {"n": 2}}\n'})
    options = ["--output", "s3://local/joined", "--download", str(tmp_path / "answers"), "--join", "--input-filter", "$.x"]
    assert batch_transform.main(["s3://local/in/", *MODEL, *options, "--output-filter", "$['id','SageMakerOutput']"]) == 0
    assert lines(tmp_path / "answers" / "a.jsonl.out") == [{"id": "a", "SageMakerOutput": {"saw": {"n": 1}}}]
    assert lines(tmp_path / "answers" / "deep" / "b.jsonl.out") == [{"id": "b", "SageMakerOutput": {"saw": {"n": 2}}}]
    assert [path.name for path in (tmp_path / "answers").iterdir() if path.name.startswith(".")] == []


def test_a_job_that_fails_shows_its_reason_and_leaves_no_model(aws: Clients, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.csv").write_text("status 422 no\n")
    assert batch_transform.main([str(tmp_path / "a.csv"), *MODEL, "--bucket", "local", "--accept", "text/csv"]) == 1
    assert "the container answered 422" in capsys.readouterr().err
    assert not (tmp_path / "a.csv.out").exists()
    assert names(aws) == []


def test_a_job_that_is_not_waited_for_leaves_its_model_to_teardown(
    aws: Clients, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.jsonl").write_text('{"id": "a"}\n')
    options = ["--bucket", "local", "--name", "alone", "--no-wait"]
    assert batch_transform.main([str(tmp_path / "a.jsonl"), *MODEL, *options]) == 0
    assert "scripts/teardown alone" in capsys.readouterr().out
    until(lambda: aws.keys("music-recommender/alone/output/"), lambda keys: keys == ["music-recommender/alone/output/a.jsonl.out"])
    assert names(aws) == ["alone"]
    assert teardown.main(["alone", "--yes"]) == 0
    assert names(aws) == []
