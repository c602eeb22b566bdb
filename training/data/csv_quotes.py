"""Follows the quotes of a stream of CSV exactly as a parser does, to know at its end whether one was never closed."""

from __future__ import annotations

import numpy as np

from training.data.csv_cuts import BYTE_ORDER_MARK, NEWLINE, QUOTE, RETURN
from training.data.files import Readable

SHOWN = 40  # bytes of what follows a quoted value


class QuoteWatch:
    """A stream that is read through it. ``open``: whether a quoted value is open, after all that was read so far.

    ``stray``: text that follows a closing quote where a value has to end. The parser takes it for a part of the value, but it may well be
    that the quote before was never closed, and the rows between are one value.
    """

    closed = False

    def __init__(self, stream: Readable, delimiter: str) -> None:
        self._stream = stream
        self._ends = frozenset((ord(delimiter), NEWLINE, RETURN))
        self._last = NEWLINE
        self._first = True
        self._undecided = False  # the last byte was a quote in a quoted value: it closes it, or is the first of two
        self.open = False
        self.stray = b""
        self._lacking = 0  # bytes of what is shown, which are in the next block

    def read(self, size: int = -1, /) -> bytes:
        block = self._stream.read(size)
        if block:
            self._follow(block)
        else:
            self.open &= not self._undecided
        return block

    def _follow(self, block: bytes) -> None:
        self.stray += block[: self._lacking]
        self._lacking -= min(self._lacking, len(block))
        start = len(BYTE_ORDER_MARK) if self._first and block.startswith(BYTE_ORDER_MARK) else 0
        self._first = False
        skip = -1
        if self._undecided:
            self._undecided = False
            if block[0] == QUOTE:
                skip = 0
            else:
                self._close(block, 0)
        for place in np.flatnonzero(np.frombuffer(block, dtype=np.uint8) == QUOTE).tolist():
            if place == skip:
                continue
            if not self.open:
                before = NEWLINE if place == start and start else block[place - 1] if place else self._last
                self.open = before in self._ends
            elif place + 1 == len(block):
                self._undecided = True
            elif block[place + 1] == QUOTE:
                skip = place + 1
            else:
                self._close(block, place + 1)
        self._last = block[-1]

    def _close(self, block: bytes, following: int) -> None:
        self.open = False
        if block[following] not in self._ends and not self.stray:
            self.stray = block[following : following + SHOWN]
            self._lacking = SHOWN - len(self.stray)
