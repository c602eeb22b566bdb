"""The files of /opt/ml/input/config: all may be missing, all may hold more than is known, and what is wrong is told."""

from __future__ import annotations

import json
import shutil

import pytest

from tests.conformance.conftest import MakeJob, Train
from tests.conformance.subject_folder import Subject
from tests.conformance.training.conftest import Fails, TrainsTheSame

FILES_OF_THE_PLATFORM = (
    *("profilerconfig.json", "debughookconfig.json", "init-config.json", "metric-definition-regex.json"),
    *("upstreamoutputdataconfig.json", "trainingjobconfig.json", "something-new-2031.json"),
)
SCRIPT_MODE = {
    "sagemaker_program": '"train.py"',
    "sagemaker_submit_directory": '"s3://bucket/job/source/sourcedir.tar.gz"',
    "sagemaker_container_log_level": "20",
    "sagemaker_job_name": '"job-2031-01-01"',
    "sagemaker_region": '"eu-west-1"',
    "sagemaker_s3_output": '"s3://bucket/"',
}


@pytest.mark.contract("A1", "A mistake of the user ends in an exit code from 1 to 255 and a failure file that begins with what to do")
def test_each_mistake_in_the_hyperparameters_is_named_in_the_failure_file(opt_ml: MakeJob, fails: Fails, subject: Subject) -> None:
    for mistake in subject.training["mistakes"]:
        job = opt_ml(mistake)
        failure = fails(job)
        assert all(name in failure for name in mistake), f"{mistake}: {failure}"
        assert not any(job.model.iterdir())


@pytest.mark.contract("A2", "A config file that is no JSON is told, not traced")
def test_a_broken_file_is_named(opt_ml: MakeJob, fails: Fails) -> None:
    job = opt_ml()
    job.config("hyperparameters.json", '{"epochs": ')
    assert "hyperparameters.json" in fails(job)


@pytest.mark.contract("A2", "All config files may be missing")
def test_training_goes_by_its_defaults_without_any_config_file(opt_ml: MakeJob, train: Train, subject: Subject) -> None:
    job = opt_ml()
    shutil.rmtree(job.base / "input" / "config")
    train(job).succeeds(subject.training["seconds"])
    assert any(job.model.iterdir())


@pytest.mark.slow
@pytest.mark.contract("A2", "Every file but hyperparameters.json may be missing, as when a person runs the container by hand")
def test_only_the_hyperparameters_and_the_data_make_the_model(opt_ml: MakeJob, trains_the_same: TrainsTheSame) -> None:
    job = opt_ml()
    for name in ("inputdataconfig.json", "resourceconfig.json"):
        (job.base / "input" / "config" / name).unlink()
    trains_the_same(job)


@pytest.mark.slow
@pytest.mark.contract("A2", "A description of a channel may lack every key, as in the SDK's local mode")
def test_channels_need_no_more_than_a_name(opt_ml: MakeJob, trains_the_same: TrainsTheSame, subject: Subject) -> None:
    job = opt_ml()
    job.config("inputdataconfig.json", {name: {} for name in subject.channels})
    trains_the_same(job)


@pytest.mark.contract("A2", "Files and keys that are not known are ignored")
@pytest.mark.contract("A2", "Values of hyperparameters are strings, and may be JSON-quoted, as script mode and the SDK send them")
@pytest.mark.contract("A6", "The keys that script mode adds to the hyperparameters are ignored")
@pytest.mark.contract("A7", "_tuning_objective_metric, which tuning jobs add, is tolerated")
@pytest.mark.contract("A1", "ContainerArguments, words behind `train`, do not hinder it")
def test_what_the_platform_adds_changes_nothing(opt_ml: MakeJob, trains_the_same: TrainsTheSame, subject: Subject) -> None:
    new = {"AddedNextYear": {"Nested": [1, None]}}
    quoted = {name: value if is_json(value) else json.dumps(value) for name, value in subject.hyperparameters.items()}
    objective = {"_tuning_objective_metric": next(iter(subject.training["metrics"]))}
    job = opt_ml({**quoted, **SCRIPT_MODE, **objective}, channels=dict.fromkeys(subject.channels, new))
    job.resources("algo-1", ["algo-1"], topology={"type": "UltraServer"}, **new)
    for name in FILES_OF_THE_PLATFORM:
        job.config(name, new)
    job.config("of-somebody-else.json", "not even JSON")
    trains_the_same(job, words=["--region", "eu-west-1", "--epochs=3", "train"])


@pytest.mark.slow
@pytest.mark.contract("A2", "Values that are written otherwise mean the same")
def test_values_may_be_written_in_several_ways(opt_ml: MakeJob, trains_the_same: TrainsTheSame, subject: Subject) -> None:
    for other in subject.training["same_model"]:
        trains_the_same(opt_ml(other))


def is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
