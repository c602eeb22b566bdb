"""Names that are made of numbers."""

from __future__ import annotations

import numpy as np
import pytest

from inference.features import labels
from inference.features.columns import CategoryColumn
from inference.features.describe import Names

NAN = float("nan")


def names(column: CategoryColumn) -> list[str | None]:
    return [column.value(song) for song in range(len(column))]


def test_popularity_has_four_buckets_with_the_edge_in_the_upper_one() -> None:
    found = labels.popularity_bucket(np.array([0, 24.9, 25, 49.9, 50, 74.9, 75, 100, NAN], np.float32))
    assert names(found) == ["Low", "Low", "Medium", "Medium", "High", "High", "Viral", "Viral", None]


def test_decades_begin_with_their_round_year() -> None:
    assert labels.decade(np.array([1989, 1990, 1999, 2000], np.float32)).tolist() == [1980, 1990, 1990, 2000]
    assert np.isnan(labels.decade(np.array([NAN], np.float32))).all()


def test_keys_and_modes_have_their_names() -> None:
    assert names(labels.key(np.arange(-1, 12, dtype=np.int8))) == [None, "C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"]
    assert names(labels.mode(np.array([1, 0, -1], np.int8))) == ["major", "minor", None]


@pytest.mark.parametrize(
    ("song", "mood"),
    [
        ({"valence": 0.9, "energy": 0.9}, "happy"),
        ({"valence": 0.1, "energy": 0.9}, "tense"),
        ({"valence": 0.1, "energy": 0.1}, "sad"),
        ({"valence": 0.9, "energy": 0.1}, "calm"),
        ({"valence": 0.5, "energy": 0.5}, "happy"),
        ({"valence": 0.9}, None),
        ({"valence": 0.9, "energy": 0.9, "emotion": "Sadness"}, "sad"),
        ({"emotion": "anger"}, "tense"),
        ({"valence": 0.9, "energy": 0.1, "emotion": "green"}, "calm"),
        ({"emotion": "green"}, None),
    ],
)
def test_the_mood_is_the_emotion_that_the_catalogue_names_or_else_a_quadrant(song: dict[str, object], mood: str | None) -> None:
    assert labels.mood(Names().attributes(song)).value(0) == mood


def test_every_emotion_that_is_known_has_one_of_the_moods() -> None:
    assert set(labels.MOOD_OF_EMOTION.values()) == set(labels.MOODS)
