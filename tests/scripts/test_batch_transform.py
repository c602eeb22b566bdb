"""The request of a transform job, and how its answers are counted. Jobs run in test_scripts_on_local_sagemaker.py."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath

import boto3
import pytest
from botocore.validate import ParamValidator

from scripts import batch_transform
from scripts.command_line import CommandError
from scripts.transform_request import Tally, content_type_of

ROLE = "arn:aws:iam::123456789012:role/SageMaker"
MODEL = ["--model-data", "s3://models/model.tar.gz", "--image", "any", "--role", ROLE]


def test_the_requests_have_the_form_that_the_api_asks_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a.csv.gz", "deep/b.csv.gz"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(b"u1\n")
    options = ["--bucket", "mine", "--name", "job-1", "--kms-key", "key-1", "--tag", "team=music", "--join", "--max-payload-mb", "3"]
    options += ["--subnet", "subnet-1", "--security-group", "sg-1", "--max-concurrent", "2", "--env", "A=1"]
    assert batch_transform.main([str(tmp_path / "in"), *MODEL, *options, "--dry-run"]) == 0
    said = capsys.readouterr()
    planned = json.loads(said.out)
    assert said.err.startswith("would upload 2 file(s)")
    service = boto3.client("sagemaker").meta.service_model
    for method, operation in (("create_model", "CreateModel"), ("create_transform_job", "CreateTransformJob")):
        assert ParamValidator().validate(planned[method], service.operation_model(operation).input_shape).generate_report() == ""
    job = planned["create_transform_job"]
    assert job["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"] == "s3://mine/music-recommender/job-1/input/"
    assert {key: job["TransformInput"][key] for key in ("ContentType", "CompressionType", "SplitType")} == {
        "ContentType": "text/csv",
        "CompressionType": "Gzip",
        "SplitType": "Line",
    }
    assert job["TransformOutput"] == {
        "S3OutputPath": "s3://mine/music-recommender/job-1/output",
        "Accept": "text/csv",
        "AssembleWith": "Line",
        "KmsKeyId": "key-1",
    }
    assert (job["DataProcessing"], job["MaxPayloadInMB"], job["MaxConcurrentTransforms"]) == ({"JoinSource": "Input"}, 3, 2)
    assert planned["create_model"]["VpcConfig"]["Subnets"] == ["subnet-1"]


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("a.jsonl", [], "give --bucket too"),
        ("a.txt", ["--bucket", "mine"], "or give --content-type"),
        ("nothing.csv", ["--bucket", "mine"], "there is no such file"),
        ("a.jsonl", ["--bucket", "mine", "--name", "a_b"], "--name a_b: letters"),
        ("a.jsonl", ["--bucket", "mine", "--output", "there"], "--output there: not an address"),
        ("a.jsonl", ["--bucket", "mine", "--env", "A"], "write it as --env key=value"),
    ],
)
def test_a_mistake_is_said_before_anything_is_sent(tmp_path: Path, name: str, options: list[str], said: str) -> None:
    for made in ("a.jsonl", "a.txt"):
        (tmp_path / made).write_text("{}\n")
    with pytest.raises(CommandError, match=said):
        batch_transform.main([str(tmp_path / name), *MODEL, *options, "--dry-run"])


def test_files_of_two_kinds_are_two_jobs() -> None:
    assert content_type_of([PurePosixPath("a.jsonl"), PurePosixPath("b/c.jsonl")]) == ("application/jsonlines", False)
    for other in ("b.csv", "b.jsonl.gz"):
        with pytest.raises(CommandError, match="make a job of each kind"):
            content_type_of([PurePosixPath("a.jsonl"), PurePosixPath(other)])


def test_only_answers_that_are_errors_count_as_such(tmp_path: Path) -> None:
    good = {"status": "success", "recommendations": [{"item_id": "error"}], "said": {"error": 1}}
    bad = {"status": "error", "error": {"code": "unknown_field"}}
    (tmp_path / "a").write_text("\n".join(json.dumps(one) for one in (good, bad, {"id": 1, "SageMakerOutput": bad})) + "\n")
    (tmp_path / "b").write_text("u1,error,s2\nERROR,no such field\n")
    tally = Tally()
    tally.count(tmp_path / "a", "a.out")
    tally.count(tmp_path / "b", "b.out")
    assert (tally.lines, tally.errors) == (5, 3)
    assert tally.example.startswith('a.out, line 2: {"status": "error", "error": {"code": "unknown_field"}')
