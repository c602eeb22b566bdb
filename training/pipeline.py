"""The way from channels to a model: extract → split → fit → blend → fit again → save → evaluate → publish."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.sparse import csr_array

from inference import artifact
from inference.history import EventWeighting
from inference.recommender import POPULARITY, Recommender
from inference.scorers import HybridScorer, Scorer
from inference.sparse import SparseRows
from inference.texts import Texts
from inference.vocabulary import Vocabulary
from training import report
from training.config import TrainingConfig
from training.content_features import content_features, embedding
from training.data.dataset import Catalogue, Dataset
from training.data.errors import UserDataError
from training.data.extract import EVENT_CHANNELS, extract
from training.evaluation.cases import known_listener_cases, new_listener_cases
from training.evaluation.evaluate import Context, Evaluation, evaluate
from training.model_card import model_card
from training.progress import log, stage
from training.publish import fingerprint, writing
from training.split import Case, Split, split_listeners
from training.trainers import TRAINERS, hybrid
from training.trainers.base import TrainingData

CONTENT = "content"
NO_EVENTS = "there are no listening events to hold out"
NO_EVALUATION = "too few listeners with enough songs to hold some out"


@dataclass(frozen=True)
class Fitted:
    """Finished scorers by name, the hybrid's weights, and each model's quality on the validation listeners (empty: there were too few)."""

    scorers: Mapping[str, Scorer]
    weights: Mapping[str, float]
    validation: Mapping[str, float]


def run(config: TrainingConfig, channels: Mapping[str, Path], model_dir: Path, output_dir: Path, threads: int = 1) -> None:
    """Trains on the channels, in ``threads`` threads, and leaves a model in ``model_dir`` and a report in ``output_dir``.

    Raises ``UserDataError`` where the data can't be used. What is evaluated is the model that is left, opened by the code that serves it.
    """
    with stage("extract") as facts:
        dataset = extract(channels, config.data)
        facts |= {"listeners": dataset.n_users, "songs": dataset.n_items, "interactions": len(dataset.interactions), **dataset.counts}
    if not len(dataset.interactions) and any(name in channels for name in EVENT_CHANNELS):
        raise UserDataError("Put events into the channel interactions: there is not one. To train on the catalogue alone, leave it out.")
    user_items = dataset.interactions.user_items(dataset.n_users, dataset.n_items)
    split = split_listeners(user_items, config.split, config.seed, hold_out_test=dataset.test is None)
    log("split", train=int(split.train.sum()), validation=len(split.validation), test=len(split.test))
    fitted = fit(config, dataset, user_items, split, threads)
    with writing(model_dir) as partial:
        with stage("save"):
            info = {
                "configuration": config.to_flat_dict(),
                "data": {"fingerprint": fingerprint(dataset), **_counts(dataset)},
                "validation": dict(fitted.validation),
            }
            artifact.save(_recommender(config, dataset, user_items, split, fitted), partial, info)
        evaluations = _evaluate(config, dataset, split, artifact.load(partial, verify=True))
        reason = "" if evaluations else NO_EVALUATION if len(dataset.interactions) else NO_EVENTS
        metrics = {evaluation.source: evaluation.to_json() for evaluation in evaluations}
        artifact.write_model_json(partial, {**artifact.read_model_json(partial), "metrics": metrics})
        card = model_card(config, _counts(dataset), fitted.weights, evaluations, reason)
        (partial / "model_card.md").write_text(card, encoding="utf-8")
        report.publish(evaluations, output_dir, reason)


# --- fit ---------------------------------------------------------------------------------------------------------------------------------


def fit(config: TrainingConfig, dataset: Dataset, user_items: csr_array, split: Split, threads: int) -> Fitted:
    """Fits the models without the validation listeners, finds the hybrid's weights on these, then fits again with them."""
    names = _trainable(config, dataset)
    everyone_but_test = split.train.copy()
    everyone_but_test[[case.user for case in split.validation]] = True
    validates = len(split.validation) >= hybrid.MIN_CASES and len(names) > 1

    def fit_models(listeners: np.ndarray, chosen: Sequence[str]) -> dict[str, Scorer]:
        data = TrainingData(user_items[np.flatnonzero(listeners)], dataset.catalogue, config.seed, threads)
        return _fit_models(config, data, chosen)

    # Popularity in any case: it fills up what the others leave open.
    scorers = fit_models(split.train if validates else everyone_but_test, list(dict.fromkeys([*names, POPULARITY])))
    validation: dict[str, float] = {}
    if len(names) == 1:
        weights = {names[0]: 1.0}
    elif validates:
        with stage("blend", listeners=len(split.validation)) as facts:
            parts = {name: scorers[name] for name in names}
            weights, validation = hybrid.fit_weights(parts, split.validation, config.hybrid, max(config.evaluation.k))
            facts |= {f"weight_{name}": weight for name, weight in weights.items()}
        again = [name for name in scorers if name != CONTENT]  # content does not depend on the listeners
        scorers |= fit_models(everyone_but_test, again)
    else:
        weights = hybrid.default_weights({name: scorers[name] for name in names}, _some_listeners(user_items), config.hybrid.pool)
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
            scorers[name] = TRAINERS[name](data, config)
    return scorers


