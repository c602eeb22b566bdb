"""EASE that has read the catalogue, against EASE on a matrix in which artists, albums and genres are listeners."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.training.trainers.data import artists_only, catalogue, dense, training_data
from training.model_config import CeaseConfig
from training.trainers import cease, ease
from training.trainers.base import TrainingData

ARTISTS = ["ann", "ann", "ann", "bob", "bob", "cat", "", "ann", "bob", ""]
ALBUMS = ["hits", "hits", "one", "hits", "hits", "solo", "lost", "one", "", "lost"]
GENRES = ["rock", "rock", "jazz", "jazz", "rock", "folk", "folk", "", "jazz", ""]
N = len(ARTISTS)
SONGS = catalogue(ARTISTS, GENRES, [float("nan")] * N, [float("nan")] * N, ALBUMS)
CONFIG = CeaseConfig(l2=2.0, artist_weight=0.7, album_weight=1.3, genre_weight=0.4)
MATRIX = (np.random.default_rng(4).random((30, N)) < 0.35).astype(float)
MATRIX[:, 9] = 0  # the last song was never played


def stacked(config: CeaseConfig) -> np.ndarray:
    """One more row for each name that at least two songs have; an album is one artist's."""
    albums = [(artist, album) if album else None for artist, album in zip(ARTISTS, ALBUMS, strict=True)]
    rows = list(MATRIX)
    for weight, names in ((config.artist_weight, ARTISTS), (config.album_weight, albums), (config.genre_weight, GENRES)):
        for name in {name for name in names if name}:
            songs = [song for song in range(N) if names[song] == name]
            if weight > 0 and len(songs) > 1:
                rows.append(np.where(np.isin(np.arange(N), songs), weight, 0.0))
    return np.array(rows)


def store_of(data: TrainingData):  # type: ignore[no-untyped-def]
    assert data.features is not None
    return data.features[1]


@pytest.mark.parametrize("dense_max_items", [0, 4000])
@pytest.mark.parametrize(
    "config",
    [CONFIG, replace(CONFIG, genre_weight=0.0), replace(CONFIG, artist_weight=0.0), replace(CONFIG, album_weight=0.0, dropout=0.2)],
)
def test_artists_albums_and_genres_are_listeners_of_their_songs(config: CeaseConfig, dense_max_items: int) -> None:
    config = replace(config, dense_max_items=dense_max_items)
    found = dense(cease.fit(training_data(MATRIX, SONGS), config))
    np.testing.assert_allclose(found, dense(ease.fit(training_data(stacked(config)), config)), atol=2e-5)
    assert np.abs(found - dense(ease.fit(training_data(MATRIX), config))).max() > 0.01


def test_without_any_weight_it_is_plain_ease() -> None:
    config = replace(CONFIG, artist_weight=0.0, album_weight=0.0, genre_weight=0.0)
    np.testing.assert_array_equal(dense(cease.fit(training_data(MATRIX, SONGS), config)), dense(ease.fit(training_data(MATRIX), config)))


@pytest.mark.parametrize("dense_max_items", [0, 4000])
def test_a_song_that_nobody_has_played_gets_neighbours_through_its_artist(dense_max_items: int) -> None:
    matrix = np.array([[1, 1, 0, 0], [1, 0, 1, 0], [0, 1, 1, 0], [1, 1, 0, 0]], dtype=float)
    data = training_data(matrix, artists_only(["ann", "bob", "bob", "ann"]))
    found = dense(cease.fit(data, CeaseConfig(dense_max_items=dense_max_items)))
    assert found[0, 3] > 0
    assert found[0, 3] > 2 * abs(found[1:3, 3]).max()
    assert found[3, 0] > 0
    assert not dense(ease.fit(data, CeaseConfig(dense_max_items=dense_max_items)))[:, 3].any()


def test_albums_of_one_name_by_different_artists_are_different() -> None:
    found = cease.albums(store_of(training_data(MATRIX, SONGS))).toarray()
    assert sorted(np.flatnonzero(row).tolist() for row in found) == [[0, 1], [2, 7], [3, 4], [6, 9]]


def test_a_song_of_two_artists_is_played_by_both_and_its_album_is_the_first_ones() -> None:
    songs = replace(SONGS, artists=[("ann",), ("ann", "bob"), ("bob", "ann"), ("bob",)] + [()] * (N - 4))
    store = store_of(training_data(MATRIX, songs))
    assert sorted(np.flatnonzero(row).tolist() for row in cease.members(store, "artists").toarray()) == [[0, 1, 2], [1, 2, 3]]
    # "hits" are songs 0, 1 and 3 and 4 of which 4 has no artist now; "one" are 2 (by bob) and 7, "lost" 6 and 9 (by nobody).
    assert sorted(np.flatnonzero(row).tolist() for row in cease.albums(store).toarray()) == [[0, 1], [6, 9]]


def test_a_catalogue_of_which_nothing_is_known_teaches_nothing() -> None:
    data = training_data(MATRIX, artists_only([""] * N))
    np.testing.assert_array_equal(dense(cease.fit(data, CONFIG)), dense(ease.fit(data, CONFIG)))


def test_without_a_catalogue_there_is_nothing_to_read() -> None:
    with pytest.raises(ValueError, match="catalogue"):
        cease.fit(training_data(MATRIX), CONFIG)
