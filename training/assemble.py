"""Puts the parts of a trained model together into what answers requests."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import csr_array

from inference.context import ContextWords
from inference.known import ListenerWords
from inference.order import StoredOrder
from inference.recommender import Recommender
from inference.rerank.defaults import Defaults
from inference.sparse import SparseRows
from inference.texts import Texts
from inference.vocabulary import Vocabulary
from training.config import TrainingConfig
from training.content_features import similarity_of
from training.data.dataset import Dataset
from training.data.dataset import ListenerWords as SaidOfListeners
from training.fitting import Fitted
from training.order import values_of, weighting_of
from training.split import Split
from training.trainers.base import Features


def assembled(
    config: TrainingConfig,
    dataset: Dataset,
    user_items: csr_array,
    split: Split,
    fitted: Fitted,
    features: Features | None,
    defaults: Defaults,
) -> Recommender:
    """Puts the parts together. All listeners are stored, also those held out whole: their histories need no training to be answered."""
    stored = split.stored(user_items)
    return Recommender(
        items=Vocabulary.of(dataset.item_ids.tolist()),
        users=Vocabulary.of(dataset.user_ids.tolist()),
        user_items=SparseRows(
            stored.indptr.astype(np.int64), stored.indices.astype(np.int32), stored.data.astype(np.float32), dataset.n_items
        ),
        listeners=np.bincount(split.relearn.indices, minlength=dataset.n_items).astype(np.int32),
        scorers=fitted.scorers,
        hybrid=fitted.hybrid,
        weighting=weighting_of(config),
        version="",
        metadata=metadata_of(dataset),
        defaults=defaults,
        order=_order(dataset, user_items, stored),
        words=None if dataset.listener_words is None else _words(dataset.listener_words),
        **_content(config, features),
    )


def _content(config: TrainingConfig, features: Features | None) -> dict[str, Any]:
    if features is None:
        return {}
    transform, store = features
    return {"transform": transform, "features": store, "similarity": similarity_of(transform, store, config.content)}


def _order(dataset: Dataset, user_items: csr_array, stored: csr_array) -> StoredOrder | None:
    order = values_of(user_items, dataset.interactions.order, stored)
    return None if order is None else StoredOrder(order, dataset.interactions.timestamps is not None)


def _words(said: SaidOfListeners) -> ListenerWords:
    ones = np.ones(said.rows.nnz, dtype=np.float32)
    rows = SparseRows(said.rows.indptr.astype(np.int64), said.rows.indices.astype(np.int32), ones, len(said.words))
    return ListenerWords(ContextWords(Vocabulary.of(said.words), said.texts, said.categories), rows)


def metadata_of(dataset: Dataset) -> dict[str, Texts]:
    """Returns what an answer may say of a song beside its id; empty without a catalogue."""
    catalogue = dataset.catalogue
    if catalogue is None:
        return {}
    return {
        "title": Texts.of(catalogue.titles.tolist()),
        "artist": Texts.of(catalogue.artist_texts.tolist()),
        "genre": Texts.of(", ".join(genres) for genres in catalogue.genres),
    }
