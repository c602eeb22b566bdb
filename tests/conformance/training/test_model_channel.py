"""Incremental training: an earlier model comes back through a channel, packed as the platform packed it, or as a folder."""

from __future__ import annotations

import shutil
import tarfile

import pytest

from tests.conformance.conftest import MakeJob, Train
from tests.conformance.opt_ml import OptMl
from tests.conformance.subject_folder import Subject
from tests.conformance.training.conftest import Fails


def continued(opt_ml: MakeJob, subject: Subject, earlier: OptMl, packed: bool) -> OptMl:
    channel = subject.training["model_channel"]
    if not channel:
        pytest.skip("the container does not continue earlier models")
    job = opt_ml(channels={channel["name"]: {"TrainingInputMode": "File", "ContentType": channel["content_type"]}})
    folder = job.data / channel["name"]
    if packed:
        folder.mkdir()
        with tarfile.open(folder / "model.tar.gz", "w:gz") as archive:
            for path in sorted(earlier.model.iterdir()):
                archive.add(path, path.name)
    else:
        shutil.copytree(earlier.model, folder)
    return job


@pytest.mark.parametrize(
    "packed",
    [
        pytest.param(True, id="model.tar.gz", marks=pytest.mark.contract("A3", "A model channel may hold model.tar.gz")),
        pytest.param(
            False, id="folder", marks=[pytest.mark.slow, pytest.mark.contract("A3", "A model channel may hold the unpacked model")]
        ),
    ],
)
def test_an_earlier_model_is_continued(packed: bool, opt_ml: MakeJob, train: Train, trained: tuple[OptMl, str], subject: Subject) -> None:
    job = continued(opt_ml, subject, trained[0], packed)
    train(job).succeeds(subject.training["seconds"])
    assert any(job.model.iterdir())


@pytest.mark.contract("A3", "A model channel that holds no model fails the job, and the failure names it")
def test_a_model_channel_without_a_model_is_named(opt_ml: MakeJob, fails: Fails, trained: tuple[OptMl, str], subject: Subject) -> None:
    job = continued(opt_ml, subject, trained[0], packed=True)
    name = subject.training["model_channel"]["name"]
    (job.data / name / "model.tar.gz").write_bytes(b"no archive")
    assert name in fails(job)
