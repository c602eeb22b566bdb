"""Which models the data can train, and what each is given to learn from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from inference.scorers import Scorer
from training.config import MODELS, TrainingConfig
from training.data.dataset import Dataset
from training.data.errors import UserDataError
from training.order import decayed, values_of, weighting_of
from training.progress import log, stage
from training.trainers import TRAINERS
from training.trainers.base import Features, TrainingData

ARTIST, CONTENT, CEASE, EASE = "artist", "content", "cease", "ease"
SIMILAR_SONGS, TRANSITIONS, WORDS = "similar_songs", "transitions", "words"


@dataclass(frozen=True)
class Workshop:
    """Fits models on parts of one dataset. ``user_items``: all interactions; ``features``: of the catalogue's songs, None without one."""

    dataset: Dataset
    features: Features | None
    user_items: csr_array
    threads: int

    def data(self, config: TrainingConfig, matrix: csr_array) -> TrainingData:
        """``matrix``: what is to be learned from, of the shape and of entries of ``user_items``; listeners without entries are left out."""
        interactions, said = self.dataset.interactions, self.dataset.listener_words
        listeners = np.flatnonzero(np.diff(matrix.indptr))
        times = values_of(self.user_items, interactions.order, matrix)
        in_seconds = interactions.timestamps is not None
        weights = decayed(matrix, times if in_seconds else None, weighting_of(config))[listeners]
        return TrainingData(
            *(weights, self.dataset.catalogue, config.seed, self.threads, self.features, config.memory_limit_gb),
            users=listeners,
            times=times,
            in_seconds=in_seconds,
            words=None if said is None else said.rows[listeners],
        )


def fit_model(config: TrainingConfig, data: TrainingData, name: str) -> Scorer:
    """Raises ``UserDataError`` if a number in the fitted model is not finite: it could not rank."""
    with stage(f"fit_{name}", listeners=data.user_items.shape[0], interactions=data.user_items.nnz):
        scorer = TRAINERS[name](data, config)
    if all(np.isfinite(array).all() for array in scorer.arrays().values()):
        return scorer
    raise UserDataError(
        f"Leave {name} out of `models`, or bring the weights of events closer together (data_weighting=log or log_value): its numbers "
        "overflowed."
    )


def trainable(config: TrainingConfig, dataset: Dataset) -> list[str]:
    """Returns the models that the data can train; the others are left out with a line in the log that says what each needs.

    Raises ``UserDataError`` where none is left.
    """
    by_default = config.models == TrainingConfig().models
    wanted = MODELS if by_default and config.tune == "auto" else config.models
    missing = {name: needed for name in wanted if (needed := _missing(name, dataset))}
    for needed in sorted(set(missing.values())):
        log("models_left_out", models=",".join(name for name in missing if missing[name] == needed), reason=f"no {needed}")
    names = [name for name in wanted if name not in missing]
    if by_default and CEASE in names:  # nobody asked for it: cease learns the same, and more
        names.remove(EASE)
        log("models_left_out", models=EASE, reason="cease learns it, too; name it in `models` to have both")
    if not names:
        needed = " or ".join(sorted(set(missing.values())))
        raise UserDataError(f"None of the models {', '.join(config.models)} can be trained without {needed}: add it, or change `models`.")
    if config.hybrid.weights and not any(config.hybrid.weights.get(name) for name in names):
        raise UserDataError(f"Change hybrid_weights: of the models that these data can train ({', '.join(names)}) none has a share.")
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
    if name in (ARTIST, CEASE) and catalogue is None:
        return "items channel"
    if name == TRANSITIONS and dataset.interactions.order is None:
        return "times or positions in the interactions"
    if name == WORDS and (dataset.listener_words is None or not dataset.listener_words.rows.nnz):
        return "names or categories in the users channel"
    return None
