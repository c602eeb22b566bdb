"""Many texts, found by how they are compared: casefolded, and with their white space collapsed."""

from __future__ import annotations

import numpy as np

from inference.features.values import normal
from inference.texts import Texts


class Folded:
    """An index of texts of which several may be equal once folded. Sorted hashes, no dictionary: a million texts cost 16 MB."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts
        hashes = np.fromiter((hash(normal(texts[place])) for place in range(len(texts))), dtype=np.int64, count=len(texts))
        self._order = np.argsort(hashes, kind="stable")
        self._hashes = hashes[self._order]

    def places(self, text: str) -> list[int]:
        """Returns the places, ascending, of all texts that are equal to this one when folded."""
        wanted = normal(text)
        first, last = np.searchsorted(self._hashes, hash(wanted), side="left"), np.searchsorted(self._hashes, hash(wanted), side="right")
        return [place for place in self._order[first:last].tolist() if normal(self._texts[place]) == wanted]
