"""Pipe mode: a FIFO for each epoch, whose bytes come in small pieces, one file after the other, when they come."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conformance.conftest import MakeJob
from tests.conformance.opt_ml import OptMl
from tests.conformance.subject_folder import Subject
from tests.conformance.training.conftest import TrainsTheSame


def piped(opt_ml: MakeJob, names: list[str], wrapper: str = "None", **how: Any) -> OptMl:
    """Returns a job in which these channels come through pipes, and all others as files."""
    if not names:
        pytest.skip("the container reads no channel so")

    def deliver(job: OptMl, name: str) -> None:
        if name in names:
            job.pipe(name, **how)
        else:
            job.channel(name)

    return opt_ml(channels={name: {"TrainingInputMode": "Pipe", "RecordWrapperType": wrapper} for name in names}, copied=deliver)


@pytest.mark.contract("A3", "Pipe: <channel>_0 is read from start to end, its files one after the other")
@pytest.mark.contract("A3", "Pipe: the FIFO of an epoch may appear late")
def test_a_pipe_leads_to_the_model_of_the_files(opt_ml: MakeJob, trains_the_same: TrainsTheSame, subject: Subject) -> None:
    job = piped(opt_ml, subject.training["pipe"], late=1.5)
    trains_the_same(job, delivered=True)
    assert all(pipe.epochs_read >= 1 for pipe in job.pipes)


@pytest.mark.contract("A3", "Pipe with RecordWrapperType=RecordIO: each object in a frame of its own")
def test_records_in_frames_lead_to_the_model_of_the_files(opt_ml: MakeJob, trains_the_same: TrainsTheSame, subject: Subject) -> None:
    trains_the_same(piped(opt_ml, subject.training["record_io"], wrapper="RecordIO", records=True), delivered=True)
