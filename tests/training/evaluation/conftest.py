"""A small evaluation whose numbers can be checked by head: three models, six listeners, ten songs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from scipy.sparse import csr_array

from inference.request import Request
from training.evaluation.cases import Case
from training.evaluation.context import Context
from training.evaluation.evaluate import Evaluation, evaluate

N_SONGS = 10


class FixedRanker:
    """Answers every request with the same songs, and remembers what it was asked."""

    def __init__(self, songs: Sequence[int]) -> None:
        self.songs = songs
        self.asked: list[Request] = []

    def rank(self, request: Request) -> np.ndarray:
        self.asked.append(request)
        return np.array(self.songs[: request.limit], dtype=np.int64)


@pytest.fixture
def cases() -> list[Case]:
    """Every listener shows song 0 and is to find the songs 1 and 2."""
    return [Case(Request(items=("s0",)), np.array([1, 2], dtype=np.int32), np.array([0], dtype=np.int32)) for _ in range(6)]


@pytest.fixture
def context() -> Context:
    features = np.eye(N_SONGS, dtype=np.float32)
    artists = csr_array(np.roll(np.eye(N_SONGS), -1, axis=1))  # the artist of song 0 is the last one: of the tail
    return Context(np.full(N_SONGS, 2), 8, features, 50, 1, artists, genres=csr_array(np.eye(N_SONGS)))


@pytest.fixture
def evaluation(cases: list[Case], context: Context) -> Evaluation:
    """The hybrid finds both songs, popularity one at place two, als none (and answers too few)."""
    rankers = {"hybrid": FixedRanker([1, 2, 3, 4]), "popularity": FixedRanker([5, 2, 6, 7]), "als": FixedRanker([9])}
    return evaluate("holdout", "hybrid", rankers, cases, [4, 2], context)
