"""Popularity: how many listeners have played a song."""

from __future__ import annotations

import numpy as np

from inference.scorers import PopularityScorer
from training.trainers.base import TrainingData

# The catalogue's own popularity counts less than one listener: it only orders songs that equally many have played.
_CATALOGUE_WEIGHT = 0.5


def fit(data: TrainingData) -> PopularityScorer:
    """Scores ``log(1 + c) / max log(1 + c)``, with c the listeners of a song plus half the catalogue's popularity (0–1) where known."""
    counts = data.listeners.astype(np.float64)
    if data.catalogue is not None:
        counts += _CATALOGUE_WEIGHT * np.nan_to_num(data.catalogue.popularity, nan=0.0).clip(0.0, 100.0) / 100.0
    scores = np.log1p(counts)
    return PopularityScorer((scores / max(scores.max(initial=0.0), 1e-12)).astype(np.float32))
