"""What is known beside who played what, kept aligned with it: when, and what listeners are called."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.sparse import csr_array

from inference.context import context_of
from inference.history import EventWeighting
from training.config import TrainingConfig
from training.data.dataset import Dataset
from training.split import Case, Split


def weighting_of(config: TrainingConfig) -> EventWeighting:
    """Returns how events become weights, in training and in serving."""
    by_type = {kind.strip().casefold(): weight for kind, weight in config.data.event_weights.items()}
    return EventWeighting(config.data.weighting, by_type, config.data.min_event_value, config.data.half_life_days)


def decayed(user_items: csr_array, timestamps: np.ndarray | None, weighting: EventWeighting) -> csr_array:
    """Returns the weights (listeners × songs) as a request for each listener would count them: halved by age, if the weighting says so.

    ``timestamps``: int64, aligned with the entries, or None, where nothing has an age.
    """
    if weighting.half_life_days <= 0 or timestamps is None or not user_items.nnz:
        return user_items
    lengths = np.diff(user_items.indptr)
    newest = np.zeros(len(lengths), dtype=np.int64)
    newest[lengths > 0] = np.maximum.reduceat(timestamps, user_items.indptr[:-1][lengths > 0])
    values = user_items.data * weighting.decay(timestamps, np.repeat(newest, lengths))
    return csr_array((values.astype(np.float32), user_items.indices, user_items.indptr), shape=user_items.shape)


def values_of(user_items: csr_array, values: np.ndarray | None, part: csr_array) -> np.ndarray | None:
    """Returns the ``values`` (one per entry of ``user_items``) of those entries that ``part``, of the same shape, still has."""
    if values is None or part.nnz == user_items.nnz:
        return values
    return values[np.searchsorted(_keys(user_items), _keys(part))]


def _keys(matrix: csr_array) -> np.ndarray:
    return np.repeat(np.arange(matrix.shape[0], dtype=np.int64), np.diff(matrix.indptr)) * matrix.shape[1] + matrix.indices


def with_order(split: Split, dataset: Dataset, user_items: csr_array) -> Split:
    """Returns the split with the times and the words of its held-out listeners, which are a part of what is shown of them."""
    validation, test = (tuple(case_with_order(case, dataset, user_items) for case in cases) for cases in (split.validation, split.test))
    return replace(split, validation=validation, test=test)


def case_with_order(case: Case, dataset: Dataset, user_items: csr_array) -> Case:
    """Returns one listener's case with times and words; ``user_items`` has the entries of the dataset, whatever their weights."""
    order, words = dataset.interactions.order, dataset.listener_words
    if order is not None:
        span = slice(user_items.indptr[case.user], user_items.indptr[case.user + 1])
        case = replace(case, shown_times=order[span][np.searchsorted(user_items.indices[span], case.shown)])
    if words is not None:
        own = words.rows.indices[words.rows.indptr[case.user] : words.rows.indptr[case.user + 1]].astype(np.int32)
        case = replace(case, words=own, context=context_of([words.words[word] for word in own.tolist()], words.texts))
    return case
