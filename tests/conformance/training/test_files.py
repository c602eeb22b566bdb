"""File and FastFile mode: folders as Spark, Glue and people leave them on S3."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance.conftest import MakeJob, Train, Under
from tests.conformance.container import Conditions
from tests.conformance.opt_ml import OptMl, contents
from tests.conformance.subject_folder import Subject
from tests.conformance.training.conftest import Fails, TrainsTheSame


def add_what_others_leave(folder: Path) -> None:
    """Puts there what a data platform leaves beside the data."""
    deep = folder / "year=2031" / "month=01"
    deep.mkdir(parents=True)
    first = next((path for path in sorted(folder.rglob("*")) if path.is_file()), Path("run.sh"))
    for place in (folder, deep):
        (place / "_SUCCESS").touch()
        (place / ".part-0.crc").write_bytes(b"crc\0\1\2")
        (place / f".hidden{first.suffix}").write_text("not,for,you\n")
        (place / f"empty{first.suffix}").touch()


@pytest.mark.contract("A3", "File: folders in folders, _SUCCESS, .crc, hidden and empty files")
@pytest.mark.contract("A3", "A channel that nobody knows may be there")
@pytest.mark.contract("A3", "The input is left as it was found")
def test_what_others_leave_beside_the_data_changes_nothing(opt_ml: MakeJob, trains_the_same: TrainsTheSame, subject: Subject) -> None:
    def deep(job: OptMl, name: str) -> None:
        folder = job.channel(name, None if name in subject.channels else [])
        folder.rename(folder.with_name(".aside"))
        (folder / "a" / "b").mkdir(parents=True)
        folder.with_name(".aside").rename(folder / "a" / "b" / "c")
        add_what_others_leave(folder)

    job = opt_ml(channels={"sm_drivers": {"TrainingInputMode": "File"}, "Code.v2_x-1": {}}, copied=deep)
    before = contents(job.base / "input")
    trains_the_same(job, delivered=True)
    assert contents(job.base / "input") == before


@pytest.mark.contract("A3", "File: objects that are gzipped come gzipped")
def test_gzipped_files_are_read(opt_ml: MakeJob, trains_the_same: TrainsTheSame, subject: Subject) -> None:
    packed = set(subject.training["gzip"])
    if not packed:
        pytest.skip("the container takes no gzipped files")
    trains_the_same(opt_ml(copied=lambda job, name: job.channel(name, packed=name in packed)), delivered=True)


@pytest.mark.contract("A3", "FastFile: the same path, and nothing may be written there")
@pytest.mark.contract("A3", "EFS and FSx: folders that are mounted read-only")
def test_fast_file_folders_are_only_read(opt_ml: MakeJob, trains_the_same: TrainsTheSame, subject: Subject, under: Under) -> None:
    job = opt_ml(channels={name: {"TrainingInputMode": "FastFile"} for name in subject.channels})
    trains_the_same(job, conditions=under(Conditions(read_only_input=True)))


@pytest.mark.slow
@pytest.mark.contract("A3", "A channel that is not needed may be left out")
def test_a_channel_that_is_not_needed_may_be_missing(opt_ml: MakeJob, train: Train, subject: Subject) -> None:
    for name in subject.training["may_be_missing"]:
        job = opt_ml(without=[name])
        train(job).succeeds(subject.training["seconds"])
        assert any(job.model.iterdir())


@pytest.mark.contract("A3", "Without the data it needs, training fails and names the channel")
def test_a_channel_without_data_is_named(opt_ml: MakeJob, fails: Fails, subject: Subject) -> None:
    for name in subject.training["must_not_be_empty"]:
        job = opt_ml(copied=lambda job, channel, name=name: job.channel(channel, files=[] if channel == name else None))
        assert name in fails(job)


@pytest.mark.contract("A3", "Data that cannot be read fail the job, and the failure names the file")
def test_a_file_that_is_no_data_is_named(opt_ml: MakeJob, fails: Fails, subject: Subject) -> None:
    for name in subject.training["must_not_be_empty"]:
        job = opt_ml()
        file = subject.files(name)[0]
        (job.data / name / file).write_bytes(b"\x00\x01\xff\xfe no data\n" * 7)
        assert file.name in fails(job)
