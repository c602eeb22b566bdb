"""The parent of the workers: loads the model once, forks them, gives each connection to the one with the fewest, replaces what dies.

python -m container.serving.asgi.parent        started by `serve`, which ends it with SIGTERM
"""

from __future__ import annotations

import gc
import logging
import os
import resource
import selectors
import signal
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path

from container import exit_codes
from container.paths import model_dir
from container.serving.asgi.board import Board
from container.serving.asgi.crew import Crew, KeepDyingError
from container.serving.lifetime import die_with_parent
from container.serving.responder import Responder
from container.serving.settings import DRAIN_SECONDS, Settings
from container.serving.workspace import METRICS_ENV
from inference.errors import ArtifactError

log = logging.getLogger(__name__)

_BACKLOG = 1024
_FILES = 65536
_SECONDS_BETWEEN_LOOKS = 0.1
_SECONDS_TO_END = 3
_TWO_LINES = b'{"user_id": "warm-up"}\n' * 2


def main() -> int:
    """Returns 0 when told to stop, 1 where the workers keep dying or the model can't be opened."""
    settings = Settings.from_environment(os.environ)
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr, level=settings.python_log_level)
    stopping = Stopping()
    try:
        responder = load()
    except ArtifactError as error:
        log.error("%s", error)
        return exit_codes.BUG
    allow_many_files()
    os.register_at_fork(after_in_child=die_with_parent)
    board = Board(settings.workers)
    gc.collect()
    gc.freeze()  # else the first collection of a worker would copy all of this
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.bind((settings.host, settings.port))
        listener.setblocking(False)
        with selectors.DefaultSelector() as selector:
            crew = Crew(board, settings, responder, Path(os.environ[METRICS_ENV]), listener, selector)
            return Parent(crew, listener, stopping, selector).run()


def load() -> Responder:
    """Returns the model, ready to answer one request and many. Raises ``ArtifactError``."""
    responder = Responder.of(model_dir(), Settings.from_environment(os.environ))
    responder.warm_up()
    responder.reply(_TWO_LINES, "application/jsonlines", None, "warm-up")
    return responder


def allow_many_files() -> None:
    """Raises the number of files that a process may have open, connections among them, as far as it is allowed to."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (_FILES if hard == resource.RLIM_INFINITY else min(hard, _FILES), hard))


class Stopping:
    """Hears SIGTERM and SIGINT, and wakes whoever waits for ``wake``; for SIGCHLD it wakes, too."""

    def __init__(self) -> None:
        self.told = False
        self.wake, writing = os.pipe()
        for end in (self.wake, writing):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._hear)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def _hear(self, *_: object) -> None:
        self.told = True


class Parent:
    def __init__(self, crew: Crew, listener: socket.socket, stopping: Stopping, selector: selectors.BaseSelector) -> None:
        self._crew, self._listener, self._stopping, self._selector = crew, listener, stopping, selector
        self._selector.register(stopping.wake, selectors.EVENT_READ, self._woken)
        self._listening = False

    def run(self) -> int:
        """Serves until told to stop. Returns the exit code."""
        board = self._crew.board
        self._crew.start()
        try:
            while not self._stopping.told:
                self._crew.look_after()
                if not board.every_worker_was_ready and board.total("ready") == board.workers:
                    board.every_worker_was_ready = True
                    self._listener.listen(_BACKLOG)
                self._step()
            board.draining = True
            deadline = time.monotonic() + DRAIN_SECONDS
            while board.total("working") and time.monotonic() < deadline:
                self._crew.look_after()
                self._step(0.02)
            self._crew.stop(_SECONDS_TO_END)
        except KeepDyingError as error:
            log.error("%s", error)
            self._crew.stop(0)
            return exit_codes.BUG
        return exit_codes.DONE

    def _step(self, seconds: float = _SECONDS_BETWEEN_LOOKS) -> None:
        """Waits for connections and signals, so many seconds at most."""
        wanted = self._crew.board.every_worker_was_ready and self._crew.has_room()
        if wanted and not self._listening:
            self._selector.register(self._listener, selectors.EVENT_READ, self._accept)
        elif self._listening and not wanted:
            self._selector.unregister(self._listener)
        self._listening = wanted
        for key, _ in self._selector.select(seconds):
            key.data()

    def _woken(self) -> None:
        with suppress(BlockingIOError):
            os.read(self._stopping.wake, 4096)

    def _accept(self) -> None:
        while self._crew.has_room():
            try:
                connection, _ = self._listener.accept()
            except BlockingIOError:
                return
            except OSError as error:  # he has left again, or there are too many open files
                log.error("a connection could not be accepted: %s", error)
                time.sleep(0.01)
                return
            self._crew.give(connection)


if __name__ == "__main__":
    sys.exit(main())
