"""The way from channels to a model: extract → report on the data → features → split → fit → blend → fit again → save → evaluate."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from inference import artifact
from inference.context import ContextWords
from inference.history import EventWeighting
from inference.known import ListenerWords
from inference.order import StoredOrder
from inference.recommender import Recommender
from inference.scorers import HybridScorer
from inference.sparse import SparseRows
from inference.texts import Texts
from inference.vocabulary import Vocabulary
from training import report
from training.config import TrainingConfig
from training.content_features import content_features, embedding, similarity_of
from training.data.channel import ChannelPath
from training.data.dataset import Catalogue, Dataset
from training.data.dataset import ListenerWords as SaidOfListeners
from training.data.engine import Engine, LocalEngine
from training.data.errors import UserDataError
from training.data.extract import CHANNELS, EVENT_CHANNELS, extract
from training.evaluation.cases import known_listener_cases
from training.evaluation.evaluate import Context, Evaluation, evaluate
from training.features import fit_transform
from training.fitting import Fitted, fit
from training.lineage import lineage_facts, write_lineage
from training.model_card import model_card
from training.order import asked_as_new, decayed, with_order
from training.progress import log, log_text, stage
from training.publish import fingerprint, writing
from training.quality.report import summary, write_quality_report
from training.split import Split, split_listeners
from training.trainers.base import Features

NO_EVENTS = "there are no listening events to hold out"
NO_EVALUATION = "too few listeners with enough songs to hold some out"


def run(
    config: TrainingConfig,
    channels: Mapping[str, ChannelPath],
    model_dir: Path,
    output_dir: Path,
    threads: int = 1,
    engine: Engine | None = None,
    sharded: Collection[str] = (),
) -> None:
    """Trains on the channels, in ``threads`` threads, and leaves a model in ``model_dir`` and reports in ``output_dir``.

    ``engine`` reads the data (this process, if None); ``sharded`` are the channels of which each host has a part. Raises
    ``UserDataError`` where the data can't be used. What is evaluated is the model that is left, opened by the code that serves it.
    """
    started = datetime.now(UTC)
    if unread := sorted(set(channels) - set(CHANNELS)):
        log("channels_not_read", channels=",".join(unread), reason=f"the channels that are read are called {', '.join(CHANNELS)}")
    with stage("extract") as facts:
        dataset = extract(channels, config, engine or LocalEngine(threads), sharded)
        facts |= {"listeners": dataset.n_users, "songs": dataset.n_items, "interactions": len(dataset.interactions), **dataset.counts}
    if not len(dataset.interactions) and any(name in channels for name in EVENT_CHANNELS):
        raise UserDataError("Put events into the channel interactions: there is not one. To train on the catalogue alone, leave it out.")
    with stage("quality_report"):
        log_text("\n".join(summary(write_quality_report(dataset, config, output_dir))))
    features = _features(config, dataset)
    user_items = dataset.interactions.user_items(dataset.n_users, dataset.n_items)
    split = split_listeners(user_items, config.split, config.seed, hold_out_test=dataset.test is None)
    split = with_order(split, dataset, user_items)
    log("split", train=int(split.train.sum()), validation=len(split.validation), test=len(split.test))
    fitted = fit(config, dataset, features, decayed(user_items, dataset.interactions.timestamps, _weighting(config)), split, threads)
    with writing(model_dir) as partial:
        with stage("save"):
            lineage = lineage_facts(dataset, config)
            info = {
                "configuration": config.to_flat_dict(),
                "lineage": lineage,
                "data": {"fingerprint": fingerprint(dataset), **_counts(dataset)},
                "validation": dict(fitted.validation),
            }
            artifact.save(_recommender(config, dataset, user_items, split, fitted, features), partial, info)
        evaluations = _evaluate(config, dataset, split, artifact.load(partial, verify=True))
        reason = "" if evaluations else NO_EVALUATION if len(dataset.interactions) else NO_EVENTS
        metrics = {evaluation.source: evaluation.to_json() for evaluation in evaluations}
        artifact.write_model_json(partial, {**artifact.read_model_json(partial), "metrics": metrics})
        card = model_card(config, _counts(dataset), fitted.weights, evaluations, reason)
        (partial / "model_card.md").write_text(card, encoding="utf-8")
        report.publish(evaluations, output_dir, reason)
        write_lineage(lineage, output_dir, started, datetime.now(UTC), artifact.read_model_json(partial))


def _features(config: TrainingConfig, dataset: Dataset) -> Features | None:
    """The features of the songs, and how they are made of a new song's attributes. They are fitted on the songs of the catalogue."""
    if dataset.catalogue is None:
        return None
    with stage("features", songs=int(dataset.catalogue.known.sum())) as facts:
        features = fit_transform(dataset.catalogue, config.features, dataset.catalogue.known, config.seed)
        facts["columns"] = len(features[1])
    return features


def _recommender(
    config: TrainingConfig, dataset: Dataset, user_items: csr_array, split: Split, fitted: Fitted, features: Features | None
) -> Recommender:
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
        order=_order(dataset),
        words=None if dataset.listener_words is None else _words(dataset.listener_words),
        **_content(config, features),
    )


def _content(config: TrainingConfig, features: Features | None) -> dict[str, Any]:
    if features is None:
        return {}
    transform, store = features
    return {"transform": transform, "features": store, "similarity": similarity_of(transform, store, config.content)}


def _order(dataset: Dataset) -> StoredOrder | None:
    interactions = dataset.interactions
    return None if interactions.order is None else StoredOrder(interactions.order, interactions.timestamps is not None)


def _words(said: SaidOfListeners) -> ListenerWords:
    ones = np.ones(said.rows.nnz, dtype=np.float32)
    rows = SparseRows(said.rows.indptr.astype(np.int64), said.rows.indices.astype(np.int32), ones, len(said.words))
    return ListenerWords(ContextWords(Vocabulary.of(said.words), said.texts, said.categories), rows)


def _weighting(config: TrainingConfig) -> EventWeighting:
    by_type = {kind.strip().casefold(): weight for kind, weight in config.data.event_weights.items()}
    return EventWeighting(config.data.weighting, by_type, config.data.min_event_value, config.data.half_life_days)


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
        cases = asked_as_new(split.test, dataset)
    if not cases:
        return []
    features = None
    if recommender.similarity is not None and recommender.features is not None:
        features = embedding(content_features(recommender.similarity, recommender.features), recommender.features, config.seed)
    listeners = recommender.listeners.astype(np.int64)
    n_listeners = max(1, int(split.train.sum()) + len(split.validation))
    context = Context(listeners, n_listeners, features, config.evaluation.bootstrap_samples, config.seed)
    rankers = {recommender.model: recommender, **{name: recommender.with_model(name) for name in recommender.scorers}}
    return [evaluate(source, recommender.model, rankers, cases, config.evaluation.k, context)]


def _counts(dataset: Dataset) -> dict[str, int]:
    sizes = {"listeners": dataset.n_users, "songs": dataset.n_items, "interactions": len(dataset.interactions)}
    return sizes | dict(sorted(dataset.counts.items()))
