"""A described song is as near to the catalogue's songs as the content model finds them to be."""

from __future__ import annotations

import numpy as np
import pytest

from inference.features.described import DescribedSongs
from tests.training.features.catalogues import catalogue, described
from training.content_features import content_features, similarity_of
from training.data.config import FeaturesConfig
from training.features import fit_transform
from training.model_config import ContentConfig

SONGS = described(120, seed=4)
TRANSFORM, STORE = fit_transform(catalogue(SONGS), FeaturesConfig(lyrics_dimensions=5), np.ones(120, dtype=bool), 1)
SIMILARITY = similarity_of(TRANSFORM, STORE, ContentConfig())
EVERYTHING = np.arange(120)
TRAINED = content_features(SIMILARITY, STORE).similarity(EVERYTHING, EVERYTHING)


def test_described_it_has_the_similarities_that_training_found() -> None:
    compare = DescribedSongs(SIMILARITY, STORE)
    for number in range(0, 120, 7):
        one = [TRANSFORM.one(SONGS[number])]
        np.testing.assert_allclose(compare.scores(one), TRAINED[number], atol=1e-5)
        np.testing.assert_allclose(compare.contributions(one, EVERYTHING)[0], TRAINED[number], atol=1e-5)


def test_several_add_up() -> None:
    some = [3, 40, 77]
    scores = DescribedSongs(SIMILARITY, STORE).scores([TRANSFORM.one(SONGS[number]) for number in some])
    np.testing.assert_allclose(scores, TRAINED[some].sum(axis=0), atol=1e-5)


def test_every_kind_of_feature_takes_part_with_its_share_of_one() -> None:
    weights = {name: part.weight for name, part in SIMILARITY.parts.items()}
    assert sum(weights.values()) == pytest.approx(1)
    assert set(weights) == {"artists", "genres", "audio", "release_year", "lyrics", "plays_all", "label", "notes", "emb"}
    assert weights["artists"] / weights["lyrics"] == pytest.approx(6)
    assert np.diag(TRAINED).max() <= 1 + 1e-6
    complete = [number for number, song in enumerate(SONGS) if len(song) == len(max(SONGS, key=len))]
    assert complete
    assert np.allclose(np.diag(TRAINED)[complete], 1, atol=1e-5)


def test_without_lyrics_and_own_columns_the_other_shares_are_as_they_were() -> None:
    bare = [{name: value for name, value in song.items() if name in ("artist", "genre", "year", "energy", "loudness")} for song in SONGS]
    songs = catalogue(bare)
    songs.numbers.clear(), songs.vectors.clear(), songs.terms.clear(), songs.columns.clear()
    similarity = similarity_of(*fit_transform(songs, FeaturesConfig(), np.ones(120, dtype=bool), 1), ContentConfig())
    assert {name: round(part.weight, 9) for name, part in similarity.parts.items()} == {
        **{"artists": 0.6, "genres": 0.25},
        **{"audio": 0.1, "release_year": 0.05},
    }
