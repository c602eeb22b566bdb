"""The raw attributes of songs in one form, whether they come from a catalogue or from a request: what the transforms take."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from inference.features.columns import CategoriesColumn, CategoryColumn

UNIT_FEATURES = ("danceability", "energy", "speechiness", "acousticness", "instrumentalness", "liveness", "valence")
AUDIO = (
    "danceability",
    "energy",
    "loudness",
    "speechiness",
    "acousticness",
    "instrumentalness",
    "liveness",
    "valence",
    "tempo",
    "duration",
)
ACTIVITIES = (
    *("party", "work_study", "relaxation_meditation", "exercise", "running", "yoga_stretching", "driving", "social_gatherings"),
    "morning_routine",
)
FLAGS = ("explicit", *(f"good_for_{activity}" for activity in ACTIVITIES))
LABELS = ("album", "emotion", "language", "time_signature")
NUMBERS = (*AUDIO, "year", "popularity")

# What a value may be, in our units; any other is missing. A tempo of 0 is how the catalogues write "not found".
RANGES = {
    **dict.fromkeys(UNIT_FEATURES, (0.0, 1.0)),
    "popularity": (0.0, 100.0),
    "loudness": (-80.0, 20.0),
    "tempo": (1.0, 400.0),
    "duration": (0.1, 86400.0),
    "year": (1800.0, 2099.0),
}


class Terms(NamedTuple):
    """How often each term is in a text per song: compressed rows, ``indptr`` int64 (songs + 1), ``terms`` int32 ascending in a row,
    ``counts`` uint16. A song without terms has no text."""

    indptr: np.ndarray
    terms: np.ndarray
    counts: np.ndarray

    def rows(self, start: int, stop: int) -> Terms:
        """Returns the songs from ``start`` to before ``stop``."""
        first, last = int(self.indptr[start]), int(self.indptr[stop])
        return Terms(self.indptr[start : stop + 1] - first, self.terms[first:last], self.counts[first:last])


@dataclass(frozen=True)
class Attributes:
    """Of ``n_songs`` songs, in our units, aligned.

    numbers: float32, NaN missing, by name: those of ``NUMBERS`` that are known, and the columns that the user named.
    keys: int8, pitch class, -1 missing. modes: int8, 1 major, 0 minor, -1 missing. flags: int8, 1, 0, -1, by name.
    labels: by name. artists: in the order of the song; genres: sorted. terms: "lyrics" and the text columns that the user named.
    vectors: float32 (songs, dimensions), a row of NaN missing.
    """

    n_songs: int
    artists: CategoriesColumn
    genres: CategoriesColumn
    keys: np.ndarray
    modes: np.ndarray
    numbers: dict[str, np.ndarray] = field(default_factory=dict)
    flags: dict[str, np.ndarray] = field(default_factory=dict)
    labels: dict[str, CategoryColumn] = field(default_factory=dict)
    terms: dict[str, Terms] = field(default_factory=dict)
    vectors: dict[str, np.ndarray] = field(default_factory=dict)

    def number(self, name: str) -> np.ndarray:
        """Returns a number of ``NUMBERS``, all missing where nothing is known of it."""
        return self.numbers[name] if name in self.numbers else np.full(self.n_songs, np.nan, dtype=np.float32)
