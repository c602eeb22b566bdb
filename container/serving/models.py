"""The models of a multi-model endpoint, as one worker has them open.

`serving/java/src/serving/Models.java` writes a marker for each loaded model, a file that holds the path of its folder, and deletes it.
A worker that opens a model says so with a file "<marker>.<process id>", which goes when it has dropped the model.
"""

from __future__ import annotations

import gc
import logging
import os
import threading
import time
from collections import OrderedDict
from pathlib import Path

from container.memory import free_memory, memory_limit, reserve
from container.serving.responder import Responder
from container.serving.settings import Settings

log = logging.getLogger(__name__)

_SECONDS_BETWEEN_SWEEPS = 0.1
_SWEEPS_BETWEEN_LOOKS_AT_MEMORY = 20


class NotLoadedError(Exception):
    """The model was unloaded while the request was on its way."""


class OpenModels:
    """Opens a model with its first request, and drops it soon after its marker is gone, or when memory runs low."""

    def __init__(self, markers: Path, settings: Settings) -> None:
        self._markers = markers
        self._settings = settings
        self._open: OrderedDict[str, Responder] = OrderedDict()  # the latest used last
        self._lock = threading.Lock()
        self._sweeper: threading.Thread | None = None
        self._swept = 0.0  # when the markers had last changed before the last sweep

    def get(self, marker: str) -> Responder:
        """Returns the model of a marker. Raises ``NotLoadedError``, or ``ArtifactError`` where the files are no longer what they were."""
        with self._lock:
            if marker in self._open:
                self._open.move_to_end(marker)
                return self._open[marker]
            try:
                model = Path((self._markers / marker).read_text(encoding="utf-8"))
            except FileNotFoundError:
                raise NotLoadedError from None
            sign = self._sign(marker)
            sign.touch()
            try:
                self._open[marker] = Responder.of(model, self._settings)
            except BaseException:
                sign.unlink()
                raise
            if self._sweeper is None:  # here, since a thread does not come along when the worker is forked
                self._sweeper = threading.Thread(target=self._sweep_for_ever, name="sweeper", daemon=True)
                self._sweeper.start()
            return self._open[marker]

    def sweep(self) -> None:
        """Drops the models that were unloaded."""
        changed = self._markers.stat().st_mtime
        if changed == self._swept and time.time() - changed > 1:  # a clock of files may stand still for some milliseconds
            return
        self._swept = changed
        with self._lock:
            opened = set(self._open)
        self._drop(opened.difference(entry.name for entry in os.scandir(self._markers)))

    def shed(self) -> None:
        """Drops all models but the latest used one if less than half of the reserve is free: what they have cached is given back. A model
        is opened again, within milliseconds, by its next request."""
        if len(self._open) > 1 and free_memory() < reserve(memory_limit()) // 2:
            log.warning("memory is low: %d models are closed until they are asked again", len(self._open) - 1)
            self._drop(set(list(self._open)[:-1]))

    def _drop(self, markers: set[str]) -> None:
        if not markers:
            return
        with self._lock:
            for marker in markers:
                self._open.pop(marker, None)
            gc.collect()  # what refers to itself in a circle is dropped, too, before we say that it is
            for marker in markers:
                self._sign(marker).unlink(missing_ok=True)

    def _sign(self, marker: str) -> Path:
        return self._markers / f"{marker}.{os.getpid()}"

    def _sweep_for_ever(self) -> None:
        sweeps = 0
        while True:
            time.sleep(_SECONDS_BETWEEN_SWEEPS)
            sweeps += 1
            try:
                self.sweep()
                if sweeps % _SWEEPS_BETWEEN_LOOKS_AT_MEMORY == 0:
                    self.shed()
            except Exception:
                log.exception("models could not be dropped")
