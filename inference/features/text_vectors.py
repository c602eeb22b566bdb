"""Vectors of what texts are about: TF-IDF of their hashed terms, projected on the directions that training found."""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass

import numpy as np

from inference.features.attributes import Terms
from inference.features.words import TERM_SPACE

_BLOCK = 4096  # texts that are worked on at once


@dataclass(frozen=True)
class TextTransform:
    """``terms``: int32, ascending, those that are used; ``idf``: float32 (terms); ``components``: float32 (terms, dimensions)."""

    terms: np.ndarray
    idf: np.ndarray
    components: np.ndarray

    ARRAYS = ("terms", "idf", "components")

    @property
    def dimensions(self) -> int:
        return int(self.components.shape[1])

    def arrays(self) -> dict[str, np.ndarray]:
        return {"terms": self.terms, "idf": self.idf, "components": self.components}

    @functools.cached_property
    def _places(self) -> np.ndarray:
        places = np.full(TERM_SPACE, -1, dtype=np.int32)
        places[self.terms] = np.arange(len(self.terms))
        return places

    def weights(self, texts: Terms) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Returns compressed rows (indptr int64, places of the kept terms int32, weights float32): (1 + ln count) × idf."""
        places = self._places[texts.terms]
        kept = places >= 0
        before = np.concatenate([[0], np.cumsum(kept, dtype=np.int64)])
        places = places[kept]
        weights = (1.0 + np.log(texts.counts[kept].astype(np.float32))) * self.idf[places]
        return before[texts.indptr], places, weights.astype(np.float32)

    def apply(self, texts: Terms) -> np.ndarray:
        """Returns float32 (texts, dimensions), rows of length 1; zeros where a text has none of the terms.

        In blocks, so that memory stays bounded. A row does not depend on the others, to the last digit.
        """
        n = len(texts.indptr) - 1
        out = np.zeros((n, self.dimensions), dtype=np.float32)
        for start in range(0, n, _BLOCK):
            stop = min(start + _BLOCK, n)
            self._project(texts.rows(start, stop), out[start:stop])
        return out

    def _project(self, texts: Terms, out: np.ndarray) -> None:
        indptr, places, weights = self.weights(texts)
        components = np.asarray(self.components)  # a plain view: slicing a numpy.memmap is slow
        bounds = indptr.tolist()
        for row, (first, last) in enumerate(itertools.pairwise(bounds)):  # one song at a time keeps its terms in the cache
            if first < last:
                out[row] = weights[first:last] @ components.take(places[first:last], axis=0)
        lengths = np.sqrt(np.einsum("ij,ij->i", out, out, dtype=np.float64))
        out /= np.maximum(lengths, 1e-12)[:, None].astype(np.float32)
