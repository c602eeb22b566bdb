"""What fitting a model is likely to take, before it has been fitted once: so that a budget of minutes is kept on large data, too."""

from __future__ import annotations

from training.config import TrainingConfig
from training.trainers.base import TrainingData

# Measured on Gowalla, playlists and invented data of 10,000 to 400,000 songs on two cores: right within a factor of two or three.
_EASE_SONG = 1.1e-3  # seconds for a song with 200 neighbours
_ALS_ENTRY = 1.1e-6  # seconds for an interaction in one iteration with 128 factors; a listener or a song costs as much as ten
_SPECTRAL_FLOPS, _SPECTRAL_MOST = 6e10, 8e12  # a second, and of making all rows (the trainer stays below)
_CONTENT_SONG = 3e-4


def expected_seconds(name: str, data: TrainingData, config: TrainingConfig) -> float:
    """Returns the seconds that fitting ``name`` is expected to take on ``data``; 0 for models that are quick on any data."""
    n_listeners, n_songs = data.user_items.shape
    if name in ("ease", "cease"):
        section = config.cease if name == "cease" else config.ease
        if n_songs <= section.dense_max_items:
            return 2.0 * (n_songs / 4000) ** 3
        return n_songs * _EASE_SONG * (section.neighbours / 200) ** 1.3
    if name == "als":
        work = data.user_items.nnz + 10.0 * (n_listeners + n_songs)
        return config.als.iterations * work * _ALS_ENTRY * (config.als.factors / 128) ** 2
    if name == "spectral":
        return min(2.0 * n_songs**2 * config.spectral.factors, _SPECTRAL_MOST) / _SPECTRAL_FLOPS
    return n_songs * _CONTENT_SONG if name == "content" else 0.0
