"""Names that are made of numbers: decade, popularity bucket, key, mode, mood."""

from __future__ import annotations

import numpy as np

from inference.features.attributes import Attributes
from inference.features.columns import MISSING, CategoryColumn

POPULARITY_BUCKETS = ("Low", "Medium", "High", "Viral")
POPULARITY_EDGES = (25.0, 50.0, 75.0)  # of the scale from 0 to 100; a value on an edge belongs to the upper bucket
KEYS = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
MODES = ("minor", "major")

# The quadrants of Russell's circumplex model of affect (1980): valence from left to right, energy, for arousal, from below to above.
MOODS = ("calm", "happy", "sad", "tense")
MIDDLE = 0.5
# What the emotions that catalogues name are on it. One that is not here leaves the mood to valence and energy.
MOOD_OF_EMOTION = {
    **dict.fromkeys(("joy", "happy", "happiness", "surprise", "excitement", "excited", "fun", "energetic", "pride"), "happy"),
    **dict.fromkeys(("anger", "angry", "fear", "disgust", "tense", "tension", "nervous", "frustration", "aggressive"), "tense"),
    **dict.fromkeys(("sadness", "sad", "grief", "depressed", "lonely", "loneliness", "bored", "melancholy", "melancholic"), "sad"),
    **dict.fromkeys(("calm", "love", "romantic", "relaxed", "peaceful", "peace", "content", "tender", "gratitude"), "calm"),
}


def decade(years: np.ndarray) -> np.ndarray:
    """Returns float32: 1990 for 1990 to 1999, NaN missing."""
    return (np.floor(years / 10) * 10).astype(np.float32)


def popularity_bucket(popularity: np.ndarray) -> CategoryColumn:
    """Low under 25, Medium under 50, High under 75, Viral from 75."""
    buckets = np.searchsorted(POPULARITY_EDGES, popularity, side="right")
    return _named(np.where(np.isfinite(popularity), buckets, MISSING), POPULARITY_BUCKETS)


def key(keys: np.ndarray) -> CategoryColumn:
    """The name of each pitch class, with sharps."""
    return _named(keys, KEYS)


def mode(modes: np.ndarray) -> CategoryColumn:
    return _named(modes, MODES)


def mood(attributes: Attributes) -> CategoryColumn:
    """What the catalogue's emotion says, where it is one that we know; else the quadrant of valence and energy."""
    valence, energy = attributes.number("valence"), attributes.number("energy")
    quadrants = np.where(valence >= MIDDLE, np.where(energy >= MIDDLE, 1, 0), np.where(energy >= MIDDLE, 3, 2))
    codes = np.where(np.isfinite(valence) & np.isfinite(energy), quadrants, MISSING)
    if (emotion := attributes.labels.get("emotion")) is not None:
        moods = [MOOD_OF_EMOTION.get(emotion.names[code]) for code in range(len(emotion.names))]
        said = np.array([*(MISSING if mood is None else MOODS.index(mood) for mood in moods), MISSING])[emotion.codes]
        codes = np.where(said == MISSING, codes, said)
    return _named(codes, MOODS)


def _named(codes: np.ndarray, names: tuple[str, ...]) -> CategoryColumn:
    """Returns the column with the names sorted, as all columns have them."""
    rank = np.array([*np.argsort(np.argsort(names)), MISSING], dtype=np.int32)
    return CategoryColumn.of_names(rank[codes], sorted(names))
