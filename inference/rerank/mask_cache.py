"""Keeps what was computed for one request for the next ones, the latest used, within a number of bytes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable

import numpy as np


class MaskCache:
    """Arrays by key, the least recently used one dropped first. May be used by several threads; its arrays can't be written to."""

    def __init__(self, limit: int) -> None:
        """``limit``: bytes of all arrays together. An array that is larger alone is not kept."""
        self.limit = limit
        self.bytes = 0
        self._arrays: OrderedDict[Hashable, np.ndarray] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._arrays)

    def get(self, key: Hashable, make: Callable[[], np.ndarray]) -> np.ndarray:
        """Returns the array of ``key``, made now if it is not kept. What ``make`` raises is raised, and nothing kept."""
        with self._lock:
            if (found := self._arrays.get(key)) is not None:
                self._arrays.move_to_end(key)
                return found
        array = make()  # outside of the lock: two threads may make the same one, which costs less than waiting for another's
        array.setflags(write=False)
        with self._lock:
            if key not in self._arrays and array.nbytes <= self.limit:
                self._arrays[key] = array
                self.bytes += array.nbytes
                while self.bytes > self.limit:
                    self.bytes -= self._arrays.popitem(last=False)[1].nbytes
        return array
