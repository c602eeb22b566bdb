"""However the platform delivers the data, and whoever reads it, `container/bin/train` leaves the same model, and nothing else."""

from __future__ import annotations

import json
import os
import random
import signal
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
TRAIN = ROOT / "container" / "bin" / "train"
QUICK = {"models": "popularity,item_knn", "evaluation_bootstrap_samples": "20"}


def events() -> list[bytes]:
    rng = random.Random(5)
    return [f"u{user},s{song}\n".encode() for user in range(80) for song in rng.sample(range(25), 8)]


HEADER, EVENTS = b"USER_ID,ITEM_ID\n", events()


def make_job(base: Path, hyperparameters: Mapping[str, str], channel: Mapping[str, str] | None = None) -> Path:
    (base / "input" / "config").mkdir(parents=True)
    (base / "input" / "data").mkdir()
    (base / "input" / "config" / "hyperparameters.json").write_text(json.dumps({**QUICK, **hyperparameters}))
    if channel:
        (base / "input" / "config" / "inputdataconfig.json").write_text(json.dumps({"interactions": channel}))
    return base


def put_files(base: Path) -> None:
    folder = base / "input" / "data" / "interactions"
    folder.mkdir()
    (folder / "0.csv").write_bytes(HEADER + b"".join(EVENTS[:300]))
    (folder / "1.csv").write_bytes(HEADER + b"".join(EVENTS[300:]))


def start(base: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "SAGEMAKER_BASE_DIR": str(base)}
    return subprocess.Popen([str(TRAIN)], env=environment, cwd="/", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def train(base: Path) -> tuple[int, str]:
    with start(base) as process:
        log, _ = process.communicate(timeout=120)
    return process.returncode, log


def model(base: Path) -> Any:
    return json.loads((base / "model" / "model.json").read_text(encoding="utf-8"))["model_version"]


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The model of the same events in File mode."""
    base = make_job(tmp_path_factory.mktemp("file") / "ml", {})
    put_files(base)
    code, log = train(base)
    assert code == 0, log
    return model(base)


def plain() -> bytes:
    """Two files, one after the other, each with its header, as the platform concatenates them."""
    return HEADER + b"".join(EVENTS[:300]) + HEADER + b"".join(EVENTS[300:])


def framed() -> bytes:
    """The same rows, each a record of RecordIO."""
    rows = [row.rstrip(b"\n") for row in [HEADER, *EVENTS]]
    return b"".join(struct.pack("<II", 0xCED7230A, len(row)) + row + bytes(-len(row) % 4) for row in rows)


@pytest.mark.parametrize(("wrapper", "content"), [("None", plain), ("RecordIO", framed)])
def test_a_pipe_gives_the_model_of_the_files(tmp_path: Path, expected: Any, wrapper: str, content: Callable[[], bytes]) -> None:
    base = make_job(tmp_path / "ml", {}, {"TrainingInputMode": "Pipe", "RecordWrapperType": wrapper, "ContentType": "text/csv"})
    pipe = base / "input" / "data" / "interactions_0"

    def feed() -> None:
        time.sleep(0.5)  # the platform may make the pipe after the start
        os.mkfifo(pipe)
        pipe.write_bytes(content())

    feeder = threading.Thread(target=feed)
    feeder.start()
    code, log = train(base)
    feeder.join(timeout=10)
    assert code == 0, log
    assert model(base) == expected


def test_a_pipe_that_is_no_recordio_ends_with_a_sentence(tmp_path: Path) -> None:
    base = make_job(tmp_path / "ml", {}, {"TrainingInputMode": "Pipe", "RecordWrapperType": "RecordIO"})
    pipe = base / "input" / "data" / "interactions_0"
    os.mkfifo(pipe)
    feeder = subprocess.Popen(["sh", "-c", f"echo user,item > {pipe}"])
    code, log = train(base)
    feeder.wait(10)
    assert code == 2, log
    assert "interactions_0: is no RecordIO" in (base / "output" / "failure").read_text()


@pytest.mark.slow
def test_worker_processes_on_one_machine_give_the_model_of_one_process(tmp_path: Path, expected: Any) -> None:
    base = make_job(tmp_path / "ml", {"data_dask_from_mb": "0"})
    put_files(base)
    code, log = train(base)
    assert code == 0, log
    assert "event=engine name=dask hosts=1" in log
    assert model(base) == expected


def test_sigterm_leaves_no_process_and_no_file(tmp_path: Path) -> None:
    base = make_job(tmp_path / "ml", {"data_engine": "dask", "models": "als", "als_factors": "512", "als_iterations": "200"})
    put_files(base)
    with start(base) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "event=workers_ready" in line:
                break
        workers = psutil.Process(process.pid).children(recursive=True)
        assert workers
        process.send_signal(signal.SIGTERM)
        log = process.communicate(timeout=60)[0]
    assert process.returncode == 143, log
    assert "Traceback" not in log
    assert not [worker for worker in workers if worker.is_running()]
    assert not [*(base / "model").glob("*")]  # the folder itself is there only if the job came so far


@pytest.mark.slow
def test_a_mistake_in_the_data_is_the_same_sentence_from_a_worker(tmp_path: Path) -> None:
    sentences = []
    for engine in ("pandas", "dask"):
        base = make_job(tmp_path / "ml", {"data_engine": engine})
        put_files(base)
        (base / "input" / "data" / "interactions" / "2.parquet").write_bytes(b"PAR1 and no more")
        code, log = train(base)
        assert (code, "Traceback" in log) == (2, False), log
        sentences.append((base / "output" / "failure").read_text())
        base.rename(tmp_path / engine)
    assert "2.parquet: cannot be read as Parquet" in sentences[0]
    assert sentences[0] == sentences[1]
