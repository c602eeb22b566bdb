"""However training ends, the job has the right exit code, a reason that can be read, and no half model. The pipeline is a stand-in here."""

from __future__ import annotations

import errno
import json
import os
import signal
import sys
import time
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from container.cpus import usable_cpus
from container.train import discard_partial_model, main
from training.data.errors import UserDataError

Run = Callable[..., None]
Job = Callable[..., int]


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path))
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.setenv(variable, "1")
    (tmp_path / "model").mkdir()
    return tmp_path


@pytest.fixture
def job(base: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Job]:
    """Runs a job with a stand-in for the pipeline, and the files of ``input/config`` as given. Returns its exit code."""

    def start(run: Run, **config: Any) -> int:
        pipeline = types.ModuleType("training.pipeline")
        pipeline.run = run  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "training.pipeline", pipeline)
        (base / "input" / "config").mkdir(parents=True, exist_ok=True)
        for name, content in config.items():
            text = content if isinstance(content, str) else json.dumps(content)
            (base / "input" / "config" / f"{name}.json").write_text(text)
        return main()

    before = signal.getsignal(signal.SIGTERM)
    yield start
    signal.signal(signal.SIGTERM, before)


def nothing(*arguments: Any, **rest: Any) -> None:
    return None


def raising(error: BaseException) -> Run:
    def run(config: Any, channels: Any, model_dir: Path, output_dir: Path, threads: int, engine: Any, sharded: Any, **rest: Any) -> None:
        (model_dir / ".writing-1").mkdir()
        (model_dir / ".writing-1" / "items.blob.npy").write_bytes(b"half")
        (model_dir / "items.blob.npy").write_bytes(b"moved already")
        raise error

    return run


def failure(base: Path) -> str:
    text = (base / "output" / "failure").read_text(encoding="ascii")
    assert len(text) <= 1024
    return text


def test_the_pipeline_gets_typed_settings_and_the_folders_of_the_platform(job: Job, base: Path) -> None:
    got: list[Any] = []
    for name in ("interactions", "items", ".cache"):
        (base / "input" / "data" / name).mkdir(parents=True)
    assert job(lambda *arguments, **rest: got.extend(arguments), hyperparameters={"seed": "7", "sagemaker_program": '"x"'}) == 0
    config, channels, model_dir, output_dir, threads, engine, sharded = got
    assert (engine.name, engine.threads, sharded) == ("pandas", threads, ())
    assert threads == usable_cpus()
    assert config.seed == 7
    assert channels == {name: base / "input" / "data" / name for name in ("interactions", "items")}
    assert (model_dir, output_dir) == (base / "model", base / "output" / "data")
    assert not (base / "output" / "failure").exists()


def test_a_model_channel_is_an_earlier_model_and_no_data(job: Job, base: Path) -> None:
    got: dict[str, Any] = {}
    for name in ("interactions", "model"):
        (base / "input" / "data" / name).mkdir(parents=True)
    model = Path(__file__).resolve().parents[1] / "golden" / "format-3" / "model.json"
    (base / "input" / "data" / "model" / "model.json").write_bytes(model.read_bytes())
    assert job(lambda *arguments, **rest: got.update(rest, config=arguments[0], channels=arguments[1])) == 0
    assert got["earlier"].version == json.loads(model.read_text())["model_version"]
    assert list(got["channels"]) == ["interactions"]
    assert set(got["config"].models) == set(got["earlier"].models)


def test_a_model_channel_without_a_model_ends_the_job(job: Job, base: Path) -> None:
    (base / "input" / "data" / "model").mkdir(parents=True)
    assert job(raising(AssertionError())) == 2
    assert failure(base).startswith("channel model: give one model")


def test_a_job_without_any_config_file_runs_on_defaults(job: Job) -> None:
    assert job(nothing) == 0


def test_all_wrong_hyperparameters_are_in_the_failure_file_and_nothing_runs(job: Job, base: Path) -> None:
    assert job(raising(AssertionError()), hyperparameters={"seed": "x", "eas_l2": "1", "als_factors": "0"}) == 2
    assert failure(base) == (
        'Correct 3 hyperparameters: seed="x" must be an integer (0 to 4294967295); "eas_l2" is not known (did you mean ease_l2?); '
        'als_factors="0" must be 1 to 1024. [UserError]'
    )


