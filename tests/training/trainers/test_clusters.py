"""Clusters of bounded size."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from training.trainers import clusters as module
from training.trainers.clusters import Clusters, Points, clusters_of


def points(dense: np.ndarray, names: np.ndarray | None = None) -> Points:
    given_names = np.zeros((len(dense), 0)) if names is None else names
    return Points(dense.astype(np.float32), csr_array(given_names.astype(np.float32)))


def members(clusters: Clusters) -> list[np.ndarray]:
    return np.split(clusters.order, clusters.starts[1:-1])


@given(n=st.integers(1, 300), distinct=st.integers(1, 20), candidates=st.integers(1, 100), seed=st.integers(0, 5))
@settings(max_examples=25, deadline=None)
def test_every_song_is_in_one_cluster_of_bounded_size_however_alike_songs_are(n: int, distinct: int, candidates: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_LARGEST", 10)
        patch.setattr(module, "_USUAL", 5)
        patch.setattr(module, "_BRANCHES", 4)
        found = clusters_of(points(rng.integers(0, distinct, (n, 2)), rng.integers(0, 2, (n, 3))), seed, candidates)
    assert sorted(found.order.tolist()) == list(range(n))
    sizes = np.diff(found.starts)
    assert 0 < sizes.min() <= sizes.max() <= 10
    for number, near in enumerate(found.near):
        assert near[0] == number
        assert len(set(near.tolist())) == len(near)
        assert sizes[near].sum() >= min(n, candidates)
        assert sizes[near[:-1]].sum() < candidates  # no more than it takes


def test_songs_far_apart_are_not_in_one_cluster_and_near_ones_are_candidates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LARGEST", 60)
    monkeypatch.setattr(module, "_USUAL", 30)
    rng = np.random.default_rng(0)
    group = rng.integers(0, 4, 1000)
    found = clusters_of(points(10.0 * np.eye(4)[group] + rng.normal(0, 0.1, (1000, 4))), 1, 100)
    for number, near in enumerate(found.near):
        assert len({int(g) for g in group[members(found)[number]]}) == 1
        assert {int(group[members(found)[c][0]]) for c in near} == {int(group[members(found)[number][0]])}


def test_names_place_songs_as_numbers_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LARGEST", 60)
    monkeypatch.setattr(module, "_USUAL", 30)
    rng = np.random.default_rng(0)
    name = rng.integers(0, 5, 1000)
    found = clusters_of(points(rng.normal(0, 0.01, (1000, 2)), np.eye(5)[name]), 1, 100)
    assert all(len(set(name[songs].tolist())) == 1 for songs in members(found))


def test_the_mean_of_a_label_is_that_of_its_songs_and_zero_where_it_has_none() -> None:
    some = points(np.array([[1.0], [3.0], [8.0]]), np.array([[0, 1], [1, 1], [0, 0]]))
    np.testing.assert_array_equal(some.means(np.arange(3), np.array([0, 0, 2]), 3), [[2, 0.5, 1], [0, 0, 0], [8, 0, 0]])
