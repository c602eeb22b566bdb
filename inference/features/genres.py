"""Clusters of genres: those that were fitted by their songs, and for a genre that training has not seen, that of the nearest name."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from inference.features.columns import MISSING, CategoriesColumn, CategoryColumn
from inference.features.words import term, tokens
from inference.texts import Texts

NEAR = 0.25  # cosine of two names below which they have nothing to do with each other


@dataclass(frozen=True)
class NameGrams:
    """The words and trigrams of names, hashed, as compressed rows of length 1: ``indptr`` int64 (names + 1), ``places`` int32 into
    ``grams`` (int32, ascending, distinct), ``weights`` float32; ``idf`` float32 (grams): what few names have weighs more."""

    indptr: np.ndarray
    places: np.ndarray
    weights: np.ndarray
    grams: np.ndarray
    idf: np.ndarray

    ARRAYS = ("indptr", "places", "weights", "grams", "idf")

    @classmethod
    def of(cls, names: Sequence[str]) -> Self:
        rows = [name_grams(name) for name in names]
        indptr = np.zeros(len(rows) + 1, dtype=np.int64)
        np.cumsum([len(row) for row in rows], out=indptr[1:])
        found = np.concatenate([np.empty(0, dtype=np.int32), *rows])
        grams, places = np.unique(found, return_inverse=True)
        idf = (np.log((1.0 + len(names)) / (1.0 + np.bincount(places, minlength=len(grams)))) + 1.0).astype(np.float32)
        owners = np.repeat(np.arange(len(names)), np.diff(indptr))
        lengths = np.sqrt(np.bincount(owners, weights=idf[places].astype(np.float64) ** 2, minlength=len(names)))
        weights = (idf[places] / lengths[owners]).astype(np.float32)
        return cls(indptr, places.astype(np.int32), weights, grams.astype(np.int32), idf)

    def arrays(self) -> dict[str, np.ndarray]:
        return {name: getattr(self, name) for name in self.ARRAYS}

    @functools.cached_property
    def _owners(self) -> np.ndarray:
        return np.repeat(np.arange(len(self.indptr) - 1), np.diff(self.indptr))

    def nearest(self, name: str) -> int:
        """Returns the place of the name that is most like this one, the first of several; -1 where none is alike."""
        if not len(self.grams):
            return MISSING
        own = name_grams(name)
        at = np.minimum(np.searchsorted(self.grams, own), len(self.grams) - 1)
        known = self.grams[at] == own
        length = np.sqrt(float((self.idf[at[known]].astype(np.float64) ** 2).sum()) + float((~known).sum()) * float(self.idf.max()) ** 2)
        wanted = np.zeros(len(self.grams))
        wanted[at[known]] = self.idf[at[known]] / max(length, 1e-12)
        cosines = np.bincount(self._owners, weights=self.weights * wanted[self.places], minlength=len(self.indptr) - 1)
        best = int(cosines.argmax())
        return best if cosines[best] >= NEAR else MISSING


def name_grams(name: str) -> np.ndarray:
    """Returns int32, ascending: the hashed words of a name and the trigrams of its letters, with a space on both sides of each word."""
    words = tokens(name) or [name]
    padded = f" {' '.join(words)} "
    grams = {term(f"{word}\n") for word in words} | {term(padded[i : i + 3]) for i in range(len(padded) - 2)}
    return np.array(sorted(grams), dtype=np.int32)


@dataclass(frozen=True)
class GenreTransform:
    """``names``: the genres of the train songs, sorted; ``clusters``: int32, the cluster of each; ``cluster_names``: the most frequent
    genre of each cluster, the cluster with the most songs first; ``grams``: of ``names``."""

    names: Texts
    clusters: np.ndarray
    cluster_names: tuple[str, ...]
    grams: NameGrams

    ARRAYS = ("names_blob", "names_offsets", "clusters", *(f"grams_{part}" for part in NameGrams.ARRAYS))

    @functools.cached_property
    def _places(self) -> dict[str, int]:
        return {self.names[place]: place for place in range(len(self.names))}

    def cluster(self, genre: str) -> int:
        """Returns the number of the genre's cluster; -1 where neither it nor a name like it is known."""
        place = self._places.get(genre, MISSING)
        if place == MISSING:
            place = self.grams.nearest(genre)
        return MISSING if place == MISSING else int(self.clusters[place])

    def apply(self, genres: CategoriesColumn) -> CategoryColumn:
        """Returns the cluster that most of a song's genres are in, of several the one with more songs."""
        n = max(len(self.cluster_names), 1)
        of_name = np.array([self.cluster(genres.names[code]) for code in range(len(genres.names))], dtype=np.int64)
        clusters = of_name[genres.indices] if len(of_name) else np.empty(0, dtype=np.int64)
        songs = np.repeat(np.arange(len(genres)), np.diff(genres.indptr))[clusters != MISSING]
        pairs, votes = np.unique(songs * n + clusters[clusters != MISSING], return_counts=True)
        best = np.full(len(genres), MISSING, dtype=np.int64)
        np.maximum.at(best, pairs // n, votes * n + (n - 1 - pairs % n))
        numbers = np.where(best == MISSING, MISSING, n - 1 - best % n)
        order = sorted(range(len(self.cluster_names)), key=lambda number: self.cluster_names[number].encode("utf-8", "surrogatepass"))
        rank = np.full(len(order) + 1, MISSING, dtype=np.int32)
        rank[order] = np.arange(len(order))
        return CategoryColumn.of_names(rank[numbers], [self.cluster_names[number] for number in order])

    def arrays(self) -> dict[str, np.ndarray]:
        grams = {f"grams_{part}": array for part, array in self.grams.arrays().items()}
        return {"names_blob": self.names.blob, "names_offsets": self.names.offsets, "clusters": self.clusters, **grams}

    def settings(self) -> dict[str, Any]:
        return {"cluster_names": list(self.cluster_names)}

    @classmethod
    def load(cls, settings: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Self:
        grams = NameGrams(**{part: arrays[f"grams_{part}"] for part in NameGrams.ARRAYS})
        names = Texts(arrays["names_blob"], arrays["names_offsets"])
        clusters, cluster_names = arrays["clusters"], tuple(settings["cluster_names"])
        if len(clusters) != len(names) or (len(clusters) and not 0 <= clusters.min() <= clusters.max() < len(cluster_names)):
            raise ValueError("the clusters of the genres do not fit their names")
        return cls(names, clusters, cluster_names, grams)
