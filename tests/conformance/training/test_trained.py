"""One training of the subject, as it should go."""

from __future__ import annotations

import re

import pytest

from tests.conformance.opt_ml import OptMl
from tests.conformance.subject_folder import Subject


@pytest.mark.contract("A4", "The model is in /opt/ml/model, and a job that is done has no failure file")
def test_a_training_leaves_a_model_and_no_failure_file(trained: tuple[OptMl, str]) -> None:
    job, log = trained
    assert any(path.is_file() and path.stat().st_size for path in job.model.rglob("*")), log
    assert job.failure is None


@pytest.mark.contract("A4", "What is no model goes to /opt/ml/output/data")
def test_a_training_leaves_its_reports_in_output_data(trained: tuple[OptMl, str]) -> None:
    assert any(path.is_file() for path in trained[0].output_data.rglob("*"))


@pytest.mark.contract("A7", "The regular expression of each metric finds numbers in the log")
def test_every_metric_is_found_in_the_log(trained: tuple[OptMl, str], subject: Subject) -> None:
    for name, pattern in subject.training["metrics"].items():
        found = re.findall(pattern, trained[1])
        assert found, f"{name}: no line matches {pattern}"
        assert all(isinstance(one, str) and float(one) == float(one) for one in found), name
