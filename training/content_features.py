"""What a song is, as numbers: artist, genre, audio features, release year."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, diags_array, hstack
from sklearn.decomposition import TruncatedSVD

from training.config import ContentConfig
from training.data.dataset import Catalogue

_CLIP = 3.0  # standard deviations: one odd song must not stretch a feature
_GENRE_DIMENSIONS = 32
_SKEWED = ("duration", "tempo")


@dataclass(frozen=True)
class ContentFeatures:
    """Row i describes song i; the similarity of two songs is ``sparse_i·sparse_j + dense_i·dense_j``, between −1 and 1.

    ``sparse``: csr float32, artists and genres. ``dense``: float32, audio features and release year. A part that a song lacks is 0.
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


def content_features(catalogue: Catalogue, config: ContentConfig) -> ContentFeatures:
    """Each part has length 1 where a song has it, times the root of its weight; the weights are scaled to sum to 1."""
    weights = np.array([config.artist_weight, config.genre_weight, config.audio_weight, config.year_weight])
    artist, genre, audio, year = np.sqrt(weights / weights.sum())
    sparse = hstack([artist * words(catalogue.artists, idf=False), genre * words(catalogue.genres, idf=True)], format="csr")
    dense = np.hstack([audio * unit_rows(standardised(catalogue)), year * year_features(catalogue.years)])
    return ContentFeatures(csr_array(sparse).astype(np.float32), dense.astype(np.float32))


def embedding(features: ContentFeatures, catalogue: Catalogue, seed: int) -> np.ndarray:
    """Returns float32 (songs, dimensions): the dense features beside the genres in few dimensions. Nearby songs sound alike."""
    genres = words(catalogue.genres, idf=True)
    if genres.shape[1] > _GENRE_DIMENSIONS:
        few = TruncatedSVD(_GENRE_DIMENSIONS, random_state=seed).fit_transform(genres)
    else:
        few = genres.toarray()
    return np.hstack([features.dense, few]).astype(np.float32)


def words(lists: Sequence[tuple[str, ...]], *, idf: bool) -> csr_array:
    """Returns csr float32 (songs × distinct words), rows of length 1; with ``idf`` a rare word weighs more than a common one."""
    vocabulary = {word: i for i, word in enumerate(sorted({word for words_ in lists for word in words_}))}
    lengths = [len(set(words_)) for words_ in lists]
    indices = np.fromiter((vocabulary[w] for words_ in lists for w in sorted(set(words_))), dtype=np.int32, count=sum(lengths))
    indptr = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
    values = np.ones(len(indices))
    if idf:
        frequency = np.bincount(indices, minlength=len(vocabulary))
        values = np.log((1.0 + len(lists)) / (1.0 + frequency))[indices] + 1.0
    matrix = csr_array((values, indices, indptr), shape=(len(lists), len(vocabulary)))
    norms = np.sqrt(np.asarray(matrix.power(2).sum(axis=1)).ravel())
    return csr_array(diags_array(1.0 / np.maximum(norms, 1e-12)) @ matrix)


def standardised(catalogue: Catalogue) -> np.ndarray:
    """Returns float64 (songs, audio features): mean 0, deviation 1, clipped; what is missing is 0, the mean."""
    audio = catalogue.audio.astype(np.float64)
    for j, name in enumerate(catalogue.audio_names):
        if name in _SKEWED:
            audio[:, j] = np.log1p(np.maximum(audio[:, j], 0.0))
    known = np.isfinite(audio)
    counts = np.maximum(known.sum(axis=0), 1)
    centred = np.where(known, audio - np.where(known, audio, 0.0).sum(axis=0) / counts, 0.0)
    deviation = np.sqrt((centred**2).sum(axis=0) / counts)
    return np.clip(centred / np.where(deviation > 1e-9, deviation, np.inf), -_CLIP, _CLIP)


def year_features(years: np.ndarray) -> np.ndarray:
    """Returns float64 (songs, decades), rows of length 1: a year lies between two decades, so 1989 and 1990 are close."""
    known = np.isfinite(years)
    if not known.any():
        return np.zeros((len(years), 0))
    decades = np.where(known, years, 0.0) / 10.0
    first, last = int(np.floor(decades[known].min())), int(np.floor(decades[known].max())) + 1
    out = np.maximum(0.0, 1.0 - np.abs(decades[:, None] - np.arange(first, last + 1)[None, :]))
    return unit_rows(out * known[:, None])


def unit_rows(matrix: np.ndarray) -> np.ndarray:
    return matrix / np.maximum(np.linalg.norm(matrix, axis=1, keepdims=True), 1e-12)
