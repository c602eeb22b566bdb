"""Popularity: how many listeners have played a song, and lately, if asked for."""

from __future__ import annotations

import numpy as np

from inference.history import EventWeighting
from inference.scorers import PopularityScorer
from training.data.dataset import MISSING_TIME
from training.model_config import PopularityConfig
from training.trainers.base import TrainingData

# The catalogue's own popularity counts less than one listener: it only orders songs that equally many have played.
_CATALOGUE_WEIGHT = 0.5


def fit(data: TrainingData, config: PopularityConfig) -> PopularityScorer:
    """Scores ``log(1 + c) / max log(1 + c)``, with c the listeners of a song plus half the catalogue's popularity (0–1) where known.

    With ``half_life_days`` a listener's share halves with every so many days that lie between his last play of the song and the latest
    event of all (trending); where no time is known it is a half. Data without times has no trend.
    """
    counts: np.ndarray = data.listeners.astype(np.float64)
    if config.half_life_days > 0 and data.times is not None and data.in_seconds:
        known = data.times[data.times != MISSING_TIME]
        ages = EventWeighting(half_life_days=config.half_life_days).decay(data.times, float(known.max(initial=0)))
        counts = np.bincount(data.user_items.indices, weights=ages, minlength=data.n_items).astype(np.float64)
    if data.catalogue is not None:
        counts += _CATALOGUE_WEIGHT * np.nan_to_num(data.catalogue.popularity, nan=0.0).clip(0.0, 100.0) / 100.0
    scores = np.log1p(counts)
    return PopularityScorer((scores / max(scores.max(initial=0.0), 1e-12)).astype(np.float32))
