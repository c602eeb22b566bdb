"""Tells a CSV file whose quotes have a backslash before them, as Amazon Personalize writes them, from one whose quotes are doubled."""

from __future__ import annotations


class EscapeFinder:
    """Is fed the bytes of a file in order.

    In a file with escapes every backslash stands before a quote or another backslash, and the quotes without one come in pairs. A
    backslash anywhere else is a part of a name, in a file that doubles its quotes.
    """

    def __init__(self) -> None:
        self.quotes = 0
        self._escaped = self._lone = self._pairs = 0
        self._rest = b""

    def feed(self, block: bytes) -> None:
        """Takes the next bytes."""
        self.quotes += block.count(b'"')
        block = self._rest + block
        self._rest = b""
        if b"\\" not in block:
            return
        if (len(block) - len(block.rstrip(b"\\"))) % 2:  # what this backslash stands before is in the next block
            block, self._rest = block[:-1], b"\\"
        self._pairs += block.count(b"\\\\")
        block = block.replace(b"\\\\", b"")
        before_quotes = block.count(b'\\"')
        self._lone += block.count(b"\\") - before_quotes
        self._escaped += before_quotes

    @property
    def escaped(self) -> bool:
        """Whether the file has escapes; meant once it has been fed whole."""
        balanced = (self.quotes - self._escaped) % 2 == 0
        return balanced and not self._lone and not self._rest and bool(self._escaped or self._pairs)
