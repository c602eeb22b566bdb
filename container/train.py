"""Trains as SageMaker asks: reads the job's settings, runs the pipeline, and ends with a model, or with a reason and a clean folder."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from container import exit_codes, paths, train_describe, train_failure
from container.cluster import job_facts, read_cluster
from container.cpus import limit_threads, usable_cpus
from container.train_channels import channels, sharded_channels
from container.train_cluster import engine_for, follow
from training.channels import MODEL
from training.config import TrainingConfig
from training.progress import log, log_text, set_up_logging
from training.stopping import Stopped

SECONDS_TO_STOP = 105  # SageMaker kills 120 s after SIGTERM; what is finished is made a model before
NOT_COPIED = ".sagemaker-ignore"  # files with this suffix the platform does not copy to S3
DESCRIBE, VALIDATE = "--describe", "--validate"
MODEL_JSON = "model.json"  # written last: with it, a model is complete

HELP = """Usage: train [--validate | --describe [--name NAME] [--image URI]]

Trains a model as Amazon SageMaker asks for it. SageMaker gives no arguments; those that are not known are ignored.

  --validate   checks the settings, reads the channels, writes the report on the data, says what training would say, and trains nothing
  --describe   prints the request of CreateAlgorithm (hyperparameters, channels, metrics) for the settings at hand, and does nothing else

It reads

  input/config/hyperparameters.json   settings, as strings; `python -m training.config` lists them
  input/data/interactions/            listening events: CSV, Parquet, JSON Lines (or: train)
  input/data/items/                   the song catalogue (optional)
  input/data/test/                    events to evaluate on (optional)
  input/data/model/                   an earlier model, to train again without searching again (optional)
  input/config/inputdataconfig.json   how channels are delivered: File, FastFile, Pipe; whole, or a part to each host
  input/config/checkpointconfig.json  where to keep what is finished, for a job that is killed and starts again
  input/config/resourceconfig.json    the hosts of the job: the first trains, all of them read the data

