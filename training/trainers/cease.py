"""EASE that has read the catalogue: artists, albums and genres listen, too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from scipy.sparse import csr_array, vstack

from inference.features.columns import CategoriesColumn, CategoryColumn
from inference.features.similarity import name_rows
from inference.features.store import FeatureStore
from inference.scorers import ItemToItemScorer
from training.model_config import CeaseConfig
from training.trainers import ease
from training.trainers.base import TrainingData

ALBUM, ARTISTS, GENRES = "album", "artists", "genres"


def fit(data: TrainingData, config: CeaseConfig) -> ItemToItemScorer:
    """EASE on ``[X; w F]``: each artist, album and genre is one more listener, who has played all its songs, each with weight w.

    Jeunen, Van Balen, Goethals, "Closed-form models for collaborative filtering with side-information", RecSys 2020 (CEASE), here in the
    local, degree-normalised form of ``training.trainers.ease``. One regression weighs what people play against what songs are. A song
    that nobody has played is learned from its artist, album and genre, and comes closer to its listeners with each event: the more
    events it has, the less the few rows of the catalogue weigh. Raises ``ValueError`` without the features of a catalogue.
    """
    if data.features is None:
        raise ValueError("cease needs the features of a catalogue")
    weights = {ARTISTS: config.artist_weight, ALBUM: config.album_weight, GENRES: config.genre_weight}
    return ease.fit(replace(data, user_items=with_catalogue(data.user_items, data.features[1], weights)), config)


def with_catalogue(user_items: csr_array, store: FeatureStore, weights: Mapping[str, float]) -> csr_array:
    """Returns ``[X; w F]``, float32: below the listeners a row for each artist, album and genre of two songs or more."""
    rows = {ARTISTS: members(store, ARTISTS), ALBUM: albums(store), GENRES: members(store, GENRES)}
    heard = [(weight * rows[name]).astype(np.float32) for name, weight in weights.items() if weight > 0 and rows[name].shape[0]]
    return csr_array(vstack([user_items, *heard], format="csr"))


def members(store: FeatureStore, name: str) -> csr_array:
    """Returns 0/1 float32 (names × songs): which songs have each name of a column; names of one song alone say nothing and are left out."""
    column = store.get(name)
    if not isinstance(column, CategoriesColumn | CategoryColumn):
        return csr_array((0, store.n_songs), dtype=np.float32)
    indptr, codes = name_rows(column)
    return _shared(np.repeat(np.arange(store.n_songs), np.diff(indptr)), codes.astype(np.int64), store.n_songs)


def albums(store: FeatureStore) -> csr_array:
    """Returns the same of albums, told apart by the first artist, since many albums are called "Greatest Hits"."""
    album, artists = store.get(ALBUM), store.get(ARTISTS)
    if not isinstance(album, CategoryColumn) or not isinstance(artists, CategoriesColumn):
        return csr_array((0, store.n_songs), dtype=np.float32)
    has_artist = np.diff(artists.indptr) > 0
    first = np.full(store.n_songs, -1, dtype=np.int64)
    first[has_artist] = artists.indices[artists.indptr[:-1][has_artist]]
    songs = np.flatnonzero(album.codes >= 0)
    return _shared(songs, album.codes[songs].astype(np.int64) * (len(artists.names) + 1) + first[songs] + 1, store.n_songs)


def _shared(songs: np.ndarray, names: np.ndarray, n_songs: int) -> csr_array:
    distinct, rows, counts = np.unique(names, return_inverse=True, return_counts=True)
    matrix = csr_array((np.ones(len(songs), dtype=np.float32), (rows, songs)), shape=(len(distinct), n_songs))
    return matrix[np.flatnonzero(counts > 1)]
