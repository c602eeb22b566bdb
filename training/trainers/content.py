"""Content: songs that are alike by artist, genre, sound, year and lyrics. The only model that knows songs which nobody has played."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
from scipy.sparse import csr_array

from inference.scorers import ItemToItemScorer
from training.content_features import ContentFeatures, content_features, similarity_of
from training.model_config import ContentConfig
from training.trainers.base import TrainingData, in_threads
from training.trainers.clusters import Clusters, Points, clusters_of
from training.trainers.comparison import Comparison, split_names
from training.trainers.gram import most_kept
from training.trainers.rows import RowsWriter, lengths_kept, strongest, symmetric, top_of_table

_EXACT_ITEMS = 20_000  # up to here all pairs are compared
_CANDIDATES = 8_000  # songs of near clusters that a song is compared with, above
_PLACING_NAMES = 1_000  # names that decide which cluster a song is in, the most common ones
_BLOCK = 500
_LEAST = 1e-6

Rows = tuple[np.ndarray, np.ndarray, np.ndarray]


def fit(data: TrainingData, config: ContentConfig) -> ItemToItemScorer:
    """Each song keeps its most similar songs (``ContentFeatures``), those with a positive similarity, and stays with all that keep it: so
    every song has neighbours to recommend, and every song can be recommended, however odd it is.

    Up to 20,000 songs all pairs are compared. Above, a song is compared with the songs of the clusters nearest to its own, about
    8,000, and with all songs that share a name with it which few have, as most artists are: the cost grows with n log n. Takes
    32 · songs · neighbours bytes; a song keeps fewer neighbours where that is more than ``memory_limit_gb``.
    """
    if data.features is None:
        raise ValueError("the content model needs the features of a catalogue")
    transform, store = data.features
    features = content_features(similarity_of(transform, store, config), store)
    known = np.flatnonzero(~features.empty).astype(np.int32)
    keep = most_kept(len(features), config.neighbours, data.memory_limit_gb)
    kept, owners = RowsWriter(len(known) * keep), [known[:0]]
    for clusters, asked in _ways(features, known, data.seed):
        songs = known[clusters.order]
        comparison = Comparison.of(features, songs)
        places = np.split(np.arange(len(songs)), clusters.starts[1:-1])
        wanted = [(number, own[asked[clusters.order[own]]]) for number, own in enumerate(places)]
        wanted = [(number, own) for number, own in wanted if len(own)]
        work = partial(_neighbours, comparison, clusters, songs, keep)
        for rows in in_threads(work, wanted, data.threads, "content"):
            kept.append(*rows)
        owners += [songs[own] for _, own in wanted]
    return ItemToItemScorer(symmetric(kept.finished(len(features)), np.concatenate(owners)))


def _ways(features: ContentFeatures, known: np.ndarray, seed: int) -> Iterator[tuple[Clusters, np.ndarray]]:
    """Yields clusters of the known songs, and bool (known songs,): whose neighbours are to be looked for in them.

    Songs with a genre lie with their genre. One without any is as near to songs of any genre that sound like it, so it is looked for among
    clusters that know of no names.
    """
    n = len(known)
    if len(features) <= _EXACT_ITEMS:
        starts = np.append(np.arange(0, n, _BLOCK), n)
        yield Clusters(np.arange(n), starts, [np.arange(len(starts) - 1)] * (len(starts) - 1)), np.ones(n, dtype=bool)
        return
    common, _ = split_names(features.sparse)
    counts = np.bincount(features.sparse.indices, minlength=features.sparse.shape[1])[common]
    placing = np.sort(common[np.argsort(-counts, kind="stable")[:_PLACING_NAMES]])
    points = Points(features.dense[known], csr_array(features.sparse[:, placing][known]))
    named = np.diff(points.names.indptr) > 0
    for asked, place_by in ((named, points), (~named, Points(points.dense, csr_array((n, 0), dtype=np.float32)))):
        if asked.any():
            yield clusters_of(place_by, seed, _CANDIDATES), asked


def _neighbours(comparison: Comparison, clusters: Clusters, songs: np.ndarray, k: int, wanted: tuple[int, np.ndarray]) -> Rows:
    """Returns (lengths, numbers int32 ascending in a row, similarities float32) of the ``k`` nearest of some songs of a cluster.

    ``songs``: the numbers of the songs of ``comparison``; ``wanted``: a cluster, and the places in it whose neighbours are looked for.
    """
    cluster, asked = wanted
    near, starts = clusters.near[cluster], clusters.starts
    spans = [slice(int(starts[i]), int(starts[i + 1])) for i in near.tolist()]
    similarity = comparison.without_rare(asked, spans)
    offsets = np.full(len(starts) - 1, -1, dtype=np.int64)  # of a cluster among the candidates
    sizes = np.diff(starts)[near]
    offsets[near] = np.cumsum(sizes) - sizes
    own = np.arange(len(asked))

    partners = comparison.partners(asked)
    rows, others = np.repeat(own, np.diff(partners.indptr)), partners.indices
    cluster_of = np.searchsorted(starts, others, side="right") - 1
    inside = offsets[cluster_of] >= 0
    places = offsets[cluster_of] + others - starts[cluster_of]
    similarity[rows[inside], places[inside]] += partners.data[inside]
    similarity[own, offsets[cluster] + asked - starts[cluster]] = 0.0  # not a neighbour of itself

    top = np.flatnonzero(top_of_table(similarity, k, _LEAST))
    candidates = np.concatenate([np.arange(span.start, span.stop) for span in spans])
    values = similarity.ravel()[top]
    by_row, column = np.divmod(top, similarity.shape[1])
    found = candidates[column]
    if not inside.all():
        rows, others = rows[~inside], others[~inside]
        further = partners.data[~inside] + comparison.of_pairs(asked, rows, others)
        by_row, found, values = (np.concatenate(pair) for pair in ((by_row, rows), (found, others), (values, further)))
    numbers = songs[found]
    order = np.lexsort((numbers, by_row))
    indptr = np.searchsorted(by_row[order], np.arange(len(own) + 1))
    values = values[order]
    keep = strongest(indptr, np.where(values > _LEAST, values, np.float32(0)), k)
    return lengths_kept(indptr, keep), numbers[order][keep], values[keep]
