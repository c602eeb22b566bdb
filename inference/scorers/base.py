"""What every scorer can do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np

from inference.histories import Histories, Terms
from inference.history import History
from inference.sparse import SparseRows


class Scorer(ABC):
    """Scores every song for one history. A score of 0 means "no opinion"; higher is better.

    A scorer is finished when it is made: it holds arrays that training found, never changes, and may be used by several threads.
    """

    KIND: ClassVar[str]
    READS_ORDER: ClassVar[bool] = False  # whether the ranks of a history make a difference
    ARRAYS: ClassVar[tuple[str, ...]]  # the names of `arrays()`, the only ones that loading opens

    @abstractmethod
    def scores(self, history: History) -> np.ndarray:
        """Returns float64 (songs,)."""

    @abstractmethod
    def contributions(self, history: History, numbers: np.ndarray) -> np.ndarray:
        """Returns float64 (history + 1, numbers): what each song of the history adds to the score of each song in ``numbers``.

        The last row is the part that no song of the history caused. The sum over the rows is the score.
        """

    def contributions_by_model(self, history: History, numbers: np.ndarray, name: str) -> dict[str, np.ndarray]:
        """Returns ``contributions`` under the name of each model that takes part; a single scorer is its own only part."""
        return {name: self.contributions(history, numbers)}

    @abstractmethod
    def arrays(self) -> dict[str, np.ndarray]:
        """Returns what to save, by the names in ``ARRAYS``."""

    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """Returns the numbers, as JSON, that ``load`` needs beside the arrays."""

    @classmethod
    @abstractmethod
    def load(cls, settings: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Self:
        """Makes a scorer of what ``settings`` and ``arrays`` returned. Raises ``ValueError`` or ``KeyError`` where they don't fit."""


class RowScorer(Scorer):
    """A scorer whose scores are a sum of rows of its ``operator`` (SparseRows, songs as columns)."""

    operator: SparseRows

    @abstractmethod
    def weighted_rows(self, history: History) -> tuple[np.ndarray, np.ndarray]:
        """Returns which rows (int) are added up for this history, and what each weighs (float64)."""

    @abstractmethod
    def terms(self, histories: Histories) -> Terms:
        """Returns for each history what ``weighted_rows`` returns for one, to the last bit."""

    def scores(self, history: History) -> np.ndarray:
        return self.operator.weighted_sum(*self.weighted_rows(history))
