"""Content: songs that are alike by artist, genre, sound, year and lyrics. The only model that knows songs which nobody has played."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from sklearn.cluster import MiniBatchKMeans

from inference.features.store import FeatureStore
from inference.scorers import ItemToItemScorer
from training.content_features import ContentFeatures, content_features, embedding, names, similarity_of
from training.model_config import ContentConfig
from training.trainers.base import TrainingData, blocks, in_threads, operator_of_columns, top_k_of_row

_EXACT_ITEMS = 20_000  # up to here all pairs are compared
_PROBES = 12  # clusters that are searched for a song's neighbours, above
_BLOCK = 500
_MAX_CANDIDATES = 20_000  # songs that a song is compared with, besides those of its artists


def fit(data: TrainingData, config: ContentConfig) -> ItemToItemScorer:
    """Each song keeps its most similar songs (``ContentFeatures``), those with a positive similarity, and stays with all that keep it: so
    every song has neighbours to recommend, and every song can be recommended, however odd it is.

    Up to 20,000 songs all pairs are compared. Above, a song is compared with the songs of the clusters nearest to its own (inverted
    file, k-means on a low-dimensional copy of the features), and with all songs of its artists: the cost grows with n^1.5, not n².
    """
    if data.features is None:
        raise ValueError("the content model needs the features of a catalogue")
    transform, store = data.features
    features = content_features(similarity_of(transform, store, config), store)
    groups = _all_pairs(features) if len(features) <= _EXACT_ITEMS else _clustered(features, store, data.seed)

    def work(group: tuple[np.ndarray, np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
        songs, candidates = group
        similarity = features.similarity(songs, candidates)
        return list(_neighbours(songs, candidates, similarity, config.neighbours))

    columns: list[tuple[np.ndarray, np.ndarray]] = [(np.empty(0, np.int32), np.empty(0, np.float32))] * len(features)
    for (songs, _), found in zip(groups, in_threads(work, groups, data.threads, "content"), strict=True):
        for song, column in zip(songs.tolist(), found, strict=True):
            columns[song] = column
    return operator_of_columns(columns, len(features), symmetric=True)


def _neighbours(songs: np.ndarray, candidates: np.ndarray, similarity: np.ndarray, k: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for song, row in zip(songs.tolist(), similarity, strict=True):
        keep = (row > 1e-6) & (candidates != song)
        yield top_k_of_row(candidates[keep], row[keep], k)


def _all_pairs(features: ContentFeatures) -> list[tuple[np.ndarray, np.ndarray]]:
    candidates = np.flatnonzero(~features.empty).astype(np.int32)
    return [(block, candidates) for block in blocks(len(features), _BLOCK)]


def _clustered(features: ContentFeatures, store: FeatureStore, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Returns (songs, candidates) groups: the songs of a cluster, with the songs of the nearest clusters and of the songs' artists."""
    known = np.flatnonzero(~features.empty).astype(np.int32)
    points = embedding(features, store, seed)[known]
    if points.any():
        members, nearest = _clusters(known, points, seed)
    else:  # nothing but artists is known
        members, nearest = [known], [np.empty(0, dtype=np.int64)]
    by_song = names(store, "artists")
    by_artist = by_song.T.tocsr()
    groups = []
    for songs, probes in zip(members, nearest, strict=True):
        around = _thinned(np.concatenate([songs[:0], *(members[p] for p in probes.tolist())]))
        for part in np.array_split(songs, -(-len(songs) // _BLOCK)) if len(songs) else []:
            of_artists = by_artist[np.unique(by_song[part].indices)].indices
            groups.append((part, np.union1d(around, of_artists).astype(np.int32)))
    return groups


def _clusters(known: np.ndarray, points: np.ndarray, seed: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Returns the songs of each cluster, and the numbers of the clusters nearest to it, itself first; √n clusters, some may be empty."""
    n_clusters = int(np.sqrt(len(known)))
    means = MiniBatchKMeans(n_clusters, batch_size=4096, n_init=1, max_iter=20, random_state=seed)
    labels = means.fit_predict(points)
    members = np.split(known[np.argsort(labels, kind="stable")], np.cumsum(np.bincount(labels, minlength=n_clusters))[:-1])
    centres = means.cluster_centers_
    distances = (centres**2).sum(axis=1)[None, :] - 2.0 * centres @ centres.T
    return members, list(np.argsort(distances, axis=1, kind="stable")[:, :_PROBES])


def _thinned(candidates: np.ndarray) -> np.ndarray:
    """Returns evenly chosen songs where there are too many: in so large a cluster songs are alike, and some are as good as all."""
    return candidates[:: -(-len(candidates) // _MAX_CANDIDATES)] if len(candidates) > _MAX_CANDIDATES else candidates
