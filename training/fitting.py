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
from training.progress import log, stage
from training.split import Case, Split
from training.trainers import TRAINERS, hybrid
from training.trainers.base import Features, TrainingData

CONTENT = "content"


@dataclass(frozen=True)
class Fitted:
    """Finished scorers by name, the hybrid's weights, and each model's quality on the validation listeners (empty: there were too few)."""

    scorers: Mapping[str, Scorer]
    weights: Mapping[str, float]
    validation: Mapping[str, float]


def fit(config: TrainingConfig, dataset: Dataset, features: Features | None, split: Split, threads: int) -> Fitted:
    """Fits the models without what validation hides, finds the hybrid's weights on that, then fits again with it.

    ``features``: of the songs of the catalogue; None without one.
    """
    names = _trainable(config, dataset)
    validates = len(split.validation) >= hybrid.MIN_CASES and len(names) > 1

    def fit_models(matrix: csr_array, chosen: Sequence[str]) -> dict[str, Scorer]:
        data = TrainingData(matrix[np.flatnonzero(np.diff(matrix.indptr))], dataset.catalogue, config.seed, threads, features)
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
        seen = _some_listeners(split.relearn)
        weights = hybrid.default_weights({name: scorers[name] for name in names}, seen, config.hybrid.pool)
    return Fitted(scorers, weights, validation)


def _trainable(config: TrainingConfig, dataset: Dataset) -> list[str]:
    """Returns the models that the data can train: content needs a catalogue, all others need events."""
    has_events, has_catalogue = len(dataset.interactions) > 0, dataset.catalogue is not None
    names = [name for name in config.models if (has_catalogue if name == CONTENT else has_events)]
    if left_out := [name for name in config.models if name not in names]:
        log("models_left_out", models=",".join(left_out), reason="no items channel" if has_events else "no interactions")
    if not names:
        needed = "an items channel" if has_events else "interactions"
        raise UserDataError(f"None of the models {', '.join(config.models)} can be trained without {needed}: add it, or change `models`.")
    return names


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
