"""How `train` is started: by variables, again and again on one machine."""

from __future__ import annotations

import pytest

from tests.conformance.conftest import MakeJob, Train, Under
from tests.conformance.container import NOBODY, Conditions
from tests.conformance.subject_folder import Subject
from tests.conformance.training.conftest import Fails, TrainsTheSame

OF_THE_PLATFORM = {
    "TRAINING_JOB_NAME": "job-2031-01-01",
    "TRAINING_JOB_ARN": "arn:aws:sagemaker:eu-west-1:000000000000:training-job/job-2031-01-01",
    "AWS_REGION": "eu-west-1",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/credentials/none-here",
    "SM_MODEL_DIR": "/opt/ml/model",
    "SM_HPS": '{"epochs": 1}',
    "SM_NUM_GPUS": "0",
    "DMLC_INTERFACE": "eth0",
}


@pytest.mark.contract("A5", "The variables that the platform and its toolkit set change nothing")
def test_variables_of_the_platform_change_nothing(opt_ml: MakeJob, train: Train, subject: Subject) -> None:
    job = opt_ml()
    train(job, variables=OF_THE_PLATFORM).succeeds(subject.training["seconds"])
    assert any(job.model.iterdir())


@pytest.mark.slow
@pytest.mark.contract("A8", "Warm pools: what an earlier job left on the machine changes nothing")
def test_an_earlier_job_on_the_machine_changes_nothing(
    opt_ml: MakeJob, train: Train, trains_the_same: TrainsTheSame, subject: Subject
) -> None:
    train(opt_ml(subject.training["numeric"])).succeeds(subject.training["seconds"])
    trains_the_same(opt_ml())


@pytest.mark.contract("A8", "Retries: the same job may start again in the folders of one that failed")
def test_a_job_that_failed_may_start_again_in_its_folders(
    opt_ml: MakeJob, fails: Fails, trains_the_same: TrainsTheSame, subject: Subject
) -> None:
    job = opt_ml(subject.training["mistakes"][0])
    fails(job)
    job.hyperparameters()
    trains_the_same(job)
    assert job.failure is None


@pytest.mark.contract("A4", "A model that cannot be written fails the job")
def test_a_model_folder_that_may_not_be_written_fails_the_job(opt_ml: MakeJob, fails: Fails, under: Under) -> None:
    job = opt_ml()
    job.model.chmod(0o555)
    assert "/model" in fails(job, conditions=under(Conditions(user=NOBODY)))
