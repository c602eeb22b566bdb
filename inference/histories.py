"""Many histories at once, end to end in one set of arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np

from inference.history import History

TINY = float(np.finfo(np.float64).tiny)  # so that nothing is divided by 0


class Terms(NamedTuple):
    """Which rows of an operator are added up for each of many histories, and what each weighs: ``starts`` int64 (histories + 1), ``rows``
    int32, ``weights`` float64."""

    starts: np.ndarray
    rows: np.ndarray
    weights: np.ndarray


@dataclass(frozen=True)
class Histories:
    """``numbers`` int32 and ``weights`` float32 are those of one ``History`` after the other, which starts at ``starts`` (int64, one more
    than histories). ``ranks``: int32 like these, 0 where no order is known, or None where nobody asks for it; ``words`` and ``word_starts``
    likewise, or None."""

    starts: np.ndarray
    numbers: np.ndarray
    weights: np.ndarray
    ranks: np.ndarray | None = None
    words: np.ndarray | None = None
    word_starts: np.ndarray | None = None

    @classmethod
    def of(cls, histories: Sequence[History]) -> Self:
        words = [np.empty(0, np.int32) if history.words is None else history.words for history in histories]
        ranks = [np.zeros(len(history), np.int32) if history.ranks is None else history.ranks for history in histories]
        return cls(
            starts_of([len(history) for history in histories]),
            end_to_end([history.numbers for history in histories], np.int32),
            end_to_end([history.weights for history in histories], np.float32),
            end_to_end(ranks, np.int32),
            end_to_end(words, np.int32),
            starts_of([len(one) for one in words]),
        )

    @classmethod
    def of_seeds(cls, seeds: Sequence[np.ndarray], n_songs: int) -> Self:
        """Returns the histories that are some songs each, all of weight 1, in any order and any number of times: numbers from 0 to
        ``n_songs`` - 1, or below 0 for what is no song."""
        numbers = end_to_end(seeds, np.int64)
        owners = np.repeat(np.arange(len(seeds)), [len(one) for one in seeds])
        songs = np.unique((owners * n_songs + numbers)[numbers >= 0])
        starts = starts_of(np.bincount(songs // n_songs, minlength=len(seeds)))
        return cls(starts, (songs % n_songs).astype(np.int32), np.ones(len(songs), np.float32))

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def lengths(self) -> np.ndarray:
        """How many songs each has, int64."""
        return np.diff(self.starts)

    @property
    def owners(self) -> np.ndarray:
        """Whose each entry is: the place of its history, int64."""
        return np.repeat(np.arange(len(self)), self.lengths)


def unit_sum(weights: np.ndarray) -> np.ndarray:
    """Returns float64 ``weights``, divided by their sum. It is added up one after the other, as ``of_unit_sum`` does it."""
    wide = weights.astype(np.float64)
    return wide / max(np.cumsum(wide)[-1], TINY) if len(wide) else wide


def of_unit_sum(starts: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Returns float64 ``weights``, those of each row divided by their sum: to the last bit what ``unit_sum`` makes of each."""
    wide = weights.astype(np.float64)
    owners = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    sums = np.bincount(owners, weights=wide, minlength=len(starts) - 1)
    return wide / np.maximum(sums, TINY)[owners]


def starts_of(lengths: Sequence[int] | np.ndarray) -> np.ndarray:
    """Returns int64 (lengths + 1): where each of some rows starts that lie end to end, and where the last one ends."""
    return np.concatenate([[0], np.cumsum(np.asarray(lengths, dtype=np.int64))]).astype(np.int64)


def end_to_end(parts: Sequence[np.ndarray], dtype: type) -> np.ndarray:
    return np.concatenate(parts, dtype=dtype) if parts else np.empty(0, dtype=dtype)


def side_by_side(parts: Sequence[Terms]) -> Terms:
    """Returns for each history the terms of the first part, then those of the second, and so on."""
    lengths = [np.diff(part.starts) for part in parts]
    starts = starts_of(np.sum(lengths, axis=0))
    rows, weights = np.empty(starts[-1], np.int32), np.empty(starts[-1])
    begin = starts[:-1].copy()
    for part, length in zip(parts, lengths, strict=True):
        places = np.arange(len(part.rows)) + np.repeat(begin - part.starts[:-1], length)
        rows[places], weights[places] = part.rows, part.weights
        begin += length
    return Terms(starts, rows, weights)
