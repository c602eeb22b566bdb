"""Content: songs that are alike."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_array

from inference.features.similarity import year_rows
from tests.training.trainers.data import catalogue, dense, training_data
from training.content_features import ContentFeatures, content_features, similarity_of
from training.data.dataset import Catalogue
from training.model_config import ContentConfig
from training.trainers import comparison, content
from training.trainers.comparison import Comparison, split_names

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
    monkeypatch.setattr(content, "_CANDIDATES", 20)
    n = 1000
    found = dense(fit(catalogue([""] * n, ["rock"] * n, [NAN] * n, [NAN] * n), neighbours=5)) > 0
    assert (found.sum(axis=0) >= 5).all()


def test_a_large_catalogue_of_which_nothing_is_known_has_no_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "_EXACT_ITEMS", 10)
    n = 40
    assert not dense(fit(catalogue([""] * n, [""] * n, [NAN] * n, [NAN] * n))).any()


def random_songs(n: int, seed: int = 0) -> Catalogue:
    """Some have no artist, genre, sound or year; three artists have half of the songs."""
    rng = np.random.default_rng(seed)
    artist = np.where(rng.random(n) < 0.5, rng.integers(0, 3, n), rng.integers(3, n // 4, n))
    have = rng.random((4, n)) < 0.85
    return catalogue(
        artists=[f"artist {a}" if has else "" for a, has in zip(artist.tolist(), have[0], strict=True)],
        genres=[f"genre {g}" if has else "" for g, has in zip(rng.integers(0, 8, n).tolist(), have[1], strict=True)],
        energy=np.where(have[2], rng.random(n), NAN).tolist(),
        years=np.where(have[3], rng.integers(1960, 2020, n), NAN).tolist(),
    )


def test_each_song_keeps_its_nearest_of_all_and_those_that_keep_it() -> None:
    """Against all pairs at once. Similarities are compared, since of two equally near songs either may stay."""
    n, k = 700, 7
    songs = random_songs(n)
    everything = np.arange(n)
    expected = np.maximum(features_of(songs).similarity(everything, everything), 0)
    np.fill_diagonal(expected, 0)
    weights = dense(fit(songs, neighbours=k))
    np.testing.assert_allclose(weights[weights > 0], expected[weights > 0], atol=1e-5)
    np.testing.assert_array_equal(weights, weights.T)
    np.testing.assert_allclose(-np.sort(-weights, axis=1)[:, :k], -np.sort(-expected, axis=1)[:, :k], atol=1e-5)


def test_similarities_are_exact_on_large_catalogues_whatever_way_a_song_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "_EXACT_ITEMS", 10)
    monkeypatch.setattr(content, "_CANDIDATES", 300)
    monkeypatch.setattr(comparison, "_LONGEST", 40)  # so that some artists are common names
    n = 1500
    songs = random_songs(n)
    weights = dense(fit(songs))
    everything = np.arange(n)
    expected = features_of(songs).similarity(everything, everything)
    np.testing.assert_allclose(weights[weights > 0], expected[weights > 0], atol=1e-5)
    np.testing.assert_array_equal(weights, weights.T)


def test_songs_without_a_genre_are_found_among_those_that_sound_alike_whatever_their_genre(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    n = 3000
    genres = [f"genre {g}" for g in rng.integers(0, 10, n).tolist()]
    genres[:50] = [""] * 50
    years = [1960.0 + 60 * share for share in rng.random(n).tolist()]
    songs = catalogue([""] * n, genres, rng.random(n).tolist(), years)
    exact = np.sort(dense(fit(songs, neighbours=20))[:50], axis=1)[:, -20:]
    monkeypatch.setattr(content, "_EXACT_ITEMS", 10)
    monkeypatch.setattr(content, "_CANDIDATES", 600)
    found = np.sort(dense(fit(songs, neighbours=20))[:50], axis=1)[:, -20:]
    assert found.sum() > 0.999 * exact.sum()


def test_a_large_catalogue_gives_the_same_bits_with_any_number_of_threads_and_other_clusters_with_another_seed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(content, "_EXACT_ITEMS", 10)
    monkeypatch.setattr(content, "_CANDIDATES", 400)
    data = training_data(np.zeros((1, 1500)), random_songs(1500))
    one, three, other = (
        content.fit(replace(data, threads=threads, seed=seed), ContentConfig()).arrays() for threads, seed in ((1, 1), (3, 1), (1, 2))
    )
    for name, array in one.items():
        np.testing.assert_array_equal(array, three[name])
    assert any(len(array) != len(other[name]) or (array != other[name]).any() for name, array in one.items())


def test_an_artist_of_very_many_songs_is_compared_with_no_more_candidates_than_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """All pairs of its songs would be nine million; each still finds its nearest, which are the artist's, of the same sound."""
    monkeypatch.setattr(content, "_EXACT_ITEMS", 10)
    monkeypatch.setattr(content, "_CANDIDATES", 500)
    n = 3000
    energy = np.linspace(0, 1, n)
    songs = catalogue(["johann"] * n, ["baroque"] * n, energy.tolist(), [NAN] * n)
    compared: list[int] = []
    without_rare, partners = Comparison.without_rare, Comparison.partners

    def counted(self, asked, candidates):  # type: ignore[no-untyped-def]
        compared.append(sum(span.stop - span.start for span in candidates))
        return without_rare(self, asked, candidates)

    def counted_partners(self, asked):  # type: ignore[no-untyped-def]
        found = partners(self, asked)
        compared.append(found.nnz // len(asked))
        return found

    monkeypatch.setattr(Comparison, "without_rare", counted)
    monkeypatch.setattr(Comparison, "partners", counted_partners)
    assert fit(songs, neighbours=10).operator.indptr[-1] >= 10 * n
    assert max(compared) < 500 + 2 * 400


def test_names_are_rare_as_long_as_their_pairs_are_few() -> None:
    """10 artists of 100 songs make 100 pairs a song, one of 500 songs 500; with it there would be more than 200."""
    small, large = np.repeat(np.arange(10), 100), np.full(500, 10)
    names = np.concatenate([small, large])
    common, rare = split_names(csr_array((np.ones(1500, np.float32), (np.arange(1500), names)), shape=(1500, 11)))
    assert rare.tolist() == list(range(10))
    assert common.tolist() == [10]


def test_a_song_keeps_fewer_neighbours_where_the_memory_limit_asks_for_it() -> None:
    n = 200
    data = replace(training_data(np.zeros((1, n)), catalogue([""] * n, ["rock"] * n, list(np.linspace(0, 1, n)), [NAN] * n)))
    for k in (3, 6):
        scorer = content.fit(replace(data, memory_limit_gb=32 * n * k / 1e9), ContentConfig(neighbours=50))
        lengths = np.diff(scorer.operator.indptr)
        assert lengths.min() >= k
        assert lengths.mean() <= 2 * k


def test_without_a_catalogue_there_is_no_content_model() -> None:
    with pytest.raises(ValueError, match="catalogue"):
        content.fit(training_data(np.zeros((1, 3))), ContentConfig())