and writes model/, output/data/evaluation.json, and output/failure if it fails, all under $SAGEMAKER_BASE_DIR (/opt/ml).
Exit codes: 0 done, 1 a fault of the program, 2 a mistake in data or settings, 143 stopped. On a laptop, use scripts/train.
"""


def main(arguments: Sequence[str] = ()) -> int:
    """Returns the exit code. Everything that goes wrong ends here, in one line for the user and, for a bug, a trace in the log."""
    if any(argument in ("-h", "--help") for argument in arguments):
        print(HELP, end="")
        return exit_codes.DONE
    if DESCRIBE in arguments:
        return train_describe.main(arguments)
    set_up_logging()
    only_validate = VALIDATE in arguments
    if ignored := [argument for argument in arguments if argument != VALIDATE]:
        log("arguments_ignored", arguments=" ".join(ignored))
    begin = time.perf_counter()
    train_failure.clear()
    try:
        with _stop_on_sigterm():
            return _train(only_validate)
    except Stopped:
        log("stopped", signal="SIGTERM", seconds=time.perf_counter() - begin)
        code = exit_codes.STOPPED
    except KeyboardInterrupt:
        log("stopped", signal="SIGINT", seconds=time.perf_counter() - begin)
        code = exit_codes.INTERRUPTED
    except BaseException as error:
        code = _report(error)
    if not only_validate:
        discard_partial_model(paths.model_dir())
    _watchdog.cancel()
    return code


def _train(only_validate: bool) -> int:
    given = paths.hyperparameters()
    config = TrainingConfig.from_hyperparameters(given)
    cluster, inputs, sharded = read_cluster(), channels(), sharded_channels()
    log(
        "start",
        host=cluster.current,
        hosts=len(cluster.hosts),
        channels=",".join(inputs),
        models=",".join(config.models),
        seed=config.seed,
    )
    limit_threads(config.threads)
    cpus = config.threads or usable_cpus()
    earlier_model = inputs.pop(MODEL, None)
    if not cluster.is_leader:
        return follow(cluster, inputs, sharded, config.data, cpus)
    # What follows imports numpy and pandas: only now that the settings are right, and the threads known.
    from training.earlier import read_earlier

    earlier = read_earlier(earlier_model) if isinstance(earlier_model, Path) else None
    if earlier is not None:
        config = earlier.continued(given)
    with engine_for(cluster, inputs, sharded, config.data, cpus) as engine:
        _try_to_write(paths.model_dir(), paths.output_data_dir())  # in here, so that the other hosts end with this one
        if only_validate:
            from training.pipeline import validate

            validate(config, inputs, paths.output_data_dir(), cpus, engine, sharded)
            return exit_codes.DONE
        from training.checkpoints import Checkpoints
        from training.pipeline import run

        checkpoints = Checkpoints(paths.checkpoint_dir(), cluster.current, NOT_COPIED)
        begin = time.perf_counter()
        run(
            config,
            inputs,
            paths.model_dir(),
            paths.output_data_dir(),
            cpus,
            engine,
            sharded,
            earlier=earlier,
            checkpoints=checkpoints,
            origin=job_facts(),
        )
        log("done", seconds=time.perf_counter() - begin, model=str(paths.model_dir()))
    return exit_codes.DONE


def _try_to_write(*folders: Path) -> None:
    """Raises ``OSError`` now if nothing can be written, and not after hours of training."""
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass


def _report(error: BaseException) -> int:
    reason = train_failure.explain(error)
    train_failure.write(reason)
    if reason.exit_code == exit_codes.BUG:
        log_text("".join(traceback.format_exception(error)))
    log("failed", kind=reason.kind, exit_code=reason.exit_code)
    log_text(reason.sentence)
    return reason.exit_code


def discard_partial_model(model_dir: Path) -> None:
    """Removes what an unfinished run left: SageMaker uploads the folder even if the job fails or is stopped.

    A complete model (``model.json`` is there, and was put there last) stays.
    """
    partial = [*model_dir.glob(".writing-*"), *model_dir.glob(".*.partial")]
    if not (model_dir / MODEL_JSON).exists():
        partial += [*model_dir.glob("*.npy"), *model_dir.glob("model_card.md")]
        if model_dir.is_dir():
            partial.append(model_dir / MODEL_JSON)  # last: should it appear meanwhile, its arrays are gone
    for path in partial:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


@contextmanager
def _stop_on_sigterm() -> Iterator[None]:
    """Raises ``Stopped`` in the main thread when SIGTERM arrives; ends the process itself if that takes too long."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous, previous_hook = signal.signal(signal.SIGTERM, _on_sigterm), sys.unraisablehook
    sys.unraisablehook = _stop_again
    try:
        yield
    except BaseException:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # nothing may interrupt the cleaning up
        raise
    finally:
        sys.unraisablehook = previous_hook
    signal.signal(signal.SIGTERM, previous)


def _on_sigterm(number: int, frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _watchdog.start()
    raise Stopped


def _stop_again(unraisable: sys.UnraisableHookArgs) -> None:
    """If ``Stopped`` was raised in a finalizer, or a callback of the garbage collector, Python has dropped it: raises it once more."""
    if isinstance(unraisable.exc_value, Stopped):
        signal.signal(signal.SIGTERM, _on_sigterm)
        threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGTERM)).start()
    else:
        sys.__unraisablehook__(unraisable)


class _Watchdog:
    """Ends the process although the main thread waits for something, such as other threads: still clean, and in time."""

    def __init__(self) -> None:
        self._timer: threading.Timer | None = None

    def start(self) -> None:
        self.cancel()
        self._timer = threading.Timer(SECONDS_TO_STOP, self._end)
        self._timer.daemon = True
        self._timer.start()

    def cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    @staticmethod
    def _end() -> None:
        discard_partial_model(paths.model_dir())
        os._exit(exit_codes.STOPPED)


_watchdog = _Watchdog()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
