"""What the launcher knows of the server: its model, its age, and the memory of all its processes."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from container.memory import memory_with_session
from container.serving.metrics import Counters, label, write_template
from container.serving.series import all_series

SECONDS_BETWEEN_LOOKS = 10.0
_FIRST_SECONDS = 2.0  # until the workers are there


def start_counting(directory: Path, workers: int, model_version: str | None, model_written: float | None) -> Callable[[int], None]:
    """Makes ``directory`` ready for those who count. Returns what watches the server's memory for ever, given the id of its process.

    ``model_written``: seconds since 1970; None, like ``model_version``, on a multi-model endpoint.
    """
    write_template(directory, all_series(model_version))
    counters = Counters.claim(directory)
    counters.set("recommender_workers", workers)
    counters.set("recommender_uptime_seconds", time.time())
    if model_version is not None:
        counters.set("recommender_model_info", 1, label("model_version", model_version))
        counters.set("recommender_model_age_seconds", model_written or 0)

    def watch(server: int) -> None:
        pause = _FIRST_SECONDS
        while True:
            resident, proportional = memory_with_session(server)
            counters.set("recommender_resident_memory_bytes", resident)
            counters.set("recommender_proportional_memory_bytes", proportional)
            time.sleep(pause)
            pause = min(2 * pause, SECONDS_BETWEEN_LOOKS)

    return watch
