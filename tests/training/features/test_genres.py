"""Clusters of genres."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.features.attributes import Attributes
from inference.features.columns import CategoriesColumn
from inference.features.genres import GenreTransform
from training.features.genres import fit_genres

Names = list[tuple[str, ...]]


def fit(genres: Names, n_clusters: int, artists: Names | None = None, train: np.ndarray | None = None) -> GenreTransform:
    n = len(genres)
    none = np.full(n, -1, dtype=np.int8)
    attributes = Attributes(n, CategoriesColumn.of_lists(artists or [()] * n), CategoriesColumn.of_lists(genres), none, none)
    return fit_genres(attributes, np.ones(n, dtype=bool) if train is None else train, n_clusters)


def groups(transform: GenreTransform) -> set[frozenset[str]]:
    found: dict[int, set[str]] = {}
    for place in range(len(transform.names)):
        found.setdefault(int(transform.clusters[place]), set()).add(transform.names[place])
    return {frozenset(group) for group in found.values()}


def test_genres_of_the_same_songs_are_one_cluster_called_as_the_most_frequent() -> None:
    genres = [("ska", "mento")] * 5 + [("ska",)] * 3 + [("gabber", "happy")] * 4 + [("happy",)] * 9
    transform = fit(genres, 2)
    assert groups(transform) == {frozenset({"ska", "mento"}), frozenset({"gabber", "happy"})}
    assert transform.cluster_names == ("happy", "ska")  # the cluster with the most songs first


def test_genres_of_the_same_artists_are_one_cluster_though_no_song_has_both() -> None:
    genres = [("ska",), ("mento",), ("gabber",), ("happy",)] * 6
    artists = [("ann",), ("ann",), ("bob",), ("bob",)] * 6
    assert groups(fit(genres, 2, artists)) == {frozenset({"ska", "mento"}), frozenset({"gabber", "happy"})}


def test_genres_with_words_in_common_are_one_cluster_where_nothing_else_is_known() -> None:
    genres = [("death metal",), ("black metal",), ("tech house",), ("deep house",)] * 3
    assert groups(fit(genres, 2)) == {frozenset({"death metal", "black metal"}), frozenset({"tech house", "deep house"})}


def test_a_genre_that_training_has_not_seen_goes_to_the_cluster_of_the_nearest_name() -> None:
    genres = [("death metal",), ("black metal",), ("tech house",), ("deep house",)] * 3
    transform = fit(genres, 2)
    names = [transform.cluster_names[transform.cluster(name)] for name in ("doom metal", "progressive house", "housey")]
    assert names == ["black metal", "deep house", "deep house"]
    assert transform.cluster("zydeco") == transform.cluster("") == -1


def test_a_song_is_in_the_cluster_of_most_of_its_genres() -> None:
    transform = fit([("death metal",), ("black metal",), ("tech house",), ("deep house",)] * 3 + [("death metal",)] * 2, 2)
    songs = [("deep house", "tech house", "death metal"), ("deep house", "death metal"), (), ("zydeco",), ("old house",)]
    column = transform.apply(CategoriesColumn.of_lists(songs))
    assert [column.value(song) for song in range(5)] == ["deep house", "death metal", None, None, "deep house"]


def test_only_train_songs_are_learned_from() -> None:
    transform = fit([("a",), ("b",)], 2, train=np.array([True, False]))
    assert groups(transform) == {frozenset({"a"})}


@pytest.mark.parametrize("genres", [[], [()], [(), ()]])
def test_without_genres_there_are_no_clusters(genres: Names) -> None:
    transform = fit(genres, 5)
    assert transform.cluster_names == ()
    assert transform.cluster("rock") == -1
    assert len(transform.apply(CategoriesColumn.of_lists(genres))) == len(genres)


@given(st.lists(st.lists(st.sampled_from("abcdefghij"), max_size=3).map(tuple), max_size=30), st.integers(2, 6))
def test_every_genre_is_in_one_of_at_most_so_many_clusters(genres: Names, n_clusters: int) -> None:
    transform = fit(genres, n_clusters)
    assert len(transform.cluster_names) <= n_clusters
    assert sorted(transform.names[place] for place in range(len(transform.names))) == sorted({g for row in genres for g in row})
    column = transform.apply(CategoriesColumn.of_lists(genres))
    assert [column.value(song) is None for song in range(len(genres))] == [not row for row in genres]
    for number, name in enumerate(transform.cluster_names):
        assert transform.cluster(name) == number


def test_thousands_of_genres_take_seconds_and_give_the_same_clusters_again() -> None:
    rng = np.random.default_rng(0)
    family = rng.integers(0, 40, 20_000)
    genres = [tuple(f"g{f * 75 + k}" for k in rng.integers(0, 75, 3).tolist()) for f in family.tolist()]
    started = time.perf_counter()
    transform = fit(genres, 40)
    assert time.perf_counter() - started < 20
    assert len(transform.names) > 2900
    number = np.array([int(transform.names[place][1:]) for place in range(len(transform.names))])
    kin = number // 75
    best = [np.bincount(transform.clusters[kin == one]).max() / (kin == one).sum() for one in range(40)]
    assert np.mean(best) > 0.9
    assert np.array_equal(fit(genres, 40).clusters, transform.clusters)
