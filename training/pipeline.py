"""The way from channels to a model: extract → report on the data → features → split → fit → blend → fit again → save → evaluate."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from scipy.sparse import csr_array

from inference import artifact
from inference.recommender import POPULARITY, Recommender
from inference.rerank.defaults import Defaults
from training import report
from training.assemble import assembled, metadata_of
from training.candidates import Workshop, trainable
from training.checkpoints import Checkpoints, identity_of
from training.config import TrainingConfig
from training.data.channel import ChannelPath
from training.data.dataset import Dataset
from training.data.engine import Engine, LocalEngine
from training.data.errors import UserDataError
from training.data.extract import CHANNELS, EVENT_CHANNELS, extract
from training.earlier import Earlier
from training.evaluation.cases import TEST, known_listener_cases, split_cases
from training.evaluation.context import Context
from training.evaluation.details import DETAILS_NPZ, write_details, write_split
from training.evaluation.evaluate import Evaluation, evaluate
from training.evaluation.split_file import SPLIT_NPZ
from training.features import fit_transform
from training.fitting import Fitted, fit
from training.lineage import lineage_facts, write_lineage
from training.model_card import model_card
from training.order import with_order
from training.progress import log, log_text, stage
from training.publish import fingerprint, writing
from training.quality.monitor_baseline import write_baseline
from training.quality.report import summary, write_quality_report
from training.reranking import check_defaults, rerank_defaults
from training.so_far import fitted_so_far
from training.split import Split, split_interactions
from training.stopping import Stopped
from training.trainers.base import Features

NO_EVENTS = "there are no listening events to hold out"
STOPPED_EARLY = "training was stopped before it was done; the models that were finished by then make up this one"
NO_EVALUATION = "too few listeners with enough songs to hold some out"


def run(
    config: TrainingConfig,
    channels: Mapping[str, ChannelPath],
    model_dir: Path,
    output_dir: Path,
    threads: int = 1,
    engine: Engine | None = None,
    sharded: Collection[str] = (),
    *,
    earlier: Earlier | None = None,
    checkpoints: Checkpoints | None = None,
    origin: Mapping[str, str] | None = None,
) -> None:
    """Trains on the channels, in ``threads`` threads, and leaves a model in ``model_dir`` and reports in ``output_dir``.

    ``engine`` reads the data (this process, if None); ``sharded`` are the channels of which each host has a part; ``earlier`` is a model
    whose weights are taken, if they can be (its settings are those of ``config``: see ``Earlier.continued``). What
    ``checkpoints`` hold of this very training is not done again. When it is ``Stopped``, a model is made of the parts that are finished,
    if there are any, and the exception goes on. ``origin``: what the platform calls this job and its machine, for ``lineage.json``. Raises
    ``UserDataError`` where the data can't be used. What is evaluated is the model that is left, opened by the code that serves it.
    """
    started = datetime.now(UTC)
    ready = _prepare(config, channels, output_dir, threads, engine, sharded)
    keep = checkpoints or Checkpoints()
    if keep.folder is not None:
        keep.begin(identity_of(config, ready.dataset, None if earlier is None else earlier.version))
    workshop = Workshop(ready.dataset, ready.features, ready.user_items, threads)
    ending = _Ending(model_dir, output_dir, started, None if earlier is None else earlier.version, origin or {})
    try:
        _publish(ready, fit(config, workshop, ready.split, earlier, keep), ending)
    except Stopped:
        if not ending.is_done and (found := fitted_so_far(config, workshop, ready.split, keep)) is not None:
            fitted, unfinished = found
            _publish(ready, fitted, ending, unfinished)
        raise


@dataclass
class _Ending:
    """Where a finished model goes, and what is to be said of it. ``is_done``: it is there."""

    model_dir: Path
    output_dir: Path
    started: datetime
    earlier: str | None
    origin: Mapping[str, str]
    is_done: bool = False


def _publish(ready: _Ready, fitted: Fitted, ending: _Ending, unfinished: Sequence[str] | None = None) -> None:
    """Saves and evaluates the model, and puts all of it in its place. ``unfinished``: the models that are missing where training was
    stopped (None: it was not); then there is no time to evaluate, and ``model.json`` says so."""
    config, dataset, split, output_dir = fitted.config, ready.dataset, ready.split, ending.output_dir
    with writing(ending.model_dir) as partial:
        with stage("save"):
            lineage = lineage_facts(dataset, config, ending.earlier)
            info = {
                "configuration": config.to_flat_dict(),
                "lineage": lineage,
                "data": {"fingerprint": fingerprint(dataset), **_counts(dataset)},
                "validation": dict(fitted.validation),
                "found": {"operator_length": fitted.longest},
            }
            if unfinished is not None:
                info["stopped_early"] = {"unfinished": list(unfinished)}
            recommender = assembled(config, dataset, ready.user_items, split, fitted, ready.features, ready.defaults)
            artifact.save(recommender, partial, info)
        evaluations = []
        if unfinished is None:
            evaluations = _evaluate(config, dataset, split, artifact.load(partial, verify=True), output_dir)
        reason = NO_EVALUATION if len(dataset.interactions) else NO_EVENTS
        reason = "" if evaluations else reason if unfinished is None else STOPPED_EARLY
        metrics = {evaluation.source: evaluation.to_json() for evaluation in evaluations}
        artifact.write_model_json(partial, {**artifact.read_model_json(partial), "metrics": metrics})
        card = model_card(config, _counts(dataset), fitted.hybrid.weights, evaluations, reason)
        (partial / "model_card.md").write_text(card, encoding="utf-8")
        report.publish(evaluations, output_dir, reason)
        write_lineage(lineage, output_dir, ending.started, datetime.now(UTC), artifact.read_model_json(partial), ending.origin)
    ending.is_done = True


def validate(
    config: TrainingConfig,
    channels: Mapping[str, ChannelPath],
    output_dir: Path,
    threads: int = 1,
    engine: Engine | None = None,
    sharded: Collection[str] = (),
) -> None:
    """Reads the channels and writes the report on them, as ``run`` does, and fits nothing.

    Raises the ``UserDataError`` that ``run`` would raise before it fits the first model.
    """
    ready = _prepare(config, channels, output_dir, threads, engine, sharded)
    log("valid", models=",".join(trainable(config, ready.dataset)))


@dataclass(frozen=True)
class _Ready:
    """Everything that models are fitted on. ``defaults``: of the re-ranker; ``user_items``: all interactions."""

    dataset: Dataset
    features: Features | None
    defaults: Defaults
    user_items: csr_array
    split: Split


def _prepare(
    config: TrainingConfig,
    channels: Mapping[str, ChannelPath],
    output_dir: Path,
    threads: int,
    engine: Engine | None,
    sharded: Collection[str],
) -> _Ready:
    """Raises ``UserDataError`` where the data can't be used, or the settings do not fit them."""
    defaults = rerank_defaults(config.rerank)
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
    with stage("monitor_baseline"):
        write_baseline(dataset, None if features is None else features[1], output_dir)
    check_defaults(defaults, dataset, features, metadata_of(dataset))
    user_items = dataset.interactions.user_items(dataset.n_users, dataset.n_items)
    split = split_interactions(user_items, dataset.interactions.timestamps, config.split, config.seed, hold_out_test=dataset.test is None)
    split = with_order(split, dataset, user_items)
    log("split", kind=split.kind, train=_listeners(split.learn), validation=len(split.validation), test=len(split.test))
    return _Ready(dataset, features, defaults, user_items, split)


