"""How alike the candidates of one request are: of one of them to all of them, by the best that the model knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from inference.features.described import DescribedSongs
from inference.scorers import FactorScorer, ItemToItemScorer, Scorer
from inference.sparse import SparseRows, entries_of


class Alike(Protocol):
    """Similarities between candidates, which are places from 0 on. One of which nothing is known is as alike to each as the others are on
    average: it must be no way to be different."""

    def to(self, place: int) -> np.ndarray:
        """Returns float64 (candidates,), between -1 and 1: how alike each one is to the one at ``place``."""
        ...


class ByVectors:
    """Similar are those whose vectors (candidates, dimensions) have a large cosine: what a song lacks is left out of its comparisons."""

    def __init__(self, vectors: np.ndarray) -> None:
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        self._known = lengths[:, 0] > 0
        self._unit = vectors / np.where(lengths > 0, lengths, 1.0)

    def to(self, place: int) -> np.ndarray:
        return _filled((self._unit @ self._unit[place]).astype(np.float64), self._known)


class ByRows:
    """Similar are songs from which an item-to-item operator leads to the same songs: the cosine of their rows."""

    def __init__(self, operator: SparseRows, numbers: np.ndarray) -> None:
        entries, owners = entries_of(operator.indptr, numbers)
        self._columns, self._values = operator.indices[entries].astype(np.intp), operator.values[entries].astype(np.float64)
        self._starts = np.searchsorted(owners, np.arange(len(numbers) + 1))
        self._filled = np.flatnonzero(np.diff(self._starts))
        self._known = np.diff(self._starts) > 0
        lengths = np.sqrt(self._sums(self._values**2))
        self._values /= np.where(lengths > 0, lengths, 1.0)[owners]
        self._dense = np.zeros(operator.n_columns)

    def to(self, place: int) -> np.ndarray:
        own = slice(self._starts[place], self._starts[place + 1])
        self._dense[self._columns[own]] = self._values[own]
        products = self._dense.take(self._columns)
        products *= self._values
        self._dense[self._columns[own]] = 0.0
        return _filled(self._sums(products), self._known)

    def _sums(self, values: np.ndarray) -> np.ndarray:
        """Returns float64 (candidates,): the sum over the entries of each row."""
        sums = np.zeros(len(self._starts) - 1)
        if len(self._filled):
            sums[self._filled] = np.add.reduceat(values, self._starts[self._filled])  # it reads an empty row as its neighbour
        return sums


def _filled(similar: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Returns the similarities within -1 and 1, and their mean for those of which nothing is known."""
    if known.any() and not known.all():
        similar[~known] = similar[known].mean()
    return np.clip(similar, -1.0, 1.0)


def alike(numbers: np.ndarray, content: DescribedSongs | None, scorers: Mapping[str, Scorer], weights: Mapping[str, float]) -> Alike | None:
    """Returns the similarities of the songs ``numbers``: by content, where there is a catalogue; else by the rows of the item-to-item
    model that weighs most; else by the songs' factors. None where the model knows none of these (popularity alone)."""
    if content is not None:
        return ByVectors(content.vectors(numbers))
    by_weight = sorted(scorers, key=lambda name: (-weights.get(name, 0.0), name))
    for name in by_weight:
        if isinstance(scorer := scorers[name], ItemToItemScorer):
            return ByRows(scorer.operator, numbers)
    for name in by_weight:
        if isinstance(scorer := scorers[name], FactorScorer):
            return ByVectors(scorer.item_factors[numbers].astype(np.float64))
    return None
