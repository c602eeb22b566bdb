"""Outside ids (strings) and inside numbers (their place in the vocabulary), both ways."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np

from inference.texts import Texts, encode

UNKNOWN = -1


def _hash(encoded: bytes) -> int:
    return int.from_bytes(blake2b(encoded, digest_size=8).digest(), "little")


class Vocabulary:
    """Distinct ids in a fixed order. An id's *number* is its place; an id that is not here has the number ``UNKNOWN``.

    Look-up is a binary search in the sorted 64-bit hashes of the ids, then a comparison of the bytes: it needs no dictionary in memory,
    works on memory-mapped arrays, and takes many ids at a time.
    """

    ARRAYS = ("blob", "offsets", "hashes", "order")

    def __init__(self, blob: np.ndarray, offsets: np.ndarray, hashes: np.ndarray, order: np.ndarray) -> None:
        self.texts = Texts(blob, offsets)
        self._hashes = np.asarray(hashes)
        self._order = np.asarray(order)

    @classmethod
    def of(cls, ids: Sequence[str]) -> Vocabulary:
        """Numbers ``ids`` from 0 in the order given. Raises ``ValueError`` if one comes twice."""
        if len(set(ids)) != len(ids):
            raise ValueError("the ids of a vocabulary must be distinct")
        texts = Texts.of(ids)
        hashes = np.fromiter((_hash(texts.encoded(i)) for i in range(len(texts))), dtype=np.uint64, count=len(texts))
        order = np.argsort(hashes, kind="stable").astype(np.int32)
        return cls(texts.blob, texts.offsets, hashes[order], order)

    def arrays(self) -> dict[str, np.ndarray]:
        return {"blob": self.texts.blob, "offsets": self.texts.offsets, "hashes": self._hashes, "order": self._order}

    def __len__(self) -> int:
        return len(self.texts)

    def id(self, number: int) -> str:
        return self.texts[number]

    def number(self, id_: str) -> int:
        return int(self.numbers([id_])[0])

    def numbers(self, ids: Sequence[str]) -> np.ndarray:
        """Returns the int32 numbers of ``ids``, ``UNKNOWN`` where one is not in the vocabulary."""
        encoded = [encode(id_) for id_ in ids]
        wanted = np.fromiter((_hash(e) for e in encoded), dtype=np.uint64, count=len(encoded))
        places = np.searchsorted(self._hashes, wanted)
        numbers = np.full(len(encoded), UNKNOWN, dtype=np.int32)
        for i, (place, key) in enumerate(zip(places.tolist(), encoded, strict=True)):
            # Two ids may share a hash: walk along the equal ones.
            while place < len(self._hashes) and self._hashes[place] == wanted[i]:
                number = int(self._order[place])
                if self.texts.encoded(number) == key:
                    numbers[i] = number
                    break
                place += 1
        return numbers