def _features(config: TrainingConfig, dataset: Dataset) -> Features | None:
    """The features of the songs, and how they are made of a new song's attributes. They are fitted on the songs of the catalogue."""
    if dataset.catalogue is None:
        return None
    with stage("features", songs=int(dataset.catalogue.known.sum())) as facts:
        features = fit_transform(dataset.catalogue, config.features, dataset.catalogue.known, config.seed)
        facts["columns"] = len(features[1])
    return features


def _evaluate(config: TrainingConfig, dataset: Dataset, split: Split, recommender: Recommender, output_dir: Path) -> list[Evaluation]:
    if dataset.test is not None:
        found = known_listener_cases(dataset.user_ids, dataset.test.users, dataset.test.items, split.relearn)
        sources = {TEST: found} if found else {}
    else:
        sources = split_cases(split, dataset.item_ids, dataset.user_ids, in_seconds=dataset.interactions.timestamps is not None)
    if not sources:
        return []
    context = Context.of(recommender, _listeners(split.relearn), config, dataset.item_ids)
    most = max(len(cases) for cases in sources.values())
    singles = (
        recommender.scorers if most <= config.evaluation.single_models_up_to else [POPULARITY]
    )  # each would take as long as the hybrid
    rankers = {recommender.model: recommender, **{name: recommender.with_model(name) for name in singles}}
    evaluations = [evaluate(source, recommender.model, rankers, cases, config.evaluation.k, context) for source, cases in sources.items()]
    if config.evaluation.details:
        write_split(split, list(sources.values())[-1], context, output_dir / SPLIT_NPZ)
        write_details(evaluations, output_dir / DETAILS_NPZ)
    return evaluations


def _listeners(matrix: csr_array) -> int:
    return int(np.count_nonzero(np.diff(matrix.indptr)))


def _counts(dataset: Dataset) -> dict[str, int]:
    sizes = {"listeners": dataset.n_users, "songs": dataset.n_items, "interactions": len(dataset.interactions)}
    return sizes | dict(sorted(dataset.counts.items()))
