"""The artist prior, against its formula."""

from __future__ import annotations

import numpy as np
import pytest

from tests.training.trainers.data import artists_only, dense, training_data
from training.model_config import ArtistConfig
from training.trainers import artist
from training.trainers.base import TrainingData

ARTISTS = ["a", "a", "b", "a", "c", ""]
PLAYED = np.array([[1, 1, 0, 0, 1, 0], [1, 0, 1, 0, 0, 1], [1, 0, 0, 0, 0, 0]], dtype=float)


def data() -> TrainingData:
    return training_data(PLAYED, artists_only(ARTISTS))


@pytest.mark.parametrize("exponent", [0.0, 0.5, 1.0])
def test_a_song_is_wanted_by_its_share_of_its_artists_listening(exponent: float) -> None:
    found = dense(artist.fit(data(), ArtistConfig(exponent=exponent)))
    listeners = PLAYED.sum(axis=0)
    expected = np.zeros((6, 6))
    for name in "abc":
        songs = [song for song, names in enumerate(ARTISTS) if names == name]
        total = sum(listeners[song] for song in songs) + 1
        for i in songs:
            for j in songs:
                if i != j:
                    expected[i, j] += ((listeners[j] + 0.5) / total) ** exponent
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_a_song_that_nobody_has_played_is_reached_through_its_artist() -> None:
    found = dense(artist.fit(data(), ArtistConfig()))
    assert PLAYED[:, 3].sum() == 0
    assert found[0, 3] > 0


def test_of_an_artist_of_many_songs_the_best_known_are_kept() -> None:
    found = dense(artist.fit(data(), ArtistConfig(neighbours=1)))
    assert found[3].nonzero()[0].tolist() == [0]  # of a, three listeners
    assert not found[0].any()  # it is itself the one that is kept


def test_without_a_catalogue_there_is_no_artist_to_go_by() -> None:
    with pytest.raises(ValueError, match="catalogue"):
        artist.fit(training_data(PLAYED), ArtistConfig())
