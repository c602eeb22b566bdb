"""Clusters of genres, from the songs and artists that have several, and from their names."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.sparse import csr_array, diags_array
from scipy.sparse.linalg import LinearOperator, eigsh

from inference.features.attributes import Attributes
from inference.features.columns import CategoriesColumn
from inference.features.genres import GenreTransform, NameGrams
from inference.texts import Texts

SONGS, ARTISTS, NAMES = 1.0, 1.0, 0.5  # what each source adds to how alike two genres are
_FAINT = 1e-3  # joins all genres, so that those without any kin are one cluster rather than each its own
_DENSE = 40  # up to so many genres all eigenvectors are found
_LINKED = 4000  # so many genres, the most frequent, are linked into clusters; others go to the nearest


def fit_genres(attributes: Attributes, train: NDArray[np.bool_], n_clusters: int) -> GenreTransform:
    """Returns at most ``n_clusters`` clusters of the genres that train songs have.

    Two genres are alike as far as they are on the same songs, with the same artists (roots of cosines, so that weak ties count, too),
    and share words and letters (squares of cosines, so that weak ties don't). Spectral clustering after Ng, Jordan and Weiss (2001),
    with Ward's linkage in place of k-means: nothing in it is random.
    """
    songs = _matrix(attributes.genres)[np.flatnonzero(train)]
    counts = np.bincount(songs.indices, minlength=songs.shape[1])
    used = np.flatnonzero(counts)
    names = [attributes.genres.names[code] for code in used.tolist()]
    songs, counts = csr_array(songs[:, used]), counts[used]
    grams = NameGrams.of(names)
    if not names:
        return GenreTransform(Texts.of([]), np.empty(0, dtype=np.int32), (), grams)
    artists = _matrix(attributes.artists)[np.flatnonzero(train)].T.tocsr() @ songs
    artists.data[:] = 1.0
    by_name = csr_array((grams.weights.astype(np.float64), grams.places, grams.indptr), shape=(len(names), len(grams.grams)))
    alike = SONGS * _cosines(songs.T.tocsr()).power(0.5) + ARTISTS * _cosines(artists.T.tocsr()).power(0.5)
    alike = alike + NAMES * csr_array(by_name @ by_name.T).power(2)
    labels = _linked(_embedding(csr_array(alike), n_clusters), counts, n_clusters)
    return _named(names, counts, labels, grams)


def _matrix(column: CategoriesColumn) -> csr_array:
    ones = np.ones(len(column.indices))
    return csr_array((ones, column.indices, column.indptr), shape=(len(column), len(column.names)))


def _cosines(rows: csr_array) -> csr_array:
    lengths = np.sqrt(rows.power(2).sum(axis=1))
    unit = csr_array(diags_array(1.0 / np.maximum(lengths, 1e-12)) @ rows)
    return csr_array(unit @ unit.T)


def _embedding(alike: csr_array, dimensions: int) -> NDArray[np.float64]:
    """Returns (genres, dimensions), rows of length 1: the strongest eigenvectors of the similarities, each divided by the roots of the
    sums of its row and column."""
    n = alike.shape[0]
    alike = alike - diags_array(alike.diagonal())
    scale = 1.0 / np.sqrt(alike.sum(axis=1) + _FAINT * n)
    if n <= max(_DENSE, dimensions + 1):
        vectors = np.linalg.eigh(scale[:, None] * (alike.toarray() + _FAINT) * scale)[1][:, -dimensions:]
    else:

        def times(vector: NDArray[np.float64]) -> NDArray[np.float64]:
            x = scale * vector.ravel()
            return scale * (alike @ x + _FAINT * x.sum())

        vectors = eigsh(LinearOperator((n, n), dtype=np.float64, matvec=times), k=dimensions, v0=np.ones(n))[1]
    found: NDArray[np.float64] = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return found


def _linked(points: NDArray[np.float64], counts: NDArray[np.int64], n_clusters: int) -> NDArray[np.int64]:
    if len(points) < 2:
        return np.zeros(len(points), dtype=np.int64)
    frequent = np.sort(np.argsort(-counts, kind="stable")[:_LINKED])
    found = fcluster(linkage(points[frequent], method="ward"), n_clusters, criterion="maxclust") - 1
    centres = np.stack([points[frequent[found == label]].mean(axis=0) for label in range(int(found.max()) + 1)])
    labels = (points @ centres.T - 0.5 * (centres**2).sum(axis=1)).argmax(axis=1)
    labels[frequent] = found
    return labels


def _named(names: list[str], counts: NDArray[np.int64], labels: NDArray[np.int64], grams: NameGrams) -> GenreTransform:
    """Returns the clusters in order of their songs, each called as its most frequent genre, of several the first by name."""
    sizes = np.bincount(labels, weights=counts)
    order = np.argsort(-sizes, kind="stable")
    order = order[sizes[order] > 0]
    rank = np.zeros(len(sizes), dtype=np.int32)
    rank[order] = np.arange(len(order))
    clusters = rank[labels]
    heads = [int(np.where(clusters == number, counts, -1).argmax()) for number in range(len(order))]
    return GenreTransform(Texts.of(names), clusters, tuple(names[head] for head in heads), grams)
