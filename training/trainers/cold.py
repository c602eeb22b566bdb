"""The factors of songs that few or none have played: from what the songs are, to where listening would have put them."""

from __future__ import annotations

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse import csr_array, diags_array, hstack

from inference.features.columns import VectorColumn
from inference.features.similarity import unit_rows
from inference.features.store import FeatureStore
from inference.features.transform import AUDIO_VECTOR
from training.content_features import names
from training.trainers.base import Features

_TRUSTED = 20  # events from on which a song counts fully in finding the map
_ARTIST_PRIOR = 2.0  # events that the mean of all songs weighs in the mean of an artist's songs
_L2 = 3.0
_MOST_GENRES = 4000  # the most common ones, so that the regression stays small
_AUDIO_SHARE = 0.3  # of length 1, as the genres are


def with_content(factors: np.ndarray, events: np.ndarray, features: Features, strength: float) -> np.ndarray:
    """Returns float32 (songs, factors): ``(n y + strength · z) / (n + strength)`` with n the ``events`` (songs,) of a song, y its factors.

    z is what the content says: the mean of the artist's other songs, each weighing its events (at most 20), shrunk towards zero, and for
    what is left of it a ridge regression on genres and audio features, fitted on the songs that were played. So a song without events
    lies where its artist and its sound put it, and confidence in its own factors grows with each event (as the Gaussian prior of a
    feature-aware factorization does; Gantner et al., "Learning attribute-to-feature mappings for cold-start recommendations", ICDM 2010).
    """
    store = features[1]
    trust = np.minimum(events, _TRUSTED).astype(np.float64)
    prior = _artist_mean(factors, trust, names(store, "artists"))
    described = _described(store)
    played = np.flatnonzero(events > 0)
    rest = _ridge(described[played], (factors - prior)[played], trust[played])
    content = prior + described @ rest
    n = events[:, None].astype(np.float64)
    return ((n * factors + strength * content) / np.maximum(n + strength, 1e-12)).astype(np.float32)


def _artist_mean(factors: np.ndarray, trust: np.ndarray, artists: csr_array) -> np.ndarray:
    """Returns float64 (songs, factors): of each song the mean over its artists' other songs."""
    rows = csr_array(artists)
    shares = csr_array(diags_array(1.0 / np.maximum(np.asarray(rows.sum(axis=1)).ravel(), 1e-12)) @ rows)
    weighted = csr_array(diags_array(trust) @ shares)
    sums, counts = weighted.T @ factors.astype(np.float64), np.asarray(weighted.sum(axis=0)).ravel()
    own = np.asarray((shares.multiply(shares)).sum(axis=1)).ravel() * trust
    without_own = shares @ counts - own + _ARTIST_PRIOR
    return np.asarray((shares @ sums - own[:, None] * factors) / without_own[:, None])


def _described(store: FeatureStore) -> csr_array:
    genres = names(store, "genres")
    if genres.shape[1] > _MOST_GENRES:
        songs_of_each = np.bincount(genres.indices, minlength=genres.shape[1])
        genres = genres[:, np.sort(np.argsort(-songs_of_each, kind="stable")[:_MOST_GENRES])]
    parts = [genres, csr_array(np.ones((store.n_songs, 1)))]
    audio = store.get(AUDIO_VECTOR)
    if isinstance(audio, VectorColumn):
        parts.append(csr_array(_AUDIO_SHARE * unit_rows(audio.values)))
    return csr_array(hstack(parts, format="csr"))


def _ridge(described: csr_array, targets: np.ndarray, trust: np.ndarray) -> np.ndarray:
    """Returns float64 (features, factors) that minimise ``Σ_i trust_i |t_i − M g_i|² + l2 |M|²``."""
    weighted = csr_array(diags_array(trust) @ described)
    system = (weighted.T @ described).toarray()
    system[np.diag_indices_from(system)] += _L2
    return np.asarray(cho_solve(cho_factor(system, lower=True, overwrite_a=True), weighted.T @ targets))
