"""The conformance suite plays the SageMaker platform for the `train` and `serve` of a container: of this checkout, or of any other.

    pytest tests/conformance [--container-command 'bin/{}' | --container-image IMAGE] [--container-folder FOLDER]

`scripts/conformance` runs it and prints the table. Nothing here knows what the container computes.
"""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.command import Command
from tests.conformance.container import FREE, Conditions, Container, Run
from tests.conformance.image import Image
from tests.conformance.kept import Kept
from tests.conformance.opt_ml import OptMl, training_job
from tests.conformance.server import Server
from tests.conformance.subject_folder import Subject

HERE = Path(__file__).resolve().parent
OURS = HERE.parents[1] / "container" / "bin" / "{}"

MakeJob = Callable[..., OptMl]
Train = Callable[..., Run]
Serving = Callable[..., AbstractContextManager[Server]]
Under = Callable[[Conditions], Conditions]


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("conformance", "the container under test")
    group.addoption("--container-command", help="command; train or serve stands for {} in it, or is its last word")
    group.addoption("--container-image", help="an image in Docker, instead of a command")
    group.addoption("--container-folder", help="what it is trained and asked with (tests/conformance/subject)")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the rows of the contract into the report of each test, from where `scripts/conformance` takes it."""
    for item in items:
        item.user_properties += [("contract", ": ".join(mark.args)) for mark in item.iter_markers("contract")]


@pytest.fixture(scope="session")
def subject(request: pytest.FixtureRequest) -> Subject:
    folder = request.config.getoption("--container-folder", None) or HERE / "subject"
    return Subject.read(Path(folder).resolve())


@pytest.fixture(scope="session")
def container(request: pytest.FixtureRequest) -> Iterator[Container]:
    image = request.config.getoption("--container-image", None)
    command = request.config.getoption("--container-command", None) or str(OURS)
    made: Container = Image(image) if image else Command(command, Path.cwd())
    yield made
    made.close()


@pytest.fixture(scope="session")
def under(container: Container) -> Under:
    """Returns the conditions, or skips the test where they cannot be made on this machine."""

    def check(conditions: Conditions) -> Conditions:
        if reason := container.unable(conditions):
            pytest.skip(reason)
        return conditions

    return check


@pytest.fixture(scope="session")
def work() -> Iterator[Path]:
    """A folder with a short path (that of a socket may have 107 bytes) that every user may enter."""
    folder = Path(tempfile.mkdtemp(prefix="c-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def new_folder(work: Path) -> Callable[[], Path]:
    numbers = itertools.count(1)
    return lambda: work / f"ml{next(numbers)}"


@pytest.fixture
def opt_ml(subject: Subject, new_folder: Callable[[], Path]) -> Iterator[MakeJob]:
    """Makes the /opt/ml of a training job (see ``opt_ml.training_job``); all of them are gone after the test."""
    made: list[OptMl] = []

    def make(hyperparameters: Mapping[str, str] = {}, **how: Any) -> OptMl:
        made.append(training_job(new_folder(), subject, hyperparameters, **how))
        return made[-1]

    yield make
    for one in made:
        one.end()


@pytest.fixture
def train(container: Container, work: Path) -> Iterator[Train]:
    """Starts `train` on an /opt/ml; nothing of it is left after the test. The keywords are those of ``Container.train``."""
    numbers, runs = itertools.count(1), []

    def start(job: OptMl, **how: Any) -> Run:
        run = container.train(job.base, work / f"{job.base.name}-train-{next(numbers)}.log", **how)
        runs.append(run)
        return run

    yield start
    for run in runs:
        run.end()


@pytest.fixture(scope="session")
def trained(container: Container, subject: Subject, new_folder: Callable[[], Path], work: Path) -> Iterator[tuple[OptMl, str]]:
    """An /opt/ml after one training of the subject, and the log."""
    job = training_job(new_folder(), subject)
    run = container.train(job.base, work / "trained.log")
    try:
        yield job, run.succeeds(subject.training["seconds"])
    finally:
        run.end()
        job.end()


@pytest.fixture(scope="session")
def served(trained: tuple[OptMl, str], new_folder: Callable[[], Path]) -> Callable[..., Path]:
    """Makes an /opt/ml for `serve`: with the trained model; with ``models``, names of copies of it for a multi-model endpoint; with
    ``model=False``, none."""

    def make(models: tuple[str, ...] = (), model: bool = True) -> Path:
        base = new_folder()
        (base / "model").mkdir(parents=True)
        for place in [f"models/{name}/model" for name in models] or (["model"] if model else []):
            shutil.copytree(trained[0].model, base / place, dirs_exist_ok=True)
        return base

    return make


@pytest.fixture(scope="session")
def serving(container: Container, subject: Subject, served: Callable[..., Path], work: Path) -> Serving:
    """Starts `serve`, waits until a ping is answered with 200, and ends it, with everything that it started, at the end of the block.

    ``base``: its /opt/ml, a new one with the trained model by default. ``variables``: of the environment. ``wait=False``: does not wait.
    ``port``: what SAGEMAKER_BIND_TO_PORT says.
    """
    numbers = itertools.count(1)

    @contextmanager
    def start(
        variables: Mapping[str, str] = {},
        *,
        base: Path | None = None,
        conditions: Conditions = FREE,
        wait: bool = True,
        port: int | None = None,
    ) -> Iterator[Server]:
        reason = "only root can enter the network of another process" if not conditions.network and os.geteuid() != 0 else ""
        if reason := reason or container.unable(conditions):
            pytest.skip(reason)
        folder = base or served()
        begin = time.monotonic()
        log = work / f"serve-{next(numbers)}.log"
        run, reached = container.serve(folder, log, variables=variables, conditions=conditions, port=port)
        try:
            server = Server(run, reached, folder, container.inside(folder), None if conditions.network else run.pid, begin)
            if wait:
                server.wait_until_healthy(subject.serving["seconds"])
            yield server
        finally:
            run.end()
            if base is None:
                shutil.rmtree(folder, ignore_errors=True)

    return start


@pytest.fixture(scope="session")
def _plain(serving: Serving) -> Iterator[Kept]:
    with Kept(serving) as kept:
        yield kept


@pytest.fixture
def server(_plain: Kept) -> Server:
    """One server of the trained model, told nothing but its port, for all tests, which leave it as they found it."""
    return _plain.server()
