"""Songs that are in no catalogue, described by their attributes: how alike the songs of the catalogue are to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from inference.features.columns import CategoriesColumn, CategoryColumn, code_of
from inference.features.similarity import Similarity, name_rows, name_weights
from inference.features.store import FeatureStore
from inference.sparse import rows_of
from inference.texts import Texts

_BLOCK = 65_536  # songs that are compared at once
_KEPT_BYTES = 1 << 26  # of a worker process


@dataclass(frozen=True)
class _Names:
    """One part of the similarity that is names: the rows of all songs, and for a described song the weights of its names there."""

    indptr: np.ndarray
    codes: np.ndarray
    weights: np.ndarray
    lengths: np.ndarray
    names: Texts
    root: float

    def query(self, own: Sequence[str]) -> np.ndarray:
        """Returns float64 (names,): what each name of the catalogue adds to the similarity, before a song's length divides it."""
        codes = [code_of(self.names, name) for name in own]
        weights = self.weights[codes]  # of a name that no song has, the last
        length = float(np.sqrt((weights**2).sum()))
        out = np.zeros(len(self.names))
        for code, weight in zip(codes, weights.tolist(), strict=True):
            if code >= 0:
                out[code] = self.root**2 * self.weights[code] * weight / length
        return out

    def scores(self, query: np.ndarray, songs: np.ndarray | None = None) -> np.ndarray:
        """Returns float64: the part of the similarity of all songs, or of some (numbers)."""
        if songs is None:
            sums = np.concatenate([[0.0], np.cumsum(query[self.codes])])
            scores: np.ndarray = (sums[self.indptr[1:]] - sums[self.indptr[:-1]]) / self.lengths
            return scores
        rows = [query[self.codes[self.indptr[song] : self.indptr[song + 1]]].sum() for song in songs.tolist()]
        return np.array(rows) / self.lengths[songs]


class DescribedSongs:
    """Compares described songs with those of a store, by the very similarity that the content model is trained with."""

    def __init__(self, similarity: Similarity, store: FeatureStore) -> None:
        self.similarity, self.store = similarity, store
        self._blocks: dict[int, np.ndarray] = {}
        self._names = {name: found for name in similarity.parts if (found := self._part(name)) is not None}

    def scores(self, described: Sequence[FeatureStore]) -> np.ndarray:
        """Returns float64 (songs,): the sum of the similarities to all described songs (each a store of one song)."""
        scores = np.zeros(self.store.n_songs)
        for name, part in self._names.items():
            queries = [part.query(_own_names(one, name)) for one in described]
            scores += part.scores(np.sum(queries, axis=0))
        dense = np.sum([self.similarity.dense(one)[0] for one in described], axis=0)
        for start in range(0, len(scores), _BLOCK):
            scores[start : start + _BLOCK] += self._dense(start) @ dense
        return scores

    def vectors(self, songs: np.ndarray) -> np.ndarray:
        """Returns float32 (songs, dimensions) for some songs (numbers): the product of two rows is the similarity of the two songs."""
        blocks = [self.similarity.dense(self.store, songs)]
        for part in self._names.values():
            codes, owners = rows_of(part.indptr, part.codes, songs)
            distinct, places = np.unique(codes, return_inverse=True)
            block = np.zeros((len(songs), len(distinct)), dtype=np.float32)
            block[owners, places] = part.root * part.weights[codes] / part.lengths[songs[owners]]
            blocks.append(block)
        return np.hstack(blocks)

    def _dense(self, start: int) -> np.ndarray:
        """The dense part of a block of songs, which is kept for the next request where all of them together are not too large."""
        block = self._blocks.get(start)
        if block is None:
            block = self.similarity.dense(self.store, slice(start, start + _BLOCK))
            if block.shape[1] * self.store.n_songs * block.itemsize <= _KEPT_BYTES:
                self._blocks[start] = block
        return block

    def contributions(self, described: Sequence[FeatureStore], songs: np.ndarray) -> np.ndarray:
        """Returns float64 (described, songs): the similarity of each described song to each song in ``songs`` (numbers)."""
        dense = np.stack([self.similarity.dense(one)[0] for one in described])
        rows = self.similarity.dense(self.store, songs)
        out = dense.astype(np.float64) @ rows.T
        for name, part in self._names.items():
            out += np.stack([part.scores(part.query(_own_names(one, name)), songs) for one in described])
        return out

    def _part(self, name: str) -> _Names | None:
        column = self.store[name]
        if not isinstance(column, CategoriesColumn | CategoryColumn):
            return None
        indptr, codes = name_rows(column)
        weights = name_weights(name, codes, len(column.names), self.store.n_songs)
        squares = np.concatenate([[0.0], np.cumsum(weights[codes] ** 2)])
        lengths = np.sqrt(np.maximum(squares[indptr[1:]] - squares[indptr[:-1]], 1e-24))
        return _Names(indptr, codes, weights, lengths, column.names, float(np.sqrt(self.similarity.parts[name].weight)))


def _own_names(one: FeatureStore, name: str) -> list[str]:
    value = one[name].value(0)
    return value if isinstance(value, list) else [] if value is None else [value]
