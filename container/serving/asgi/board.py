"""What the processes of one server know of each other: numbers in memory that all of them share."""

from __future__ import annotations

import mmap
import time

_PLACES = {field: place for place, field in enumerate(("ready", "beat", "closed", "working", "waiting", "bytes"))}
_SHARED = 3  # numbers of the whole server, before those of the workers


class Board:
    """A row of numbers for each worker, which it alone writes while it lives, and three flags, which the parent alone writes.

    ``ready``: 1 once it has answered a request. ``beat``: when its event loop last came round, in milliseconds of the monotonic clock.
    ``closed``: connections that have ended, of all that it was ever given. ``working``: requests that it has, the waiting ones among them.
    ``waiting``: those whose turn has not come. ``bytes``: of the bodies that it holds. Made before the processes are forked.
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._numbers = memoryview(mmap.mmap(-1, 8 * (_SHARED + workers * len(_PLACES)))).cast("q")

    def row(self, worker: int) -> Row:
        """Returns the row of a worker, which are numbered from 0 on."""
        start = _SHARED + worker * len(_PLACES)
        return Row(self._numbers[start : start + len(_PLACES)])

    def total(self, field: str) -> int:
        """Returns the sum of a field over all workers."""
        return sum(self._numbers[_SHARED + _PLACES[field] :: len(_PLACES)])

    @property
    def draining(self) -> bool:
        return self._numbers[0] != 0

    @draining.setter
    def draining(self, value: bool) -> None:
        self._numbers[0] = value

    @property
    def every_worker_was_ready(self) -> bool:
        """Whether all workers have been ready at the same time."""
        return self._numbers[1] != 0

    @every_worker_was_ready.setter
    def every_worker_was_ready(self, value: bool) -> None:
        self._numbers[1] = value

    @property
    def keeps_losing_workers(self) -> bool:
        return self._numbers[2] != 0

    @keeps_losing_workers.setter
    def keeps_losing_workers(self, value: bool) -> None:
        self._numbers[2] = value

    def is_ready(self) -> bool:
        """Returns whether requests should be sent. As with the other engine: once all workers were ready, and then while one is, unless the
        server is stopping or keeps losing workers."""
        return self.every_worker_was_ready and self.total("ready") > 0 and not self.draining and not self.keeps_losing_workers


class Row:
    """The numbers of one worker; see ``Board``."""

    def __init__(self, numbers: memoryview[int]) -> None:
        self._numbers = numbers

    def clear(self) -> None:
        """Forgets a worker that has ended."""
        for place in range(len(_PLACES)):
            self._numbers[place] = 0

    def get(self, field: str) -> int:
        return self._numbers[_PLACES[field]]

    def set(self, field: str, value: int) -> None:
        self._numbers[_PLACES[field]] = value

    def add(self, field: str, value: int) -> None:
        self._numbers[_PLACES[field]] += value

    def beat(self) -> None:
        self.set("beat", time.monotonic_ns() // 1_000_000)

    def silence(self) -> float:
        """Returns the seconds since the last beat; 0 before the first."""
        beat = self.get("beat")
        return time.monotonic() - beat / 1000 if beat else 0.0
