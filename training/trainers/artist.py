"""The artist prior: who likes a song likes others of its artist, and those first that most people know."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from inference.scorers import ItemToItemScorer
from inference.sparse import SparseRows
from training.content_features import names
from training.model_config import ArtistConfig
from training.trainers.base import TrainingData, top_k_of_row

_UNPLAYED = 0.5  # events that each song has before any


def fit(data: TrainingData, config: ArtistConfig) -> ItemToItemScorer:
    """``B_ij = Σ_a [i by a] [j by a] ((n_j + ½) / (N_a + 1))^exponent`` for i ≠ j, n_j the listeners of a song, N_a the sum over a's songs.

    A hierarchical prior: within an artist a song is wanted by its share of the artist's listening, smoothed so that a new song has one,
    too. Of each artist the ``neighbours`` best are kept. Bonnin and Jannach, "Automated generation of music playlists", ACM Computing
    Surveys 2014, found artists and their hits (CAGH) hard to beat for playlists. Raises ``ValueError`` without a catalogue.
    """
    if data.features is None:
        raise ValueError("the artist prior needs the features of a catalogue")
    by_song = csr_array((names(data.features[1], "artists") != 0).astype(np.float32))
    listeners = data.listeners.astype(np.float64) + _UNPLAYED
    by_artist = by_song.T.tocsr()
    totals = by_artist @ data.listeners + 1.0
    columns, values, lengths = [], [], []
    for artist in range(by_artist.shape[0]):
        songs = by_artist.indices[by_artist.indptr[artist] : by_artist.indptr[artist + 1]]
        kept, wanted = top_k_of_row(np.sort(songs), (listeners[np.sort(songs)] / totals[artist]) ** config.exponent, config.neighbours)
        columns.append(kept)
        values.append(wanted)
        lengths.append(len(kept))
    indptr = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
    parts = (np.concatenate([*values, []]), np.concatenate([*columns, []]).astype(np.int32), indptr.astype(np.int32))
    operator = csr_array(by_song @ csr_array(parts, shape=(len(lengths), data.n_items)))
    operator.setdiag(0)
    operator.eliminate_zeros()
    operator.sort_indices()
    return ItemToItemScorer(
        SparseRows(operator.indptr.astype(np.int64), operator.indices.astype(np.int32), operator.data.astype(np.float32), data.n_items)
    )
