"""Factors of songs that few have played, against the formula."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from inference.features.columns import VectorColumn
from inference.features.transform import AUDIO_VECTOR
from tests.training.trainers.data import artists_only, catalogue, training_data
from training.data.dataset import Catalogue
from training.trainers import cold
from training.trainers.base import Features
from training.trainers.cold import with_content

NAN = float("nan")
N, FACTORS = 30, 4
RNG = np.random.default_rng(11)
Y = RNG.normal(size=(N, FACTORS)).astype(np.float32)
EVENTS = RNG.choice([0, 1, 5, 20, 300], N).astype(np.int32)
EVENTS[:3] = 0
GENRES = [("rock", "jazz", "folk", "")[i % 4] for i in range(N)]
UNNAMED = [""] * N
MUCH = 1e12  # so strong that the content alone decides


def features_of(songs: Catalogue) -> Features:
    found = training_data(np.zeros((1, len(songs))), songs).features
    assert found is not None
    return found


def artist_mean(artists: list[tuple[str, ...]]) -> np.ndarray:
    """Of each song the mean over its artists' other songs, by a loop; each artist of a song has an equal share in it."""
    trust, out = np.minimum(EVENTS, 20), np.zeros((N, FACTORS))
    for i in range(N):
        total, count = np.zeros(FACTORS), 0.0
        for artist in artists[i]:
            for j in range(N):
                if j != i and artist in artists[j]:
                    weight = trust[j] / len(artists[i]) / len(artists[j])
                    total, count = total + weight * Y[j], count + weight
        out[i] = total / (count + 2.0)
    return out


def ridge(described: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Returns what the descriptions say of each song, by least squares over the played songs, with one more row for each penalty."""
    root, n = np.sqrt(np.minimum(EVENTS, 20))[:, None], described.shape[1]
    system = np.vstack([root * described, np.sqrt(3.0) * np.eye(n)])
    weights = np.linalg.lstsq(system, np.vstack([root * targets, np.zeros((n, FACTORS))]), rcond=None)[0]
    return described @ weights


def one_hot(genres: list[str]) -> np.ndarray:
    columns = [[genre == name for genre in genres] for name in sorted(set(genres) - {""})]
    return np.array([*columns, [True] * N], dtype=float).T


ARTISTS = [f"artist {i % 5}" if i % 7 else "" for i in range(N)]
MIXED = catalogue(ARTISTS, GENRES, list(RNG.random(N)), [NAN] * N)


def test_a_song_without_events_lies_exactly_where_its_content_puts_it() -> None:
    features = features_of(MIXED)
    content = with_content(Y, EVENTS, features, MUCH)
    for strength in (0.1, 1.0, 50.0):
        found = with_content(Y, EVENTS, features, strength)
        np.testing.assert_allclose(found[EVENTS == 0], content[EVENTS == 0], rtol=1e-5)
    elsewhere = np.where(EVENTS[:, None] == 0, 99.0, Y).astype(np.float32)
    np.testing.assert_allclose(with_content(elsewhere, EVENTS, features, 1.0)[EVENTS == 0], content[EVENTS == 0], rtol=1e-4)


@pytest.mark.parametrize("strength", [0.5, 1.0, 10.0])
def test_confidence_in_its_own_factors_grows_with_each_event(strength: float) -> None:
    features = features_of(MIXED)
    content = with_content(Y, EVENTS, features, MUCH).astype(float)
    share = (EVENTS / (EVENTS + strength))[:, None]
    found = with_content(Y, EVENTS, features, strength)
    np.testing.assert_allclose(found, share * Y + (1 - share) * content, atol=1e-5)
    assert found.dtype == np.float32


def test_a_song_of_many_events_keeps_its_own_factors() -> None:
    played = np.full(N, 1_000_000)
    np.testing.assert_allclose(with_content(Y, played, features_of(MIXED), 1.0), Y, atol=1e-4)


def test_without_strength_every_played_song_keeps_its_own_factors() -> None:
    np.testing.assert_allclose(with_content(Y, EVENTS, features_of(MIXED), 0.0)[EVENTS > 0], Y[EVENTS > 0], rtol=1e-6)


@pytest.mark.parametrize("several", [False, True])
def test_the_artists_other_songs_and_a_ridge_on_genres_say_where_a_song_lies(several: bool) -> None:
    artists: list[tuple[str, ...]] = [(name,) if name else () for name in ARTISTS]
    if several:
        artists = [(*names, f"artist {(3 * i + 1) % 5}") if i % 3 == 0 else names for i, names in enumerate(artists)]
        artists = [tuple(dict.fromkeys(names)) for names in artists]
    songs = replace(catalogue(ARTISTS, GENRES, [NAN] * N, [NAN] * N), artists=artists)
    prior = artist_mean(artists)
    expected = prior + ridge(one_hot(GENRES), Y - prior)
    np.testing.assert_allclose(with_content(Y, EVENTS, features_of(songs), MUCH), expected, atol=1e-5)


def test_without_artists_a_ridge_on_genres_and_audio_says_where_a_song_lies() -> None:
    features = features_of(catalogue(UNNAMED, GENRES, list(RNG.random(N)), [NAN] * N))
    audio = features[1][AUDIO_VECTOR]
    assert isinstance(audio, VectorColumn)
    lengths = np.maximum(np.linalg.norm(audio.values, axis=1, keepdims=True), 1e-12)
    described = np.hstack([one_hot(GENRES), 0.3 * audio.values / lengths])
    np.testing.assert_allclose(with_content(Y, EVENTS, features, MUCH), ridge(described, Y.astype(float)), atol=1e-5)


def test_a_new_song_lies_near_the_songs_of_its_artist() -> None:
    y = np.array([[1, 0], [0.9, 0.1], [0, 1], [0.1, 0.9], [0, 0]], dtype=np.float32)
    events = np.array([50, 50, 50, 50, 0])
    new = with_content(y, events, features_of(artists_only(["ann", "ann", "bob", "bob", "bob"])), 1.0)[4]
    assert new[1] > 0.8 > 0.2 > new[0]


def test_where_nobody_has_played_anything_all_factors_are_zero() -> None:
    zeros = np.zeros((N, FACTORS), dtype=np.float32)
    assert not with_content(zeros, np.zeros(N, dtype=np.int32), features_of(MIXED), 1.0).any()


def test_of_too_many_genres_the_most_common_ones_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    genres = ["rock"] * 14 + ["jazz"] * 12 + ["odd", "rare", "odd", "rare"]
    monkeypatch.setattr(cold, "_MOST_GENRES", 2)
    features = features_of(catalogue(UNNAMED, genres, [NAN] * N, [NAN] * N))
    common = ["" if genre in ("odd", "rare") else genre for genre in genres]
    np.testing.assert_allclose(with_content(Y, EVENTS, features, MUCH), ridge(one_hot(common), Y.astype(float)), atol=1e-5)
