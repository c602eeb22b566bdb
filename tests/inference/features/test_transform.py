"""A new song gets the features that it would have had in the catalogue."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.features.describe import UnknownAttributeError
from inference.features.transform import BUILT_IN, FeatureTransform
from tests.inference.features.songs import make_features, make_transform, raw_song

RAW = [raw_song(i) for i in range(48)]
TRANSFORM = make_transform()
STORE = make_features(TRANSFORM, RAW)


def test_each_song_alone_has_the_very_features_that_it_has_among_others() -> None:
    for number, song in enumerate(RAW):
        assert TRANSFORM.features(song) == STORE.row(number)


def test_the_songs_lack_and_have_every_feature_so_that_the_above_says_something() -> None:
    rows = [STORE.row(number) for number in range(len(RAW))]
    never_lack = {"danceability", "loudness", "valence", "audio", "plays", "album", "explicit", "title"}
    for name in STORE:
        values = [row[name] for row in rows]
        if not name.startswith("good_for_") or name == "good_for_running":
            assert any(value not in (None, []) for value in values), name
    lacked = {name for name in STORE if any(row[name] in (None, []) for row in rows)}
    assert {"energy", "release_year", "decade", "key", "tempo", "artists", "genres", "genre_cluster", "lyrics", "emotion"} <= lacked
    assert not lacked & never_lack


def test_the_features_of_a_song_as_a_person_reads_them() -> None:
    song = {
        **{"artist": "Ann; Bob", "genre": "Indie Rock|rock", "release_year": "29th April 1999", "duration": "03:20", "key": "A min"},
        **{"explicit": "No", "energy": "0.9", "valence": 0.2, "popularity": 75, "tempo": "120 bpm", "lyrics": RAW[1]["lyrics"]},
    }
    found = TRANSFORM.features(song)
    assert found["artists"] == ["ann", "bob"]
    assert found["genres"] == ["indie rock", "rock"]
    assert (found["release_year"], found["decade"], found["duration"], found["tempo"]) == (1999, 1990, 200, 120)
    assert (found["key"], found["mode"], found["explicit"], found["language"]) == ("A", "minor", False, "es")
    assert (found["mood"], found["popularity_bucket"], found["genre_cluster"]) == ("tense", "Viral", "rock")
    assert found["good_for_party"] is None
    json.dumps(found)


def test_a_number_under_the_name_of_the_file_is_in_the_units_of_the_file() -> None:
    assert TRANSFORM.features({"Energy": 90})["energy"] == TRANSFORM.features({"energy": 0.9})["energy"] == pytest.approx(0.9)
    assert TRANSFORM.features({"Energy": "90"})["energy"] == pytest.approx(0.9)
    assert TRANSFORM.features({"energy": 90})["energy"] is None
    assert TRANSFORM.features({"Plays": 7})["plays"] == TRANSFORM.features({"plays": "7"})["plays"] == 7


@pytest.mark.parametrize(
    ("name", "near"), [("energie", "energy"), ("ARTISTS", "artists"), ("Artist(z)", "Artist(s)"), ("good_for_run", "good_for_running")]
)
def test_an_unknown_attribute_is_refused_with_the_nearest_one(name: str, near: str) -> None:
    with pytest.raises(UnknownAttributeError, match="Did you mean") as error:
        TRANSFORM.features({name: 1})
    assert f'"{near}"?' in str(error.value)


anything: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20), lambda inner: st.lists(inner, max_size=3), max_leaves=5
)


@given(st.dictionaries(st.sampled_from([*raw_song(1), "Energy", "item_id", "language"]), anything))
def test_whatever_the_values_there_are_features_and_no_number_that_is_none(raw: dict[str, Any]) -> None:
    found = TRANSFORM.features(raw)
    assert list(found) == list(STORE)
    json.dumps(found, allow_nan=False)
    for column in TRANSFORM.one(raw).values():
        assert not any(np.isinf(array).any() for array in column.arrays().values() if array.dtype.kind == "f")


def test_saved_and_loaded_it_is_the_same() -> None:
    settings = json.loads(json.dumps(TRANSFORM.settings()))
    again = FeatureTransform.load(settings, TRANSFORM.arrays().__getitem__)
    assert again.settings() == TRANSFORM.settings()
    assert all(again.features(song) == TRANSFORM.features(song) for song in RAW)


def test_a_feature_of_a_newer_program_is_refused() -> None:
    settings = TRANSFORM.settings()
    settings["columns"] = [*settings["columns"], "colour"]
    with pytest.raises(ValueError, match="colour"):
        FeatureTransform.load(settings, TRANSFORM.arrays().__getitem__)


def test_every_built_in_feature_is_there() -> None:
    assert set(BUILT_IN) <= set(STORE)
