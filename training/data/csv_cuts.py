"""Where a CSV file may be cut so that every piece begins with a row, whatever its quoted values hold."""

from __future__ import annotations

import numpy as np

NEWLINE, RETURN, QUOTE = ord("\n"), ord("\r"), ord('"')
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_NONE = np.empty(0, dtype=np.int64)


class CutFinder:
    """Is fed the bytes of a file in order and finds a newline outside quotes at or after each multiple of ``step`` bytes.

    Without a ``delimiter`` the file has no quoted values (JSON Lines: a newline inside a text is written as an escape).

    A quote opens a value only at its start, and closes it only at its end; two quotes inside are one character. While every quote of
    the file stands so, counting quotes tells inside from outside exactly. A file with a quote elsewhere (``7" single``) is not cut.
    """

    def __init__(self, step: int, delimiter: str | None) -> None:
        self.cuts: list[int] = []
        self._quoting = delimiter is not None
        separator = ord(delimiter or ",")
        self._may_precede = np.zeros(256, dtype=bool)  # an opening quote
        self._may_precede[[separator, NEWLINE, QUOTE]] = True
        self._may_follow = np.zeros(256, dtype=bool)  # a closing one
        self._may_follow[[separator, NEWLINE, RETURN, QUOTE]] = True
        self._step = step
        self._next = step
        self._position = 0
        self._quotes = 0
        self._last = NEWLINE
        self.regular = True

    def feed(self, block: bytes) -> None:
        """Takes the next bytes."""
        if self._position == 0 and block.startswith(BYTE_ORDER_MARK):
            self._position, block = len(BYTE_ORDER_MARK), block[len(BYTE_ORDER_MARK) :]
        values = np.frombuffer(block, dtype=np.uint8)
        quotes = np.flatnonzero(values == QUOTE) if self._quoting else _NONE
        if self.regular and len(values):
            self.regular = self._check(values, quotes)
        if self.regular:
            self._find(block, quotes)
        self._quotes += len(quotes)
        self._position += len(block)
        self._last = int(values[-1]) if len(values) else self._last

    def finish(self) -> tuple[int, ...]:
        """The positions to cut at, in order; none if the file is not to be cut."""
        if not self.closed:
            return ()
        return tuple(cut for cut in self.cuts if cut < self._position)

    @property
    def closed(self) -> bool:
        """Whether so far every quote stands where it may, and none is open."""
        return self.regular and self._quotes % 2 == 0

    def _check(self, values: np.ndarray, quotes: np.ndarray) -> bool:
        """Whether every quote of the block (and one at the end of the last block) stands where it may."""
        if self._last == QUOTE and self._quotes and self._quotes % 2 == 0 and not self._may_follow[values[0]]:
            return False
        odd = self._quotes % 2
        opening, closing = quotes[odd::2], quotes[1 - odd :: 2]
        before = np.where(opening > 0, values[opening - 1], self._last)
        if not self._may_precede[before].all():
            return False
        closing = closing[closing + 1 < len(values)]
        return bool(self._may_follow[values[closing + 1]].all())

    def _find(self, block: bytes, quotes: np.ndarray) -> None:
        end = self._position + len(block)
        while self._next <= end:
            start = max(0, self._next - self._position)
            place = block.find(b"\n", start)
            while place >= 0 and (self._quotes + np.searchsorted(quotes, place)) % 2:
                following = np.searchsorted(quotes, place)
                if following >= len(quotes):
                    place = -1
                    break
                place = block.find(b"\n", int(quotes[following]) + 1)
            if place < 0:
                return  # the next block goes on from its start
            cut = self._position + place + 1
            self.cuts.append(cut)
            self._next = max(self._next + self._step, cut + self._step // 2)
