"""Ids to numbers, compiled."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Self

import numpy as np

from inference.native.library import UNLIKE, VocabularyStruct, address, checked, is_plain, library


class LookUp:
    """``blob``, ``offsets``, ``hashes`` and ``order`` as ``inference.vocabulary.Vocabulary`` has them."""

    def __init__(self, blob: np.ndarray, offsets: np.ndarray, hashes: np.ndarray, order: np.ndarray, functions: ctypes.CDLL) -> None:
        self._arrays = blob, offsets, hashes, order  # the struct only knows where they are
        n = len(order)
        self._vocabulary = VocabularyStruct(address(blob), address(offsets), address(hashes), address(order), n, len(blob))
        self._at, self._numbers_of = ctypes.addressof(self._vocabulary), functions.numbers_of

    @classmethod
    def of(cls, blob: np.ndarray, offsets: np.ndarray, hashes: np.ndarray, order: np.ndarray) -> Self | None:
        """Returns None where nothing is compiled, or the arrays are others, as those of old models are."""
        functions = library()
        plain = is_plain(blob, np.uint8) and is_plain(offsets, np.int64) and is_plain(hashes, np.uint32) and is_plain(order, np.int32)
        if functions is None or not plain or not len(offsets) - 1 == len(hashes) == len(order):
            return None
        return cls(blob, offsets, hashes, order, functions)

    def numbers(self, ids: Sequence[str]) -> np.ndarray | None:
        """Returns int32 per id, −1 where it is not known; None where an id has a zero byte, which is not for us."""
        text = "\0".join((*ids, "")).encode("utf-8", "surrogatepass")
        numbers = np.empty(len(ids), dtype=np.int32)
        found = self._numbers_of(self._at, text, len(text), len(ids), address(numbers))
        if found == UNLIKE:
            return None
        checked(found)
        return numbers
