"""The request of a tuning job, held against botocore's model with all its limits; its course against botocore's stubber."""

from __future__ import annotations

import datetime
import json
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from botocore.validate import ParamValidator
from hypothesis import given
from hypothesis import strategies as st

from scripts import aws, tune
from scripts.command_line import CommandError
from scripts.local_aws import service_model
from scripts.tuning_request import range_of, tunable

IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/music-recommender:v1"
ROLE = "arn:aws:iam::123456789012:role/SageMaker"
JOB = ["--image", IMAGE, "--role", ROLE, "--output", "s3://models/out", "--name", "search", "--interactions", "s3://data/events/"]
JOB += ["-p", "models=ease,als,popularity"]


def dry_run(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert tune.main([*JOB, *arguments, "--dry-run"]) == 0
    return dict(json.loads(capsys.readouterr().out))


def test_the_request_has_the_form_that_the_api_asks_for(capsys: pytest.CaptureFixture[str]) -> None:
    request = dry_run(
        capsys,
        *(
            "--tune",
            "ease_l2",
            "--tune",
            "als_factors=16:256",
            "--tune",
            "ease_item_exponent=0.1:0.9:Linear",
            "--jobs",
            "9",
            "--at-once",
            "3",
        ),
        *("--seed", "7", "--parent", "earlier", "--early-stopping", "--spot", "--tag", "team=music", "-p", "seed=3"),
        *("--subnet", "subnet-1", "--security-group", "sg-1", "--checkpoints", "s3://models/checkpoints"),
    )
    shape = boto3.client("sagemaker").meta.service_model.operation_model("CreateHyperParameterTuningJob").input_shape
    assert ParamValidator().validate(request, shape).generate_report() == ""
    service_model.check_request("CreateHyperParameterTuningJob", request)  # patterns and lengths, too
    config = request["HyperParameterTuningJobConfig"]
    assert config["HyperParameterTuningJobObjective"] == {"Type": "Maximize", "MetricName": "hybrid:recall_at_20"}
    assert config["ResourceLimits"] == {"MaxNumberOfTrainingJobs": 9, "MaxParallelTrainingJobs": 3}
    assert config["ParameterRanges"] == {
        "IntegerParameterRanges": [{"Name": "als_factors", "MinValue": "16", "MaxValue": "256", "ScalingType": "Auto"}],
        "ContinuousParameterRanges": [
            {"Name": "ease_l2", "MinValue": "0.000001", "MaxValue": "1000000", "ScalingType": "Logarithmic"},
            {"Name": "ease_item_exponent", "MinValue": "0.1", "MaxValue": "0.9", "ScalingType": "Linear"},
        ],
    }
    definition = request["TrainingJobDefinition"]
    assert definition["StaticHyperParameters"] == {"models": "ease,als,popularity", "seed": "3"}
    metrics = [one["Name"] for one in definition["AlgorithmSpecification"]["MetricDefinitions"]]
    assert config["HyperParameterTuningJobObjective"]["MetricName"] in metrics
    assert definition["VpcConfig"]["Subnets"] == ["subnet-1"]
    assert "HyperParameters" not in definition


def test_an_objective_where_less_is_better_is_minimised(capsys: pytest.CaptureFixture[str]) -> None:
    request = dry_run(capsys, "--tune", "ease_l2", "--objective", "hybrid:gini_at_20")
    assert request["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]["Type"] == "Minimize"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "give --tune once to 30 times"),
        (["--tune", "ease_l"], "not a tunable hyperparameter of the models"),
        (["--tune", "item_knn_neighbours"], "not a tunable hyperparameter of the models"),  # that model is not trained
        (["--tune", "ease_l2=1"], "write it as ease_l2, ease_l2=LOW:HIGH"),
        (["--tune", "ease_l2=9:1"], "the lower end comes first"),
        (["--tune", "ease_l2=0:1"], "both within 0.000001 to 1000000"),
        (["--tune", "als_factors=1:2.5"], "als_factors takes whole numbers"),
        (["--tune", "ease_dropout=0:0.5:Logarithmic"], "begins above 0"),
        (["--tune", "ease_dropout=0:0.5:Steep"], "the scale is one of Auto"),
        (["--tune", "ease_l2", "--tune", "ease_l2"], "ease_l2 is given twice"),
        (["--tune", "ease_l2", "-p", "ease_l2=3"], "a value by -p and a range by --tune"),
        (["--tune", "ease_l2", "--at-once", "30"], "--at-once 30: from 1 to --jobs"),
        (["--tune", "ease_l2", "--name", "a" * 33], "at most 32 characters"),
        (["--tune", "ease_l2", "--objective", "recall"], "--objective recall: not one of hybrid:recall_at_20"),
    ],
)
def test_a_mistake_is_said_before_anything_is_paid_for(arguments: list[str], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        tune.main([*JOB, *arguments, "--dry-run"])


TUNABLE, _ = tunable({}, IMAGE)


@given(st.sampled_from(sorted(TUNABLE)), st.text(alphabet="0123456789.:eE-+LinearogtmicuAnaf", max_size=20))
def test_any_text_is_a_range_within_the_described_one_or_a_sentence(name: str, text: str) -> None:
    found, wrong = range_of(f"{name}={text}", TUNABLE)
    assert (found is None) == bool(wrong)
    if found:
        (limits,) = TUNABLE[name]["Range"].values()
        assert float(limits["MinValue"]) <= float(found.low) < float(found.high) <= float(limits["MaxValue"])


def test_what_can_be_tuned_is_listed_with_its_range(capsys: pytest.CaptureFixture[str]) -> None:
    assert tune.main([*JOB, "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("ease_l2=0.000001:1000000  ") for line in lines)
    assert not any(line.startswith("item_knn_") for line in lines)
    assert lines[-1].startswith("objectives: hybrid:recall_at_20 (Maximize), ")


def described(status: str, done: int, **more: Any) -> dict[str, Any]:
    now = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    config = {"Strategy": "Bayesian", "ResourceLimits": {"MaxNumberOfTrainingJobs": 2, "MaxParallelTrainingJobs": 1}}
    return {
        "HyperParameterTuningJobName": "search",
        "HyperParameterTuningJobArn": "arn:aws:sagemaker:eu-west-1:123456789012:hyper-parameter-tuning-job/search",
        "HyperParameterTuningJobConfig": config,
        "HyperParameterTuningJobStatus": status,
        "CreationTime": now,
        "TrainingJobStatusCounters": {"Completed": done, "InProgress": 2 - done},
        "ObjectiveStatusCounters": {"Succeeded": done, "Pending": 0, "Failed": 0},
        **more,
    }


def test_a_search_is_started_followed_and_its_best_job_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    sagemaker = boto3.client("sagemaker")
    monkeypatch.setattr(aws, "client", lambda *_: sagemaker)
    monkeypatch.setattr(aws, "POLL_SECONDS", 0.0)
    best = {
        "TrainingJobName": "search-001",
        "TrainingJobArn": "arn:aws:sagemaker:eu-west-1:123456789012:training-job/search-001",
        "CreationTime": datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC),
        "TrainingJobStatus": "Completed",
        "TunedHyperParameters": {"ease_l2": "3.5"},
        "FinalHyperParameterTuningJobObjectiveMetric": {"MetricName": "hybrid:recall_at_20", "Value": 0.25},
    }
    with Stubber(sagemaker) as stubber:
        method = "describe_hyper_parameter_tuning_job"
        stubber.add_client_error(method, "ResourceNotFound", "Amazon SageMaker can't find a tuning job with the name search.")
        arn = "arn:aws:sagemaker:eu-west-1:123456789012:hyper-parameter-tuning-job/search"
        stubber.add_response("create_hyper_parameter_tuning_job", {"HyperParameterTuningJobArn": arn})
        stubber.add_response(method, described("InProgress", 0))
        stubber.add_response(method, described("InProgress", 1, BestTrainingJob=best))
        stubber.add_response(method, described("Completed", 2, BestTrainingJob=best))
        assert tune.main([*JOB, "--tune", "ease_l2", "--jobs", "2", "--at-once", "1", "--price-per-hour", "0.5", "--wait"]) == 0
        stubber.add_response(method, described("Failed", 0, FailureReason="All training jobs failed."))
        assert tune.main([*JOB, "--tune", "ease_l2"]) == 1
        stubber.assert_no_pending_responses()
    said = capsys.readouterr()
    assert "at most 2.00 h × 1 machine × 0.5 = 1.00" in said.out
    assert "InProgress, 1 done, 1 running, 0 failed, best hybrid:recall_at_20=0.2500" in said.out
    assert "best: search-001: -p ease_l2=3.5" in said.out
    assert "search ended as Failed: All training jobs failed." in said.err
