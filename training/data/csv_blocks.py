"""Cuts a CSV that can only be read as a stream, such as a compressed one, into blocks of whole rows, which can be parsed side by side."""

from __future__ import annotations

import io
from collections.abc import Iterator

from training.data.csv_cuts import CutFinder
from training.data.files import Readable

READ_BYTES = 1 << 19
LONGEST_BLOCKS = 8  # so many blocks without a place to cut at: a quote is open, and what follows is left to the parser


class CsvBlocks:
    """Iterates over blocks of about ``step`` bytes, the first with the header. ``blocks``: how many there were.

    ``rest``: what could not be cut, to be read afterwards, or None. A file whose quotes stand at odd places is cut as far as they stand
    where they should; see ``CutFinder``.
    """

    def __init__(self, stream: Readable, step: int, delimiter: str) -> None:
        self._stream, self._step = stream, step
        self._finder = CutFinder(step, delimiter)
        self._left, self._ended = b"", False
        self.blocks = 0

    def __iter__(self) -> Iterator[bytes]:
        position, taken = 0, 0
        waiting: list[bytes] = []  # joined where a cut is found: adding block to block would copy them again and again
        length = 0
        while block := self._stream.read(READ_BYTES):
            waiting.append(block)
            length += len(block)
            self._finder.feed(block)
            if cuts := self._finder.cuts[taken:]:
                left = b"".join(waiting)
                for cut in cuts:
                    content, left = left[: cut - position], left[cut - position :]
                    position = cut
                    self.blocks += 1
                    yield content
                taken += len(cuts)
                waiting, length = [left], len(left)
            if not self._finder.regular or length > LONGEST_BLOCKS * self._step:
                self._left = b"".join(waiting)
                return
        self._left = b"".join(waiting)
        if self._finder.closed:
            content, self._left = self._left, b""
            if content:
                self.blocks += 1
                yield content
        self._ended = True

    @property
    def rest(self) -> Readable | None:
        if self._ended and not self._left:
            return None
        return _Chained(self._left, self._stream)


class _Chained:
    """Some bytes, then a stream."""

    closed = False

    def __init__(self, first: bytes, stream: Readable) -> None:
        self._first, self._stream = io.BytesIO(first), stream

    def read(self, size: int = -1, /) -> bytes:
        if size < 0:
            return self._first.read() + self._stream.read()
        return self._first.read(size) or self._stream.read(size)
