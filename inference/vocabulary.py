"""Outside ids (strings) and inside numbers (their place in the vocabulary), both ways."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from hashlib import blake2b

import numpy as np

from inference.native.look_up import LookUp
from inference.texts import Texts, encode

UNKNOWN = -1


def _crc(encoded: Sequence[bytes]) -> np.ndarray:
    return np.array([zlib.crc32(one) for one in encoded], dtype=np.uint32)


def _blake(encoded: Sequence[bytes]) -> np.ndarray:
    """The hashes of models up to format 3, which take ten times as long; both only lead to where the bytes are compared."""
    return np.array([int.from_bytes(blake2b(one, digest_size=8).digest(), "little") for one in encoded], dtype=np.uint64)


class Vocabulary:
    """Distinct ids in a fixed order. An id's *number* is its place; an id that is not here has the number ``UNKNOWN``.

    Look-up is a binary search in the sorted hashes of the ids (uint32, CRC-32), then a comparison of the bytes: it needs no dictionary in
    memory, works on memory-mapped arrays, and takes many ids at a time.
    """

    ARRAYS = ("blob", "offsets", "hashes", "order")

    def __init__(self, blob: np.ndarray, offsets: np.ndarray, hashes: np.ndarray, order: np.ndarray) -> None:
        self.texts = Texts(blob, offsets)
        self._bytes = memoryview(self.texts.blob)  # type: ignore[arg-type]  # an array has a buffer; its slices cost a third of the array's
        self._hashes = np.asarray(hashes)
        self._hash = _blake if self._hashes.dtype == np.uint64 else _crc
        self._order = np.asarray(order)
        self._compiled = LookUp.of(self.texts.blob, self.texts.offsets, self._hashes, self._order)

    @classmethod
    def of(cls, ids: Sequence[str]) -> Vocabulary:
        """Numbers ``ids`` from 0 in the order given. Raises ``ValueError`` if one comes twice."""
        if len(set(ids)) != len(ids):
            raise ValueError("the ids of a vocabulary must be distinct")
        texts = Texts.of(ids)
        hashes = _crc([texts.encoded(i) for i in range(len(texts))])
        order = np.argsort(hashes, kind="stable").astype(np.int32)
        return cls(texts.blob, texts.offsets, hashes[order], order)

    def arrays(self) -> dict[str, np.ndarray]:
        return {"blob": self.texts.blob, "offsets": self.texts.offsets, "hashes": self._hashes, "order": self._order}

    def __len__(self) -> int:
        return len(self.texts)

    def id(self, number: int) -> str:
        return self.texts[number]

    def ids(self, numbers: np.ndarray) -> list[str]:
        """Returns the ids of some ``numbers`` (int), none of them ``UNKNOWN``."""
        return self.texts.some(numbers)

    def number(self, id_: str) -> int:
        return int(self.numbers([id_])[0])

    def numbers(self, ids: Sequence[str]) -> np.ndarray:
        """Returns the int32 numbers of ``ids``, ``UNKNOWN`` where one is not in the vocabulary."""
        numbers = None if self._compiled is None else self._compiled.numbers(ids)
        return self._numbers(ids) if numbers is None else numbers

    def _numbers(self, ids: Sequence[str]) -> np.ndarray:
        numbers = np.full(len(ids), UNKNOWN, dtype=np.int32)
        if not len(ids) or not len(self):
            return numbers
        encoded = [encode(id_) for id_ in ids]
        wanted = self._hash(encoded)
        places = self._hashes.searchsorted(wanted)
        first = np.minimum(places, len(self) - 1)
        met = (self._hashes[first] == wanted).nonzero()[0]
        candidates = self._order[first[met]]
        begins, ends = self.texts.offsets[candidates].tolist(), self.texts.offsets[candidates + 1].tolist()
        keys = encoded if len(met) == len(encoded) else [encoded[place] for place in met.tolist()]
        if [self._bytes[begin:end] for begin, end in zip(begins, ends, strict=True)] == keys:
            numbers[met] = candidates
        else:  # two ids share a hash, known ones or one that is unknown
            numbers[met] = [self._walk(place, key) for place, key in zip(places[met].tolist(), keys, strict=True)]
        return numbers

    def _walk(self, place: int, key: bytes) -> int:
        """Looks along the equal hashes from ``place`` on."""
        hash_ = self._hashes[place]
        while place < len(self) and self._hashes[place] == hash_:
            if self.texts.encoded(number := int(self._order[place])) == key:
                return number
            place += 1
        return UNKNOWN
