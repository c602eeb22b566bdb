"""What is known beside who played what, kept aligned with it: when, and what listeners are called."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.sparse import csr_array

from inference.context import context_of
from inference.history import EventWeighting
from training.data.dataset import Dataset
from training.evaluation import cases as evaluation
from training.split import Case, Split


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


def rows_of(user_items: csr_array, values: np.ndarray | None, listeners: np.ndarray) -> np.ndarray | None:
    """Returns the ``values`` (one per entry of ``user_items``) that belong to the entries of ``user_items[listeners]``."""
    if values is None:
        return None
    starts, lengths = user_items.indptr[listeners].astype(np.int64), np.diff(user_items.indptr)[listeners]
    within = np.arange(int(lengths.sum())) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return values[np.repeat(starts, lengths) + within]


def asked_as_new(cases: Sequence[Case], dataset: Dataset) -> list[evaluation.Case]:
    """Returns what the held-out listeners ask as new ones, with the order and the words of what is shown, where the data has them."""
    said, order = dataset.listener_words, dataset.interactions.order
    words = [[] if said is None or case.words is None else [said.words[word] for word in case.words.tolist()] for case in cases]
    return evaluation.new_listener_cases(
        dataset.item_ids,
        [case.shown for case in cases],
        [case.hidden for case in cases],
        None if order is None else [case.shown_times for case in cases],
        None if said is None else [context_of(one, said.texts) for one in words],
        in_seconds=dataset.interactions.timestamps is not None,
    )


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
        case = replace(case, words=words.rows.indices[words.rows.indptr[case.user] : words.rows.indptr[case.user + 1]].astype(np.int32))
    return case
