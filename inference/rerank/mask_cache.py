"""Keeps what was computed for one request for the next ones, the latest used, within a number of bytes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable

import numpy as np


class MaskCache:
    """Arrays by key, the least recently used one dropped first. May be used by several threads; its arrays can't be written to."""

    def __init__(self, limit: int) -> None:
        """``limit``: bytes of all arrays and keys together. An array that is larger alone is not kept."""
        self.limit = limit
        self.bytes = 0
        self._kept: OrderedDict[Hashable, tuple[np.ndarray, int]] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: Hashable, make: Callable[[], np.ndarray], key_bytes: int = 0) -> np.ndarray:
        """Returns the array of ``key``, made now if it is not kept. What ``make`` raises is raised, and nothing kept. ``key_bytes``: what
        the key takes, which of a small catalogue is more than its masks do."""
        with self._lock:
            if (found := self._kept.get(key)) is not None:
                self._kept.move_to_end(key)
                return found[0]
        array = make()  # outside of the lock: two threads may make the same one, which costs less than waiting for another's
        array.setflags(write=False)
        size = array.nbytes + key_bytes
        with self._lock:
            if key not in self._kept and size <= self.limit:
                self._kept[key] = (array, size)
                self.bytes += size
                while self.bytes > self.limit:
                    self.bytes -= self._kept.popitem(last=False)[1][1]
        return array
