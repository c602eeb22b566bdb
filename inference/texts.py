"""Many strings as two arrays, so that they can be memory-mapped and shared between processes."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np


class Texts:
    """An immutable sequence of strings: ``blob`` (uint8, the UTF-8 bytes end to end) and ``offsets`` (int64, one more than strings)."""

    def __init__(self, blob: np.ndarray, offsets: np.ndarray) -> None:
        self.blob = np.asarray(blob)
        self.offsets = np.asarray(offsets)

    @classmethod
    def of(cls, strings: Iterable[str]) -> Texts:
        strings = list(strings)
        offsets = np.zeros(len(strings) + 1, dtype=np.int64)
        # All at once, a zero byte after each, which is then taken out; one by one only where a string has such a byte itself.
        blob = np.frombuffer(encode("\0".join([*strings, ""])), dtype=np.uint8)
        ends = np.flatnonzero(blob == 0)
        if len(ends) == len(strings):
            offsets[1:] = ends - np.arange(len(ends))
            return cls(blob[blob != 0], offsets)
        encoded = [encode(s) for s in strings]
        np.cumsum([len(e) for e in encoded], out=offsets[1:])
        return cls(np.frombuffer(b"".join(encoded), dtype=np.uint8), offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def encoded(self, number: int) -> bytes:
        return self.blob[self.offsets[number] : self.offsets[number + 1]].tobytes()

    def __getitem__(self, number: int) -> str:
        if not 0 <= number < len(self):
            raise IndexError(number)
        return self.encoded(number).decode("utf-8", "surrogatepass")

    def some(self, numbers: np.ndarray) -> list[str]:
        """Returns the strings of some ``numbers`` (int, each from 0 on): a fifth of the time that they take one by one."""
        begins, ends, blob = self.offsets[numbers].tolist(), self.offsets[numbers + 1].tolist(), memoryview(self.blob)  # type: ignore[arg-type]
        return [str(blob[begin:end], "utf-8", "surrogatepass") for begin, end in zip(begins, ends, strict=True)]


def encode(text: str) -> bytes:
    """Returns UTF-8 bytes for any ``str``, also one with a lone surrogate, which JSON may bring."""
    return text.encode("utf-8", "surrogatepass")
