"""What the measures need to know beside the lists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from inference.features.columns import CategoriesColumn, CategoryColumn
from inference.features.similarity import name_rows
from inference.features.store import FeatureStore
from inference.recommender import Recommender
from training.config import TrainingConfig
from training.content_features import content_features, embedding

ARTISTS, GENRES = "artists", "genres"


@dataclass(frozen=True)
class Context:
    """``item_listeners`` (songs,) and ``n_listeners`` count those that the models learned from. ``features`` (songs × features) float32
    says what songs are like; ``artists`` and ``genres`` are csr (songs × names), rows sum to 1 or are empty; None where no catalogue was
    given, and then there is no diversity, no artist fairness, no calibration. ``sampled_negatives``: 0, or how many random songs the
    sampled
    measures take; they need ``item_ids`` (songs,)."""

    item_listeners: NDArray[np.int64]
    n_listeners: int
    features: NDArray[np.float32] | None = None
    bootstrap_samples: int = 1000
    seed: int = 42
    artists: csr_array | None = None
    genres: csr_array | None = None
    sampled_negatives: int = 0
    item_ids: NDArray[np.object_] | None = None

    @classmethod
    def of(cls, recommender: Recommender, n_listeners: int, config: TrainingConfig, item_ids: NDArray[np.object_]) -> Self:
        """Returns the context of a finished model, with the settings of ``config``."""
        store, features, artists, genres = recommender.features, None, None, None
        if recommender.similarity is not None and store is not None:
            features = embedding(content_features(recommender.similarity, store), store, config.seed)
            artists, genres = name_shares(store, ARTISTS), name_shares(store, GENRES)
        settings = config.evaluation
        return cls(
            recommender.listeners.astype(np.int64),
            max(1, n_listeners),
            features,
            settings.bootstrap_samples,
            config.seed,
            artists,
            genres,
            settings.sampled_negatives,
            item_ids,
        )


def name_shares(store: FeatureStore, name: str) -> csr_array | None:
    """Returns csr float64 (songs × names): each song's names share it equally. None where the store has no such names."""
    column = store.get(name)
    if not isinstance(column, CategoriesColumn | CategoryColumn) or not len(column.names):
        return None
    indptr, codes = name_rows(column)
    lengths = np.diff(indptr)
    # Copies: scipy sorts rows where they lie, and these may be the mapped files of a model.
    return csr_array(
        (np.repeat(1.0 / np.maximum(lengths, 1), lengths), codes.copy(), indptr.copy()), shape=(store.n_songs, len(column.names))
    )
