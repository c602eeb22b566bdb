"""What a song is, as numbers: artist, genre, audio features, release year, lyrics, and what else the user named."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, hstack
from sklearn.decomposition import TruncatedSVD

from inference.features.columns import CategoriesColumn, CategoryColumn, NumberColumn
from inference.features.similarity import YEAR, Part, Similarity, decades_of, name_rows, name_weights
from inference.features.store import FeatureStore
from inference.features.transform import AUDIO_VECTOR, LYRICS, FeatureTransform
from training.model_config import ContentConfig

_GENRE_DIMENSIONS = 32


@dataclass(frozen=True)
class ContentFeatures:
    """Row i describes song i; the similarity of two songs is ``sparse_i·sparse_j + dense_i·dense_j``, between −1 and 1.

    ``sparse``: csr float32, names: artists, genres, and categories that the user named. ``dense``: float32, numbers and vectors. A part
    that a song lacks is 0.
    """

    sparse: csr_array
    dense: np.ndarray

    def __len__(self) -> int:
        return len(self.dense)

    def similarity(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Returns float32 (rows, columns)."""
        by_words = (self.sparse[rows] @ self.sparse[columns].T).toarray()
        by_words += self.dense[rows] @ self.dense[columns].T
        return by_words

    @property
    def empty(self) -> np.ndarray:
        """Returns bool (songs,): the songs of which nothing is known."""
        return (np.diff(self.sparse.indptr) == 0) & ~self.dense.any(axis=1)


def similarity_of(transform: FeatureTransform, store: FeatureStore, config: ContentConfig) -> Similarity:
    """Returns the similarity of songs that the settings ask for. The weights are scaled to sum to 1 over what the catalogue may have:
    artists, genres, audio and year in any case, lyrics and the user's own columns where they are there."""
    base = {"artists": config.artist_weight, "genres": config.genre_weight, AUDIO_VECTOR: config.audio_weight, YEAR: config.year_weight}
    further = {LYRICS: config.lyrics_weight} if LYRICS in store else {}
    further |= {name: config.extra_weight / len(transform.own) for name in transform.own}
    total = sum(base.values()) + sum(further.values())
    weights = {name: weight / total for name, weight in (base | further).items() if weight > 0 and name in store}
    return Similarity({name: _part(name, weight, transform, store) for name, weight in weights.items()})


def _part(name: str, weight: float, transform: FeatureTransform, store: FeatureStore) -> Part:
    if name == YEAR:
        years = store[YEAR]
        assert isinstance(years, NumberColumn)
        first, last = decades_of(years.values)
        return Part(weight, first=first, last=last)
    own = transform.own.get(name)
    return Part(weight) if own is None else Part(weight, own.mean, own.deviation)


def content_features(similarity: Similarity, store: FeatureStore) -> ContentFeatures:
    """Returns the features whose products are the similarity: each part has the length of the root of its weight."""
    named = {name: part for name, part in similarity.parts.items() if isinstance(store[name], CategoriesColumn | CategoryColumn)}
    parts = [csr_array((store.n_songs, 0), dtype=np.float32)]
    parts += [np.sqrt(part.weight) * names(store, name) for name, part in named.items()]
    return ContentFeatures(csr_array(hstack(parts, format="csr")).astype(np.float32), similarity.dense(store))


def names(store: FeatureStore, name: str) -> csr_array:
    """Returns csr float64 (songs × names) of a column of names, rows of length 1; no column where the store has none of that name."""
    column = store.get(name)
    if not isinstance(column, CategoriesColumn | CategoryColumn):
        return csr_array((store.n_songs, 0))
    indptr, codes = name_rows(column)
    n_names = len(column.names)
    weights = name_weights(name, codes, n_names, store.n_songs)[codes]
    songs = np.repeat(np.arange(store.n_songs), np.diff(indptr))
    lengths = np.sqrt(np.bincount(songs, weights=weights**2, minlength=store.n_songs))
    # A copy: scipy sorts the rows of a matrix where they lie, and these may be the mapped files of a model, whose order means something.
    return csr_array((weights / lengths[songs], codes.copy(), indptr.copy()), shape=(store.n_songs, n_names))


def embedding(features: ContentFeatures, store: FeatureStore, seed: int) -> np.ndarray:
    """Returns float32 (songs, dimensions): the dense features beside the genres in few dimensions. Nearby songs sound alike."""
    genres = names(store, "genres")
    if genres.shape[1] > _GENRE_DIMENSIONS:
        few = TruncatedSVD(_GENRE_DIMENSIONS, random_state=seed).fit_transform(genres)
    else:
        few = genres.toarray()
    return np.hstack([features.dense, few]).astype(np.float32)
