"""Content: songs that are alike."""

from __future__ import annotations

import numpy as np
import pytest

from inference.features.similarity import year_rows
from tests.training.trainers.data import catalogue, dense, training_data
from training.content_features import ContentFeatures, content_features, similarity_of
from training.model_config import ContentConfig
from training.trainers import content

NAN = float("nan")
SONGS = catalogue(
    artists=["ann", "ann", "bob", "", "cat"],
    genres=["rock", "rock", "rock", "jazz", ""],
    energy=[0.9, 0.8, 0.2, 0.1, NAN],
    years=[1989, 1991, 2015, NAN, NAN],
)


def fit(songs=SONGS, **options):  # type: ignore[no-untyped-def]
    return content.fit(training_data(np.zeros((1, len(songs.titles))), songs), ContentConfig(**options))


def features_of(songs, **options) -> ContentFeatures:  # type: ignore[no-untyped-def]
    found = training_data(np.zeros((1, len(songs.titles))), songs).features
    assert found is not None
    return content_features(similarity_of(*found, ContentConfig(**options)), found[1])


def test_a_song_by_the_same_artist_is_nearer_than_one_of_the_same_genre_and_that_nearer_than_neither() -> None:
    weights = dense(fit())
    assert weights[1, 0] > weights[2, 0] > max(weights[3, 0], 0)


def test_a_song_of_which_nothing_is_known_but_its_artist_is_near_to_nothing_else() -> None:
    assert not dense(fit())[:, 4].any()
    assert not dense(fit())[4].any()


def test_similarities_are_cosines_by_part_and_at_most_one() -> None:
    features = features_of(SONGS)
    everything = np.arange(5)
    similarity = features.similarity(everything, everything)
    assert np.abs(similarity).max() <= 1 + 1e-6
    assert similarity[0, 0] == pytest.approx(1.0)
    assert similarity[4, 4] == pytest.approx(0.6)  # only the artist is known


def test_every_song_is_near_to_some_and_some_are_near_to_it() -> None:
    """Nearest neighbours alone leave out odd songs, which are in nobody's list."""
    odd, n = 0, 40
    songs = catalogue([""] * n, ["rock"] * n, [0.9] + [0.1 + 0.001 * i for i in range(n - 1)], [1960] + [2000] * (n - 1))
    weights = dense(fit(songs, neighbours=3))
    assert (weights[odd] > 0).sum() >= 3
    assert (weights == weights.T).all()


def test_a_missing_feature_speaks_neither_for_nor_against() -> None:
    features = features_of(SONGS, artist_weight=0, genre_weight=0, audio_weight=1, year_weight=0)
    assert not features.similarity(np.array([4]), np.arange(5)).any()


def test_years_across_a_decade_are_near() -> None:
    rows = year_rows(np.array([1989, 1991, 1981, 2015, np.nan], dtype=np.float32), 198, 202)
    near, same_decade, far, none = rows[1:] @ rows[0]
    assert near > 0.9 > same_decade > far == none == 0


def test_on_large_catalogues_clusters_find_nearly_the_same_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    n = 3000
    genre = rng.integers(0, 12, n)
    songs = catalogue(
        artists=[f"artist {genre[i]}-{rng.integers(0, 12)}" for i in range(n)],
        genres=[f"genre {g}" for g in genre],
        energy=list(np.clip(genre / 12 + rng.normal(0, 0.05, n), 0, 1)),
        years=list(1960.0 + 5 * genre + rng.integers(0, 4, n)),
    )
    exact = dense(fit(songs, neighbours=10)) > 0
    monkeypatch.setattr(content, "_EXACT_ITEMS", 100)
    found = dense(fit(songs, neighbours=10)) > 0
    assert (exact & found).sum() / exact.sum() > 0.9


def test_a_large_catalogue_of_which_only_artists_are_known_is_grouped_by_artist(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "_EXACT_ITEMS", 10)
    n = 60
    songs = catalogue([f"artist {i % 12}" for i in range(n)], [""] * n, [NAN] * n, [NAN] * n)
    same_artist = (np.arange(n)[:, None] - np.arange(n)[None, :]) % 12 == 0
    assert ((dense(fit(songs)) > 0) == (same_artist & ~np.eye(n, dtype=bool))).all()


def test_a_large_catalogue_of_equal_songs_takes_some_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "_EXACT_ITEMS", 10)
    monkeypatch.setattr(content, "_MAX_CANDIDATES", 20)
    n = 100
    found = dense(fit(catalogue([""] * n, ["rock"] * n, [NAN] * n, [NAN] * n), neighbours=5)) > 0
    assert (found.sum(axis=0) >= 5).all()


def test_a_large_catalogue_of_which_nothing_is_known_has_no_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "_EXACT_ITEMS", 10)
    n = 40
    assert not dense(fit(catalogue([""] * n, [""] * n, [NAN] * n, [NAN] * n))).any()


def test_without_a_catalogue_there_is_no_content_model() -> None:
    with pytest.raises(ValueError, match="catalogue"):
        content.fit(training_data(np.zeros((1, 3))), ContentConfig())
