"""Batch transform of the local SageMaker: how objects are cut, sent, put together, joined and filtered."""

from __future__ import annotations

import gzip
import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from scripts.local_aws import json_paths
from scripts.local_aws.errors import ApiError, JobError
from scripts.local_aws.transform_records import Splitting, body_of
from tests.scripts.local_platform import ROLE, Clients, local_platform, until

LINES = "application/jsonlines"


@pytest.fixture(scope="module")
def aws() -> Iterator[Clients]:
    with local_platform() as clients:
        records = "".join(f'{{"id": "r{number}", "deep": {{"n": [{number}, 7]}}}}\n' for number in range(5))
        clients.put(**{"in/a.jsonl": records, "in/deep/b.jsonl": '{"id": "last"}', "bad/a": '{"id": "x"}\n', "bad/b": "status 422 no\n"})
        clients.put(**{"packed/a.gz": gzip.compress(records.encode())})
        parameters = json.dumps({"MaxConcurrentTransforms": 2, "BatchStrategy": "SINGLE_RECORD", "MaxPayloadInMB": 3})
        container = {"Image": "any", "Environment": {"EXECUTION_PARAMETERS": parameters, "COLOUR": "blue"}}
        clients.sagemaker.create_model(ModelName="m", PrimaryContainer=container, ExecutionRoleArn=ROLE)
        yield clients


def transform(aws: Clients, name: str, prefix: str = "in/", split: str = "Line", content_type: str = LINES, **more: Any) -> dict[str, Any]:
    """Runs a job to its end and returns its description."""
    compression = more.pop("CompressionType", "None")
    source = {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://local/{prefix}"}}}
    aws.sagemaker.create_transform_job(
        TransformJobName=name,
        ModelName="m",
        TransformInput={**source, "ContentType": content_type, "SplitType": split, "CompressionType": compression},
        TransformOutput={"S3OutputPath": f"s3://local/out/{name}", "Accept": LINES, "AssembleWith": "Line"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
        **more,
    )
    return dict(
        until(
            lambda: aws.sagemaker.describe_transform_job(TransformJobName=name),
            lambda job: job["TransformJobStatus"] not in ("InProgress", "Stopping"),
        )
    )


def lines(aws: Clients, key: str) -> list[Any]:
    content = aws.get(f"s3://local/{key}")
    assert content.endswith(b"\n")
    return [json.loads(line) for line in content.splitlines()]


def test_every_line_is_answered_in_order_beside_its_object(aws: Clients) -> None:
    job = transform(aws, "plain")
    assert job["TransformJobStatus"] == "Completed"
    assert aws.keys("out/plain/") == ["out/plain/a.jsonl.out", "out/plain/deep/b.jsonl.out"]
    assert [line["saw"]["id"] for line in lines(aws, "out/plain/a.jsonl.out")] == ["r0", "r1", "r2", "r3", "r4"]
    assert lines(aws, "out/plain/deep/b.jsonl.out") == [{"saw": {"id": "last"}}]
    # What the request does not say, the container's /execution-parameters do.
    assert (job["MaxConcurrentTransforms"], job["BatchStrategy"], job["MaxPayloadInMB"]) == (2, "SingleRecord", 3)
    assert job["CreationTime"] <= job["TransformStartTime"] <= job["TransformEndTime"]
    log = aws.log("/aws/sagemaker/TransformJobs", "plain/")
    assert log.count("POST /invocations") == 6


def test_several_records_go_in_one_request_and_gzip_is_unpacked(aws: Clients) -> None:
    job = transform(
        aws, "many", "packed/", CompressionType="Gzip", BatchStrategy="MultiRecord", MaxPayloadInMB=1, MaxConcurrentTransforms=1
    )
    assert job["TransformJobStatus"] == "Completed", job.get("FailureReason")
    assert len(lines(aws, "out/many/a.gz.out")) == 5
    assert aws.log("/aws/sagemaker/TransformJobs", "many/").count("POST /invocations") == 1


def test_a_whole_object_is_one_request_and_the_container_knows_that_it_is_a_batch(aws: Clients) -> None:
    limits = {"MaxPayloadInMB": 2, "MaxConcurrentTransforms": 3, "BatchStrategy": "SingleRecord", "Environment": {"SIZE": "4"}}
    job = transform(aws, "whole", "in/a", "None", "text/plain", **limits)
    assert job["TransformJobStatus"] == "Completed", job.get("FailureReason")
    (seen,) = lines(aws, "out/whole/a.jsonl.out")
    assert seen["size"] == len(aws.get("s3://local/in/a.jsonl"))
    environment = seen["environment"]
    assert (environment["SAGEMAKER_BATCH"], environment["SAGEMAKER_BATCH_STRATEGY"]) == ("true", "SINGLE_RECORD")
    assert (environment["SAGEMAKER_MAX_PAYLOAD_IN_MB"], environment["SAGEMAKER_MAX_CONCURRENT_TRANSFORMS"]) == ("2", "3")
    assert (environment["COLOUR"], environment["SIZE"]) == ("blue", "4")


def test_records_are_filtered_joined_and_filtered_again(aws: Clients) -> None:
    processing = {"InputFilter": "$.deep", "JoinSource": "Input", "OutputFilter": "$['id','SageMakerOutput']"}
    transform(aws, "joined", "in/a", DataProcessing=processing)
    expected = [{"id": f"r{number}", "SageMakerOutput": {"saw": {"n": [number, 7]}}} for number in range(5)]
    assert lines(aws, "out/joined/a.jsonl.out") == expected


def test_one_bad_record_fails_its_object_and_the_job_and_the_others_are_written(aws: Clients) -> None:
    job = transform(aws, "bad", "bad/", content_type="text/plain")
    assert job["TransformJobStatus"] == "Failed"
    assert "the container answered 422 to a part of s3://local/bad/b: no" in job["FailureReason"]
    assert aws.keys("out/bad/") == ["out/bad/a.out"]


def test_a_filter_that_selects_nothing_and_data_that_is_not_there_fail_the_job(aws: Clients) -> None:
    assert "InputFilter selects nothing" in transform(aws, "lost", DataProcessing={"InputFilter": "$.deep.nothing"})["FailureReason"]
    assert "s3://local/nowhere/" in transform(aws, "nothing", "nowhere/")["FailureReason"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"split": "RecordIO"}, "SplitType RecordIO"),
        ({"split": "None", "BatchStrategy": "MultiRecord"}, "needs a SplitType"),
        ({"MaxConcurrentTransforms": 20, "MaxPayloadInMB": 6}, "must not exceed 100"),
        ({"content_type": "text/csv", "DataProcessing": {"JoinSource": "Input"}}, "DataProcessing of text/csv"),
        ({"split": "None", "DataProcessing": {"JoinSource": "Input"}}, "needs SplitType Line"),
        ({"DataProcessing": {"InputFilter": "$..x"}}, r"the JSONPath \$\.\.x"),
    ],
)
def test_what_is_not_done_is_refused_at_once(aws: Clients, more: dict[str, Any], said: str) -> None:
    with pytest.raises(ClientError, match=said):
        transform(aws, "refused", **more)
    assert aws.sagemaker.list_transform_jobs(NameContains="refused")["TransformJobSummaries"] == []


