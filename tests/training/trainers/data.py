"""Small data for the tests of trainers: random matrices, and a checkerboard with a provable answer."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from scipy.sparse import csr_array

from inference.history import History
from inference.scorers import ItemToItemScorer
from inference.sparse import SparseRows
from training.data.config import FeaturesConfig
from training.data.dataset import Catalogue, Labels
from training.features import fit_transform
from training.trainers.base import TrainingData


def training_data(matrix: np.ndarray, catalogue: Catalogue | None = None) -> TrainingData:
    features = None if catalogue is None else fit_transform(catalogue, FeaturesConfig(), np.ones(len(catalogue), dtype=bool), seed=1)
    return TrainingData(csr_array(matrix.astype(np.float32)), catalogue, 1, 2, features)


def checkerboard(users: int = 20, items: int = 12) -> np.ndarray:
    """Even listeners play even songs, odd ones odd songs, each all but one: the missing one of the own colour is what to recommend."""
    matrix = ((np.arange(users)[:, None] + np.arange(items)[None, :]) % 2 == 0).astype(np.float32)
    for user in range(users):
        matrix[user, (user + 2 * (user // 2)) % items] = 0
    return matrix


weights = st.sampled_from([0.0, 0.0, 1.0, 2.0, 3.5])
zeros_and_ones = st.sampled_from([0.0, 0.0, 1.0])


def matrices(values: st.SearchStrategy[float]) -> st.SearchStrategy[np.ndarray]:
    shapes = st.tuples(st.integers(1, 8), st.integers(1, 7))
    return shapes.flatmap(
        lambda shape: st.lists(values, min_size=shape[0] * shape[1], max_size=shape[0] * shape[1]).map(lambda v: np.array(v).reshape(shape))
    )


def dense(scorer: ItemToItemScorer) -> np.ndarray:
    everything = np.arange(scorer.operator.n_columns)
    return scorer.operator.block(everything, everything)


def operator_of(matrix: np.ndarray) -> ItemToItemScorer:
    """The scorer whose operator is this square matrix; zeros are not stored."""
    rows = csr_array(matrix.astype(np.float32))
    return ItemToItemScorer(SparseRows(rows.indptr.astype(np.int64), rows.indices.astype(np.int32), rows.data, rows.shape[1]))


def history(matrix: np.ndarray, user: int) -> History:
    return History.of(np.flatnonzero(matrix[user]), matrix[user][matrix[user] > 0])


def catalogue(artists: list[str], genres: list[str], energy: list[float], years: list[float], albums: list[str] | None = None) -> Catalogue:
    """One artist, one genre, one audio feature, one year and, if wanted, one album for each song; empty or NaN where it has none."""
    n = len(artists)
    titles = tuple(sorted({album for album in albums or () if album}))
    codes = np.array([titles.index(album) if album else -1 for album in albums or ()], dtype=np.int32)
    return Catalogue(
        titles=np.array([f"t{i}" for i in range(n)], dtype=object),
        artist_texts=np.array(artists, dtype=object),
        artists=[(a,) if a else () for a in artists],
        genres=[(g,) if g else () for g in genres],
        years=np.array(years, dtype=np.float32),
        popularity=np.full(n, np.nan, dtype=np.float32),
        audio=np.array(energy, dtype=np.float32)[:, None],
        audio_names=("energy",),
        known=np.ones(n, dtype=bool),
        keys=np.full(n, -1, dtype=np.int8),
        modes=np.full(n, -1, dtype=np.int8),
        explicit=np.full(n, -1, dtype=np.int8),
        labels={} if albums is None else {"album": Labels(codes, titles)},
    )


def artists_only(artists: list[str]) -> Catalogue:
    """A catalogue of which nothing is known but one artist for each song, or none."""
    n, nan = len(artists), float("nan")
    return catalogue(artists, [""] * n, [nan] * n, [nan] * n)
