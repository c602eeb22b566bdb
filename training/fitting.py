"""Fits the models, and the hybrid over them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from inference.recommender import POPULARITY
from inference.scorers import Scorer
from training.config import TrainingConfig
from training.data.dataset import Dataset
from training.data.errors import UserDataError
from training.order import case_with_order, decayed, values_of, weighting_of
from training.progress import log, stage
from training.split import Case, Split
from training.trainers import TRAINERS, hybrid
from training.trainers.base import Features, TrainingData

CONTENT, SIMILAR_SONGS, TRANSITIONS, WORDS = "content", "similar_songs", "transitions", "words"


@dataclass(frozen=True)
class Fitted:
    """Finished scorers by name, the hybrid's weights, and each model's quality on the validation listeners (empty: there were too few)."""

    scorers: Mapping[str, Scorer]
    weights: Mapping[str, float]
    validation: Mapping[str, float]


def fit(config: TrainingConfig, dataset: Dataset, features: Features | None, user_items: csr_array, split: Split, threads: int) -> Fitted:
    """Fits the models without what validation hides, finds the hybrid's weights on that, then fits again with it.

    ``features``: of the songs of the catalogue; None without one.
    """
    names = _trainable(config, dataset)
    validates = len(split.validation) >= hybrid.MIN_CASES and len(names) > 1

    def fit_models(matrix: csr_array, chosen: Sequence[str]) -> dict[str, Scorer]:
        data = _training_data(config, dataset, features, user_items, matrix, threads)
        return _fit_models(config, data, chosen)

    # Popularity in any case: it fills up what the others leave open.
    scorers = fit_models(split.learn if validates else split.relearn, list(dict.fromkeys([*names, POPULARITY])))
    validation: dict[str, float] = {}
    if len(names) == 1:
        weights = {names[0]: 1.0}
    elif validates:
        with stage("blend", listeners=len(split.validation)) as facts:
            parts = {name: scorers[name] for name in names}
            weights, validation = hybrid.fit_weights(parts, split.validation, config.hybrid, max(config.evaluation.k))
            facts |= {f"weight_{name}": weight for name, weight in weights.items()}
        again = [name for name in scorers if name != CONTENT]  # content does not depend on the listeners
        scorers |= fit_models(split.relearn, again)
    else:
        seen = [case_with_order(case, dataset, user_items) for case in _some_listeners(split.relearn)]
        weights = hybrid.default_weights({name: scorers[name] for name in names}, seen, config.hybrid.pool)
    return Fitted(scorers, weights, validation)


def _training_data(
    config: TrainingConfig, dataset: Dataset, features: Features | None, user_items: csr_array, matrix: csr_array, threads: int
) -> TrainingData:
    """``matrix``: what is to be learned from, of the shape and of entries of ``user_items``; listeners without entries are left out."""
    listeners = np.flatnonzero(np.diff(matrix.indptr))
    times = values_of(user_items, dataset.interactions.order, matrix)
    in_seconds = dataset.interactions.timestamps is not None
    weights = decayed(matrix, times if in_seconds else None, weighting_of(config))[listeners]
    words = None if dataset.listener_words is None else dataset.listener_words.rows[listeners]
    return TrainingData(
        *(weights, dataset.catalogue, config.seed, threads, features, config.memory_limit_gb),
        users=listeners,
        times=times,
        in_seconds=in_seconds,
        words=words,
    )


def _trainable(config: TrainingConfig, dataset: Dataset) -> list[str]:
    """Returns the models that the data can train; the others are left out with a line in the log that says what each needs."""
    missing = {name: needed for name in config.models if (needed := _missing(name, dataset))}
    for needed in sorted(set(missing.values())):
        log("models_left_out", models=",".join(name for name in missing if missing[name] == needed), reason=f"no {needed}")
    names = [name for name in config.models if name not in missing]
    if not names:
        needed = " or ".join(sorted(set(missing.values())))
        raise UserDataError(f"None of the models {', '.join(config.models)} can be trained without {needed}: add it, or change `models`.")
    return names


def _missing(name: str, dataset: Dataset) -> str | None:
    """Returns what the data would need for a model, None if it has it."""
    catalogue = dataset.catalogue
    if name == CONTENT:
        return None if catalogue is not None else "items channel"
    if name == SIMILAR_SONGS:
        return None if catalogue is not None and catalogue.similar is not None else "similar songs in the items channel"
    if not len(dataset.interactions):
        return "interactions"
    if name == TRANSITIONS and dataset.interactions.order is None:
        return "times or positions in the interactions"
    if name == WORDS and (dataset.listener_words is None or not dataset.listener_words.rows.nnz):
        return "names or categories in the users channel"
    return None


def _fit_models(config: TrainingConfig, data: TrainingData, names: Sequence[str]) -> dict[str, Scorer]:
    scorers = {}
    for name in names:
        with stage(f"fit_{name}", listeners=data.user_items.shape[0], interactions=data.user_items.nnz):
            scorers[name] = _checked(name, TRAINERS[name](data, config))
    return scorers


def _checked(name: str, scorer: Scorer) -> Scorer:
    """Returns the scorer. Raises ``UserDataError`` if a number in it is not finite: it could not rank."""
    if all(np.isfinite(array).all() for array in scorer.arrays().values()):
        return scorer
    raise UserDataError(
        f"Leave {name} out of `models`, or bring the weights of events closer together (data_weighting=log or log_value): its numbers "
        "overflowed."
    )


def _some_listeners(user_items: csr_array, limit: int = 200) -> list[Case]:
    nothing = np.empty(0, dtype=np.int32)
    users = np.flatnonzero(np.diff(user_items.indptr))[:limit]  # the models' own listeners: nothing of a held-out one may reach the weights
    return [Case(u, user_items.indices[user_items.indptr[u] : user_items.indptr[u + 1]], nothing) for u in users.tolist()]
