"""Spot training: the machine goes without a warning, and the next one goes on from what /opt/ml/checkpoints held."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.conformance.conftest import MakeJob, Train
from tests.conformance.opt_ml import OptMl, contents
from tests.conformance.subject_folder import Subject

NOT_COPIED = ".sagemaker-ignore"  # files whose names end so stay on the machine


@contextmanager
def watched(folder: Path) -> Iterator[list[str]]:
    """Collects the files that were seen to grow or change in their place: the platform would have copied a half one."""
    half: list[str] = []
    seen: dict[int, tuple[int, int]] = {}  # by inode: size and time of the last change
    kept: dict[int, int] = {}  # by inode: a descriptor, so that no other file gets the inode while we look
    over = threading.Event()

    def look(path: Path) -> None:
        descriptor = os.open(path, os.O_RDONLY)
        facts = os.fstat(descriptor)
        state = (facts.st_size, facts.st_mtime_ns)
        if kept.setdefault(facts.st_ino, descriptor) != descriptor:
            os.close(descriptor)
        if seen.setdefault(facts.st_ino, state) != state:
            half.append(path.name)
        seen[facts.st_ino] = state

    def watch() -> None:
        while not over.wait(0.004):
            for path in folder.rglob("*"):
                with suppress(OSError):  # renamed or deleted meanwhile
                    if path.is_file() and not path.name.endswith(NOT_COPIED):
                        look(path)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield half
    finally:
        over.set()
        thread.join()
        for descriptor in kept.values():
            os.close(descriptor)


def restored(job: OptMl, earlier: OptMl) -> OptMl:
    """Gives a new machine what the platform has copied from the earlier one."""
    shutil.copytree(earlier.checkpoints, job.keep_checkpoints(), dirs_exist_ok=True, ignore=shutil.ignore_patterns("*" + NOT_COPIED))
    return job


@pytest.fixture
def slow_job(opt_ml: MakeJob, subject: Subject) -> Callable[[], OptMl]:
    if not subject.training["checkpoints"]:
        pytest.skip("the container keeps no checkpoints")
    return lambda: opt_ml(subject.training["slow"]["hyperparameters"])


@pytest.mark.contract("A4", "Spot: a training that was killed goes on on another machine, and ends in the model of one that was not")
@pytest.mark.contract("A4", "Checkpoints appear whole: they are renamed when they are written")
@pytest.mark.contract("A4", "A job whose checkpoints are complete only writes its model")
def test_a_killed_training_goes_on_to_the_same_model(slow_job: Callable[[], OptMl], train: Train, subject: Subject) -> None:
    patience, taken = subject.training["seconds"], subject.training["checkpoints"]["taken"]
    whole = slow_job()
    with watched(whole.keep_checkpoints()) as half:
        assert taken not in train(whole).succeeds(patience)
    assert half == []
    assert any(whole.checkpoints.iterdir()), "no checkpoint was written"

    killed = slow_job()
    killed.keep_checkpoints()
    run = train(killed)
    run.wait_for_line(subject.training["slow"]["line"], patience)
    run.kill()
    assert run.wait(30) != 0, "it was done before it could be killed: choose slower hyperparameters"

    for earlier in (killed, whole):
        job = restored(slow_job(), earlier)
        log = train(job).succeeds(patience)
        assert taken in log
        assert contents(job.model, subject.differs) == contents(whole.model, subject.differs)


@pytest.mark.slow
@pytest.mark.contract("A4", "Checkpoints that cannot be read, or are of another job, are no hindrance")
def test_damaged_checkpoints_are_no_hindrance(opt_ml: MakeJob, train: Train, subject: Subject) -> None:
    if not subject.training["checkpoints"]:
        pytest.skip("the container keeps no checkpoints")
    models = []
    first = opt_ml()
    first.keep_checkpoints()
    for job in (first, restored(opt_ml(), first)):
        for path in list(job.checkpoints.iterdir()) if job is not first else []:
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        (job.checkpoints / "of-somebody-else.bin").write_bytes(b"\0" * 100)
        train(job).succeeds(subject.training["seconds"])
        models.append(contents(job.model, subject.differs))
    assert models[0] == models[1]
