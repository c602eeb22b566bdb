"""What every peer is given and gives back, and what several of them need."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, vstack

from training.evaluation.split_file import Asked

DENSE_MAX = 20_000  # songs: EASE inverts a dense matrix of them
Settings = Mapping[str, Any]
Scores = Callable[[slice], NDArray[np.float64]]  # some of those who are asked -> (listeners, songs)


@dataclass(frozen=True)
class Task:
    """``learn``: float32 (listeners × songs). ``asked``: whose lists are wanted. ``features``: csr (songs × artists and genres)."""

    learn: csr_array
    asked: Asked
    features: csr_array
    seed: int


@dataclass(frozen=True)
class Peer:
    """``fit`` learns and returns the scores; ``grid``: the published settings, of each name all values. ``about``: one line for people."""

    about: str
    fit: Callable[[Task, Settings], Scores]
    grid: Mapping[str, tuple[Any, ...]]


@dataclass(frozen=True)
class Played:
    """The ``songs`` (numbers, ascending) that somebody has played, of ``n_items``: a model need not have a place for any other."""

    songs: NDArray[np.int64]
    n_items: int

    @classmethod
    def of(cls, matrix: csr_array) -> Self:
        """Finds them in a matrix (listeners × songs)."""
        return cls(np.flatnonzero(np.bincount(matrix.indices, minlength=matrix.shape[1])), matrix.shape[1])

    def part(self, matrix: csr_array) -> csr_array:
        """Returns float32 (listeners × these songs) of 0 and 1."""
        return binary(matrix)[:, self.songs]

    def spread(self, scores: NDArray[Any]) -> NDArray[np.float64]:
        """Returns scores of these songs as scores (listeners, all songs); the others and what is not a number get -inf."""
        out = np.full((len(scores), self.n_items), -np.inf)
        out[:, self.songs] = np.where(np.isnan(scores), -np.inf, scores)
        return out

    def refuse_dense(self, name: str) -> None:
        """Raises ``ValueError`` where there are too many songs for a dense matrix of them."""
        if len(self.songs) > DENSE_MAX:
            raise ValueError(f"{name} inverts a dense matrix of {len(self.songs)} songs; {DENSE_MAX} are allowed here")


def binary(matrix: csr_array) -> csr_array:
    """Returns the matrix with 1 wherever it has an entry, float32."""
    return csr_array((np.ones(len(matrix.data), dtype=np.float32), matrix.indices, matrix.indptr), shape=matrix.shape)


def with_asked(task: Task) -> tuple[csr_array, NDArray[np.int64]]:
    """Returns the matrix with a row for each new listener who is asked, and the row of everyone who is.

    Models with a vector per listener cannot answer somebody new. They are given what is shown of the new ones beside what they learn from,
    which the others do not have: an advantage, if anything.
    """
    users = task.asked.users.copy()
    new = np.flatnonzero(users < 0)
    users[new] = task.learn.shape[0] + np.arange(len(new))
    return csr_array(vstack([task.learn, task.asked.shown[new]], format="csr")), users