DOCUMENT = {"a": {"b c": [10, 20, 30, 40]}, "x": 1, "y": 2}


@pytest.mark.parametrize(
    ("path", "selected"),
    [
        ("$", DOCUMENT),
        ("$.x", 1),
        ("$.a['b c'][1]", 20),
        ("$['x', \"y\"]", {"x": 1, "y": 2}),
        ("$.a['b c'][1:]", [20, 30, 40]),
        ("$.a['b c'][:-1]", [10, 20, 30]),
        ("$.a['b c'][0,-1]", [10, 40]),
    ],
)
def test_a_path_selects(path: str, selected: Any) -> None:
    assert json_paths.parse(path)(DOCUMENT) == selected


@pytest.mark.parametrize("path", ["x", "$.", "$[", "$[*]", "$..x", "$['x',0]", "$[?(@.x)]", "$[1:2:3]", "$[-]", "$[]"])
def test_a_path_that_is_not_understood_is_refused(path: str) -> None:
    with pytest.raises(ApiError):
        json_paths.parse(path)


@given(
    st.lists(st.binary(min_size=1, max_size=12).filter(lambda line: len(line.splitlines()) == 1 and line.strip(b"\r\n") == line)),
    st.booleans(),
)
def test_bodies_hold_every_record_once_in_order_and_none_is_too_large(records: list[bytes], many: bool) -> None:
    bodies = list(Splitting(by_line=True, many=many, max_bytes=20).bodies(b"\n".join(records)))
    assert [record for body in bodies for record in body] == records
    assert all(len(body_of(body, by_line=True)) <= 20 for body in bodies)
    if not many:
        assert all(len(body) == 1 for body in bodies)
    else:  # none could have taken the next one's first record
        assert all(sum(map(len, body)) + len(body) + len(after[0]) + 1 > 20 for body, after in itertools.pairwise(bodies))


def test_a_record_over_the_limit_fails() -> None:
    with pytest.raises(JobError, match="a record has 21 bytes"):
        list(Splitting(by_line=True, many=True, max_bytes=20).bodies(b"x" * 21))
