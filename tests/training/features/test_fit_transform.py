"""Offline and online features are equal; nothing but the train songs is learned from."""

from __future__ import annotations

import dataclasses
import json
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.features.columns import CategoryColumn, VectorColumn
from inference.features.store import FeatureStore
from inference.features.transform import FeatureTransform
from tests.training.features.catalogues import catalogue, described
from training.data.config import FeaturesConfig
from training.data.dataset import Catalogue
from training.features import fit_transform
from training.features.fit import column_name

SONGS = described(150)
CONFIG = FeaturesConfig(lyrics_dimensions=6, genre_clusters=3)
TRAIN = np.arange(150) % 5 > 0


def fitted(
    songs: Catalogue | None = None, config: FeaturesConfig = CONFIG, train: np.ndarray = TRAIN
) -> tuple[FeatureTransform, FeatureStore]:
    return fit_transform(catalogue(SONGS) if songs is None else songs, config, train, seed=3)


TRANSFORM, STORE = fitted()


def test_each_song_described_to_the_online_transform_has_the_stored_features() -> None:
    for number, song in enumerate(SONGS):
        assert TRANSFORM.features(song) == STORE.row(number)


def test_also_after_the_transform_was_saved_and_loaded() -> None:
    again = FeatureTransform.load(json.loads(json.dumps(TRANSFORM.settings())), TRANSFORM.arrays().__getitem__)
    for number in range(0, 150, 10):
        assert again.features(SONGS[number]) == STORE.row(number)


def test_all_features_are_there_in_a_fixed_order_the_users_own_last() -> None:
    assert list(STORE) == list(TRANSFORM.columns)
    assert list(STORE)[-6:] == ["audio", "lyrics", "plays_all", "label", "notes", "emb"]
    assert {"mood", "decade", "popularity_bucket", "genre_cluster", "language", "good_for_running", "explicit"} <= set(STORE)
    assert "good_for_driving" not in STORE  # no song says anything of it


def changed(songs: Catalogue, rows: np.ndarray) -> Catalogue:
    """Other values in these songs of everything that is fitted."""
    audio, plays = songs.audio.copy(), songs.numbers["Plays (all)"].copy()
    audio[rows], plays[rows] = 0.123, 1e6
    terms = {name: matrix.copy() for name, matrix in songs.terms.items()}
    for matrix in terms.values():
        for row in np.flatnonzero(rows):
            matrix.data[matrix.indptr[row] : matrix.indptr[row + 1]] = 99
    genres = [("polka", "metal") if hit else own for own, hit in zip(songs.genres, rows, strict=True)]
    return dataclasses.replace(songs, audio=audio, terms=terms, genres=genres, numbers={"Plays (all)": plays})


def test_songs_that_are_not_for_training_change_no_number_of_the_transform() -> None:
    other, _ = fitted(changed(catalogue(SONGS), ~TRAIN))
    assert other.settings() == TRANSFORM.settings()
    ours = TRANSFORM.arrays()
    assert {name: array.tobytes() for name, array in other.arrays().items()} == {name: array.tobytes() for name, array in ours.items()}
    learned, _ = fitted(changed(catalogue(SONGS), TRAIN))
    assert learned.settings() != TRANSFORM.settings()


def test_fitting_twice_gives_the_same_bytes() -> None:
    again, store = fitted()
    assert {name: array.tobytes() for name, array in again.arrays().items()} == {n: a.tobytes() for n, a in TRANSFORM.arrays().items()}
    assert {name: array.tobytes() for name, array in store.arrays().items()} == {n: a.tobytes() for n, a in STORE.arrays().items()}


def test_songs_with_words_in_common_have_near_lyrics() -> None:
    lyrics = STORE["lyrics"]
    assert isinstance(lyrics, VectorColumn)
    lengths = np.linalg.norm(lyrics.values, axis=1)
    assert (np.isclose(lengths, 1, atol=1e-6) | (lengths == 0)).all()
    years = np.array([song.get("year", 0) // 20 for song in SONGS])
    has = (years > 0) & (lengths > 0)
    similar = lyrics.values[has] @ lyrics.values[has].T
    same = years[has][:, None] == years[has][None, :]
    np.fill_diagonal(same, False)
    assert similar[same].mean() > similar[~same].mean() + 0.3


def test_lyrics_that_are_not_wanted_are_not_there() -> None:
    transform, store = fitted(config=dataclasses.replace(CONFIG, lyrics=False))
    assert "lyrics" not in store
    assert transform.features(SONGS[0]) == store.row(0)


@pytest.mark.parametrize("n", [0, 1, 2])
def test_the_smallest_catalogues_have_features(n: int) -> None:
    songs = described(n, seed=2)
    transform, store = fitted(catalogue(songs), train=np.ones(n, dtype=bool))
    assert store.n_songs == n
    assert [transform.features(song) for song in songs] == [store.row(number) for number in range(n)]


def test_no_train_song_at_all_is_no_error() -> None:
    transform, store = fitted(train=np.zeros(150, dtype=bool))
    assert "lyrics" not in store
    assert transform.features(SONGS[1]) == store.row(1)


def test_a_catalogue_of_which_nothing_is_known_has_only_the_columns_that_the_user_named() -> None:
    _, store = fitted(catalogue([{} for _ in range(4)]), train=np.ones(4, dtype=bool))
    assert store.row(0) == {"plays_all": None, "label": None, "emb": None}


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(3, 30))
def test_offline_and_online_are_equal_whatever_the_songs(seed: int, n: int) -> None:
    songs = described(n, seed)
    train = np.random.default_rng(seed).random(n) < 0.7
    transform, store = fitted(catalogue(songs), train=train)
    assert [transform.features(song) for song in songs] == [store.row(number) for number in range(n)]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("Plays (all)", "plays_all"), ("energy", "energy_2"), ("9 Lives", "column_9_lives"), ("歌", "column"), ("x" * 99, "x" * 60)],
)
def test_any_column_gets_a_name_that_files_can_have(name: str, expected: str) -> None:
    assert column_name(name, {"energy"}) == expected
    assert column_name(name, {"energy", expected}) != expected


def test_categories_of_all_songs_are_stored_though_only_train_songs_are_learned_from() -> None:
    albums = STORE["album"]
    assert isinstance(albums, CategoryColumn)
    assert {albums.names[code] for code in range(len(albums.names))} == {song["album"] for song in SONGS if "album" in song}


def test_a_hundred_thousand_songs_take_less_than_a_second() -> None:
    """On two busy cores a fifth of a second; the bound leaves room for slower machines."""
    n = 100_000
    rng = np.random.default_rng(0)
    base = catalogue([{}] * 1)
    empty = np.full(n, -1, dtype=np.int8)
    songs = dataclasses.replace(
        base,
        titles=np.full(n, "", dtype=object),
        artist_texts=np.full(n, "", dtype=object),
        artists=[(f"artist {a}",) for a in rng.integers(0, 30_000, n).tolist()],
        genres=[(f"genre {g % 114}", f"genre {g // 114}") for g in rng.integers(0, 114 * 114, n).tolist()],
        years=rng.integers(1950, 2024, n).astype(np.float32),
        popularity=rng.uniform(0, 100, n).astype(np.float32),
        audio=rng.uniform(1, 100, (n, 10)).astype(np.float32),
        known=np.ones(n, dtype=bool),
        **{"keys": empty, "modes": empty, "explicit": empty, "labels": {}, "flags": {}, "numbers": {}, "vectors": {}, "terms": {}},
    )
    started = time.perf_counter()
    fitted(songs, train=np.ones(n, dtype=bool))
    assert time.perf_counter() - started < 1.0
