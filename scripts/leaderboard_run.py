"""Trains one configuration in this process, through the pipeline, and says what it took. ``scripts/leaderboard`` starts it for each run.

    python -m scripts.leaderboard_run JOB.json

The job has ``channels`` (name to path), ``hyperparameters``, ``model`` and ``output`` (folders). What training logs goes to
``output/train.log``; the last line of stdout is a JSON object with seconds and bytes.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from container.cpus import limit_threads, usable_cpus
from scripts.command_line import CommandError, run
from scripts.process_memory import own_peak_bytes
from training.config import ConfigError, TrainingConfig

LOG = "train.log"
_FIT_STAGE = re.compile(r"^event=stage name=(?:fit_\w+|blend|tune\w*) seconds=(\S+)", re.MULTILINE)


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 0. Raises ``CommandError`` where data or settings can't be used."""
    (path,) = sys.argv[1:] if arguments is None else arguments
    job = json.loads(Path(path).read_text(encoding="utf-8"))
    output = Path(job["output"])
    output.mkdir(parents=True, exist_ok=True)
    try:
        config = TrainingConfig.from_hyperparameters(job["hyperparameters"])
    except ConfigError as error:
        raise CommandError(str(error)) from None
    limit_threads(config.threads)
    from training import pipeline  # imports numpy: only now that the threads are known
    from training.data.errors import UserDataError

    logger = logging.getLogger("training")
    logger.setLevel(logging.INFO)
    logger.handlers = [logging.FileHandler(output / LOG, mode="w", encoding="utf-8")]
    channels = {name: Path(place) for name, place in job["channels"].items()}
    begin, begin_cpu = time.perf_counter(), time.process_time()
    try:
        pipeline.run(config, channels, Path(job["model"]), output, config.threads or usable_cpus())
    except UserDataError as error:
        raise CommandError(str(error)) from None
    figures = {
        "seconds": time.perf_counter() - begin,
        "cpu_seconds": time.process_time() - begin_cpu,
        "fit_seconds": fit_seconds((output / LOG).read_text(encoding="utf-8")),
        "peak_bytes": own_peak_bytes(),
    }
    print(json.dumps(figures))
    return 0


def fit_seconds(log: str) -> float:
    """Returns the seconds that a training's log names for fitting the models and finding the hybrid's weights, both times it did so."""
    return sum(float(seconds) for seconds in _FIT_STAGE.findall(log))


if __name__ == "__main__":
    sys.exit(run(main))