def _some_listeners(user_items: csr_array, limit: int = 200) -> list[Case]:
    nothing = np.empty(0, dtype=np.int32)
    users = np.flatnonzero(np.diff(user_items.indptr))[:limit]
    return [Case(u, user_items.indices[user_items.indptr[u] : user_items.indptr[u + 1]], nothing) for u in users.tolist()]


# --- save and evaluate -------------------------------------------------------------------------------------------------------------------


def _recommender(config: TrainingConfig, dataset: Dataset, user_items: csr_array, split: Split, fitted: Fitted) -> Recommender:
    """Puts the parts together. All listeners are stored, also those held out: their histories need no training to be answered."""
    held_out = np.zeros(dataset.n_users, dtype=bool)
    held_out[[case.user for case in split.test]] = True
    learned = user_items[np.flatnonzero(~held_out)]
    return Recommender(
        items=Vocabulary.of(dataset.item_ids.tolist()),
        users=Vocabulary.of(dataset.user_ids.tolist()),
        user_items=SparseRows(
            user_items.indptr.astype(np.int64), user_items.indices.astype(np.int32), user_items.data.astype(np.float32), dataset.n_items
        ),
        listeners=np.bincount(learned.indices, minlength=dataset.n_items).astype(np.int32),
        scorers=fitted.scorers,
        hybrid=HybridScorer(fitted.scorers, fitted.weights),
        weighting=_weighting(config),
        version="",
        metadata={} if dataset.catalogue is None else _metadata(dataset.catalogue),
    )


def _weighting(config: TrainingConfig) -> EventWeighting:
    by_type = {kind.strip().casefold(): weight for kind, weight in config.data.event_weights.items()}
    return EventWeighting(config.data.weighting, by_type, config.data.min_event_value)


def _metadata(catalogue: Catalogue) -> dict[str, Texts]:
    return {
        "title": Texts.of(catalogue.titles.tolist()),
        "artist": Texts.of(catalogue.artist_texts.tolist()),
        "genre": Texts.of(", ".join(genres) for genres in catalogue.genres),
    }


def _evaluate(config: TrainingConfig, dataset: Dataset, split: Split, recommender: Recommender) -> list[Evaluation]:
    if dataset.test is not None:
        source, cases = "test", known_listener_cases(dataset.user_ids, dataset.test.users, dataset.test.items)
    else:
        source = "holdout"
        cases = new_listener_cases(dataset.item_ids, [case.shown for case in split.test], [case.hidden for case in split.test])
    if not cases:
        return []
    features = None
    if dataset.catalogue is not None:
        features = embedding(content_features(dataset.catalogue, config.content), dataset.catalogue, config.seed)
    listeners = recommender.listeners.astype(np.int64)
    n_listeners = max(1, int(split.train.sum()) + len(split.validation))
    context = Context(listeners, n_listeners, features, config.evaluation.bootstrap_samples, config.seed)
    rankers = {recommender.model: recommender, **{name: recommender.with_model(name) for name in recommender.scorers}}
    return [evaluate(source, recommender.model, rankers, cases, config.evaluation.k, context)]


def _counts(dataset: Dataset) -> dict[str, int]:
    sizes = {"listeners": dataset.n_users, "songs": dataset.n_items, "interactions": len(dataset.interactions)}
    return sizes | dict(sorted(dataset.counts.items()))
