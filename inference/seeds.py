"""The songs that a request describes: what they add to the scores, and to the reasons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from inference.errors import RequestError
from inference.features.describe import DescriptionError, UnknownAttributeError
from inference.features.described import DescribedSongs
from inference.features.store import FeatureStore
from inference.features.transform import FeatureTransform

CONTENT = "content"


class DescribedSeeds:
    """Seeds that are in no catalogue. Each weighs as much as a seed song with weight 1, and speaks through its content alone.

    ``stores``: the features of each. ``weight``: of the content model in the hybrid. ``history``: the sum of the weights of the known
    songs; scores are the mean over all.
    """

    def __init__(
        self, songs: Sequence[Mapping[str, Any]], transform: FeatureTransform, compare: DescribedSongs, weight: float, history: float
    ) -> None:
        """Raises ``RequestError`` 422 for an attribute that no song has, or too many names."""
        self.names = [str(song.get("item_id") or f"song {i}") for i, song in enumerate(songs, start=1)]
        self._compare = compare
        self.stores: list[FeatureStore] = []
        for i, song in enumerate(songs):
            try:
                self.stores.append(transform.one(song))
            except DescriptionError as error:
                code = "unknown_field" if isinstance(error, UnknownAttributeError) else "invalid_field"
                raise RequestError(422, code, f"songs[{i}]: {error}") from None
        total = history + len(songs)
        self.share, self._each = history / total, weight / total

    def scores(self, known: np.ndarray | None) -> np.ndarray:
        """Returns float64 (songs,): these seeds beside the scores by the ``known`` history, None where there is none."""
        own = self._each * self._compare.scores(self.stores)
        return own if known is None else self.share * known + own

    def contributions(self, known: Mapping[str, np.ndarray], numbers: np.ndarray) -> dict[str, np.ndarray]:
        """Returns by model what each seed adds to the score of each song in ``numbers``: the rows of ``known``, then one per seed."""
        own = self._each * self._compare.contributions(self.stores, numbers)
        rows = next((len(part) for part in known.values()), 0)
        parts = {model: np.concatenate([self.share * part, np.zeros_like(own)]) for model, part in known.items()}
        ours = np.concatenate([np.zeros((rows, len(numbers))), own])
        return {**parts, CONTENT: parts[CONTENT] + ours if CONTENT in parts else ours}
