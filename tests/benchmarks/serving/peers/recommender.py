"""implicit's recommend for one request, as its handbook shows it: what the servers of this folder are wrapped around.

``MODEL`` is the folder that ``fit.py`` wrote: the histories, the ids, and one model as implicit itself saves it.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from implicit.cpu.als import AlternatingLeastSquares
from implicit.nearest_neighbours import CosineRecommender
from scipy.sparse import csr_matrix, load_npz


class Recommender:
    """A model and what it needs to answer: the history of each listener by id, or that of somebody new."""

    def __init__(self, folder: str | Path | None = None) -> None:
        home = Path(folder or os.environ["MODEL"])
        ids = json.loads((home.parent / "ids.json").read_text(encoding="utf-8"))
        self.songs: list[str] = ids["songs"]
        self.numbers = {song: number for number, song in enumerate(self.songs)}
        self.listeners = {listener: row for row, listener in enumerate(ids["listeners"])}
        self.histories = csr_matrix(load_npz(home.parent / "histories.npz"))
        kind = CosineRecommender if home.name == "item_knn" else AlternatingLeastSquares
        self.model = kind.load(home / "model.npz")
        self.folds_in = kind is AlternatingLeastSquares

    def recommend(self, user_id: str | None = None, items: list[str] | None = None) -> dict[str, Any]:
        """Returns ten songs with their scores. Raises ``KeyError`` for somebody who is not known."""
        if user_id is not None:
            row = self.listeners[user_id]
            songs, scores = self.model.recommend(row, self.histories[row], N=10)
        else:
            history = sorted({self.numbers[song] for song in items or () if song in self.numbers})
            entries = (np.ones(len(history), np.float32), ([0] * len(history), history))
            events = csr_matrix(entries, shape=(1, len(self.songs)))
            songs, scores = self.model.recommend(0, events, N=10, **({"recalculate_user": True} if self.folds_in else {}))
        found = zip(songs.tolist(), scores.tolist(), strict=True)
        return {"recommendations": [{"item_id": self.songs[song], "score": score} for song, score in found]}
