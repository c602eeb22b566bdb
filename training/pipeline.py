"""The way from channels to a model: extract → split → fit → blend → fit again → save → evaluate → publish."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from scipy.sparse import csr_array

from inference import artifact
from inference.history import EventWeighting
from inference.recommender import Recommender
from inference.scorers import HybridScorer
from inference.sparse import SparseRows
from inference.texts import Texts
from inference.vocabulary import Vocabulary
from training import report
from training.config import TrainingConfig
from training.content_features import content_features, embedding
from training.data.dataset import Catalogue, Dataset
from training.data.errors import UserDataError
from training.data.extract import CHANNELS, EVENT_CHANNELS, extract
from training.evaluation.cases import known_listener_cases, new_listener_cases
from training.evaluation.evaluate import Context, Evaluation, evaluate
from training.fitting import Fitted, fit
from training.model_card import model_card
from training.progress import log, stage
from training.publish import fingerprint, writing
from training.split import Split, split_listeners

NO_EVENTS = "there are no listening events to hold out"
NO_EVALUATION = "too few listeners with enough songs to hold some out"


def run(config: TrainingConfig, channels: Mapping[str, Path], model_dir: Path, output_dir: Path, threads: int = 1) -> None:
    """Trains on the channels, in ``threads`` threads, and leaves a model in ``model_dir`` and a report in ``output_dir``.

    Raises ``UserDataError`` where the data can't be used. What is evaluated is the model that is left, opened by the code that serves it.
    """
    if unread := sorted(set(channels) - set(CHANNELS)):
        log("channels_not_read", channels=",".join(unread), reason=f"the channels that are read are called {', '.join(CHANNELS)}")
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