@pytest.mark.parametrize(
    ("content", "says"), [("{", "is not valid JSON"), ("[1]", "must hold a JSON object"), ("\x00", "is not valid JSON")]
)
@pytest.mark.parametrize("name", ["hyperparameters", "resourceconfig", "inputdataconfig"])
def test_a_broken_config_file_is_named(job: Job, base: Path, name: str, content: str, says: str) -> None:
    assert job(nothing, **{name: content}) == 2
    assert failure(base).startswith(f"Correct {base / 'input' / 'config' / name}.json: it {says}")


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (
            UserDataError("Give songs an id: events.csv, line 3, has none."),
            2,
            "Give songs an id: events.csv, line 3, has none. [UserError]",
        ),
        (MemoryError(), 2, "Choose a machine with more memory"),
        (OSError(errno.ENOSPC, "No space left on device", "/opt/ml/model/a"), 2, "Give the job more disk (VolumeSizeInGB)"),
        (OSError("4096 requested and 0 written"), 2, "Give the job more disk"),
        (OSError(errno.EROFS, "Read-only file system", "/opt/ml/model/a"), 2, "Give user id"),
        (PermissionError(errno.EACCES, "Permission denied", "/opt/ml/model/a"), 2, "Give user id"),
        (ValueError("shapes differ"), 1, "Report this fault of the program, with the trace in the job's log: ValueError: shapes differ"),
        (OSError(errno.EIO, "Input/output error"), 1, "Report this fault"),
        (UserDataError("Naïve\nname\t" + "x" * 2000), 2, "Na\\xefve name xxx"),
        (SystemExit(0), 1, "Report this fault"),
    ],
)
def test_an_error_ends_with_its_code_and_a_sentence_and_no_half_model(
    job: Job, base: Path, error: BaseException, code: int, says: str
) -> None:
    assert job(raising(error)) == code
    text = failure(base)
    assert text.startswith(says)
    assert text.endswith("[UserError]" if code == 2 else "[AlgorithmError]")
    assert list((base / "model").iterdir()) == []


def test_the_trace_of_a_bug_is_in_the_log_and_that_of_a_mistake_is_not(job: Job, capsys: pytest.CaptureFixture[str]) -> None:
    job(raising(ValueError("odd")))
    assert "Traceback" in capsys.readouterr().out
    job(raising(UserDataError("Rename the column.")))
    assert capsys.readouterr().out.endswith("event=failed kind=UserError exit_code=2\nRename the column.\n")


def test_a_failure_of_an_earlier_attempt_is_removed(job: Job, base: Path) -> None:
    (base / "output").mkdir()
    (base / "output" / "failure").write_text("old")
    assert job(nothing) == 0
    assert not (base / "output" / "failure").exists()


def test_an_output_that_cannot_be_written_is_no_reason_for_a_trace(job: Job, base: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (base / "output").write_text("a file where a folder should be")
    assert job(raising(UserDataError("Rename the column."))) == 2
    assert "Traceback" not in capsys.readouterr().out


def test_a_model_folder_that_cannot_be_written_is_told_before_training(job: Job, base: Path) -> None:
    (base / "model").rmdir()
    (base / "model").write_text("a file where a folder should be")
    assert job(raising(AssertionError("trained all the same"))) == 2
    assert failure(base).startswith(f"Make {base / 'model'} a folder")


def test_sigterm_stops_the_main_thread_and_leaves_nothing(job: Job, base: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def run(config: Any, channels: Any, model_dir: Path, output_dir: Path, threads: int, engine: Any, sharded: Any, **rest: Any) -> None:
        (model_dir / ".writing-1").mkdir()
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(30)

    begin = time.perf_counter()
    assert job(run) == 143
    assert time.perf_counter() - begin < 5
    assert list((base / "model").iterdir()) == []
    assert "event=stopped signal=SIGTERM" in capsys.readouterr().out
    assert not (base / "output" / "failure").exists()


def test_an_error_handler_on_the_way_does_not_swallow_the_stop(job: Job) -> None:
    def run(*arguments: Any, **rest: Any) -> None:
        try:
            signal.raise_signal(signal.SIGTERM)
        except Exception:
            pytest.fail("taken for an error")

    assert job(run) == 143


def test_a_stop_that_arrives_in_a_finalizer_where_python_drops_exceptions_is_not_lost(job: Job) -> None:
    class Finalized:
        def __del__(self) -> None:
            signal.raise_signal(signal.SIGTERM)

    def run(*arguments: Any, **rest: Any) -> None:
        Finalized()
        time.sleep(5)
        pytest.fail("went on")

    assert job(run) == 143


def test_ctrl_c_ends_as_an_interrupt(job: Job, base: Path) -> None:
    assert job(raising(KeyboardInterrupt())) == 130
    assert list((base / "model").iterdir()) == []


def test_a_complete_model_survives_a_stop(tmp_path: Path) -> None:
    for name in ("model.json", "items.blob.npy", "model_card.md", ".model.json.partial"):
        (tmp_path / name).write_text("x")
    (tmp_path / ".writing-2").mkdir()
    discard_partial_model(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["items.blob.npy", "model.json", "model_card.md"]


def test_an_unfinished_model_goes_and_what_is_not_ours_stays(tmp_path: Path) -> None:
    for name in ("items.blob.npy", "model_card.md", "notes.txt"):
        (tmp_path / name).write_text("x")
    discard_partial_model(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_there_may_be_no_model_folder_to_clean(tmp_path: Path) -> None:
    discard_partial_model(tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_help_is_short_and_trains_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    assert capsys.readouterr().out.startswith("Usage: train")


def test_other_arguments_do_no_harm(job: Job, base: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    job(nothing)
    assert main(["--program", "x y"]) == 0
    assert 'event=arguments_ignored arguments="--program x y"' in capsys.readouterr().out
