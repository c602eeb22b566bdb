"""The best songs for one history, compiled."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Sequence
from typing import NamedTuple, Self

import numpy as np

from inference.histories import Terms
from inference.native.library import (
    MOST_ADDENDS,
    NO_ROOM,
    AddendsStruct,
    AddendStruct,
    PopularStruct,
    ScratchStruct,
    address,
    checked,
    is_plain,
    library,
)
from inference.native.matrix import Matrix

ROOM = 1 << 14  # entries of the rows of a history; more where one has more
KEPT_ROOM = 1 << 18  # at most, from one request to the next: 5 MB

_of_thread = threading.local()


class Found(NamedTuple):
    """``numbers`` int64, ``scores`` float64: the best songs of those with a score above 0. ``reached`` int32, ``reached_scores`` float64:
    all songs that the history leads to, in no order, until the thread ranks again."""

    numbers: np.ndarray
    scores: np.ndarray
    reached: np.ndarray
    reached_scores: np.ndarray


class Lists(NamedTuple):
    """``numbers`` int64 and ``scores`` float64 (histories × n), best first, of which the first ``found`` (int64) of each row are filled."""

    numbers: np.ndarray
    scores: np.ndarray
    found: np.ndarray


class _Scratch:
    """Arrays that requests use one after the other."""

    def __init__(self, songs: int, room: int) -> None:
        self.place, self.shut = np.zeros(songs, np.uint64), np.zeros(songs, np.uint8)
        self.numbers, self.scores, self.part = np.empty(room, np.int32), np.empty(room), np.empty(room)
        arrays = (self.place, self.shut, self.numbers, self.scores, self.part)
        self.struct = ScratchStruct(*[address(array) for array in arrays], room, songs, 0)
        self.at = ctypes.addressof(self.struct)
        self.songs, self.room = songs, room


def _scratch(songs: int, room: int) -> _Scratch:
    found: _Scratch | None = getattr(_of_thread, "scratch", None)
    if found is None or found.songs < songs or found.room < room:
        songs, room = (songs, room) if found is None else (max(songs, found.songs), max(room, found.room))
        found = _of_thread.scratch = _Scratch(songs, room)
    return found


class Ranker:
    """``addends``: what is added up to scores, in order: a weight, and a matrix whose rows are added up, or None for popularity.
    ``popularity`` float32, ``order`` int32: the songs, the most popular first."""

    def __init__(
        self, addends: Sequence[tuple[float, Matrix | None]], popularity: np.ndarray, order: np.ndarray, functions: ctypes.CDLL
    ) -> None:
        self._arrays = popularity, order, [matrix for _, matrix in addends]  # the structs only know where they are
        self._songs, self._rank, self._rank_each = len(popularity), functions.rank, functions.rank_each
        self._matrices = [(weight, None if matrix is None else matrix.at) for weight, matrix in addends]
        weight = next((weight for weight, matrix in addends if matrix is None), 0.0)
        self._popular = PopularStruct(address(popularity), address(order), len(popularity), weight)
        self._popular_at = ctypes.addressof(self._popular)

    @classmethod
    def of(cls, addends: Sequence[tuple[float, Matrix | None]], popularity: np.ndarray, order: np.ndarray) -> Self | None:
        """Returns None where nothing is compiled, the arrays are others, or the addends too many."""
        functions = library()
        if functions is None or len(addends) > MOST_ADDENDS or not (is_plain(popularity, np.float32) and is_plain(order, np.int32)):
            return None
        return cls(addends, popularity, order, functions)

    def rank(
        self, terms: Sequence[tuple[np.ndarray, np.ndarray] | None], n: int, excluded: np.ndarray, masks: Sequence[np.ndarray]
    ) -> Found:
        """Ranks by the rows of each addend (int) and what they weigh (float64), None for popularity. ``excluded`` (int32) and ``masks``
        (bool, songs): as for ``SparseRanker``. Raises ``BrokenModelError``."""
        arrays: list[np.ndarray] = []  # kept until the kernel has read them
        addends = (AddendStruct * len(terms))()
        for addend, (weight, matrix), term in zip(addends, self._matrices, terms, strict=True):
            addend.weight = weight
            if matrix is not None and term is not None:
                rows, weights = np.ascontiguousarray(term[0], dtype=np.int32), np.ascontiguousarray(term[1], dtype=np.float64)
                arrays += (rows, weights)
                addend.matrix, addend.rows, addend.weights, addend.n_rows = matrix, address(rows), address(weights), len(rows)
        excluded = np.ascontiguousarray(excluded, dtype=np.int32)
        allowed = self._masks(masks) if masks else None
        best = np.empty(2 * n, dtype=np.int64)
        scores, at, count = best[n:].view(np.float64), address(best), ctypes.c_int64()
        shut = address(excluded), len(excluded)
        found, scratch = self._with_room(
            lambda scratch: self._rank(
                addends, len(terms), self._popular_at, scratch.at, *shut, allowed, len(masks), n, at, at + 8 * n, count
            )
        )
        return Found(best[:found], scores[:found], scratch.numbers[: count.value], scratch.scores[: count.value])

    def rank_each(self, terms: Sequence[Terms | None], n: int, excluded: Terms) -> Lists:
        """Does for each history what ``rank`` does for one. ``terms``: of each addend, None for popularity; ``excluded``: songs of each
        history, in ``rows``. Raises ``BrokenModelError``."""
        histories = len(excluded.starts) - 1
        arrays: list[np.ndarray] = []  # kept until the kernel has read them

        def at(array: np.ndarray, dtype: type[np.generic]) -> int:
            arrays.append(np.ascontiguousarray(array, dtype=dtype))
            return address(arrays[-1])

        addends = (AddendsStruct * len(terms))()
        for addend, (weight, matrix), term in zip(addends, self._matrices, terms, strict=True):
            addend.weight = weight
            if matrix is not None and term is not None:
                addend.matrix, addend.starts = matrix, at(term.starts, np.int64)
                addend.rows, addend.weights = at(term.rows, np.int32), at(term.weights, np.float64)
        lists = Lists(np.empty((histories, n), np.int64), np.empty((histories, n)), np.empty(histories, np.int64))
        shut = at(excluded.starts, np.int64), at(excluded.rows, np.int32)
        written = [address(part) for part in lists]
        self._with_room(lambda scratch: self._rank_each(addends, len(terms), self._popular_at, scratch.at, *shut, histories, n, *written))
        return lists

    def _with_room(self, work: Callable[[_Scratch], int]) -> tuple[int, _Scratch]:
        """Returns what a kernel has found, with as much scratch as it needed."""
        room = ROOM
        while (found := work(scratch := _scratch(self._songs, room))) == NO_ROOM:
            room = 4 * scratch.room
        if scratch.room > KEPT_ROOM:  # one request of ten thousand songs should not cost memory for ever
            del _of_thread.scratch
        return checked(found), scratch

    def _masks(self, masks: Sequence[np.ndarray]) -> ctypes.Array[ctypes.c_void_p]:
        for mask in masks:
            if not is_plain(mask, np.bool_) or len(mask) != self._songs:
                raise ValueError("a mask is a bool for each song")
        return (ctypes.c_void_p * len(masks))(*[address(mask) for mask in masks])
