"""Fits the models, and the hybrid over them."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from scipy.sparse import csr_array

from inference.recommender import POPULARITY
from inference.scorers import HybridScorer, Scorer
from training.candidates import CONTENT, Workshop, fit_model, trainable
from training.checkpoints import FINAL, FIRST, Checkpoints
from training.config import TrainingConfig
from training.costs import expected_seconds
from training.earlier import Earlier
from training.order import case_with_order
from training.progress import log, stage
from training.split import BLOCK, Case, Split
from training.trainers import compiled, hybrid
from training.trainers.pool import Pool
from training.tuning import Clock, tune

AUTO = "auto"
# Under tune=auto the cheap models come first, so that a short budget has something to weigh.
_BY_COST = (
    *("popularity", "sessions", "words", "similar_songs", "transitions", "artist", "graph", "content", "item_knn", "pearson"),
    *("cease", "als", "spectral", "ease"),
)
_LENGTH = 100  # of the operator's rows, where there is nothing to find the right one on
# Models that take long to fit do not learn once more what validation hid, where that is less than this share of the interactions.
_WORTH_LEARNING, _SLOW_TO_FIT = 0.01, ("ease", "cease", "spectral", "als")


@dataclass(frozen=True)
class Fitted:
    """Finished scorers by name, the hybrid over them, each model's quality on the validation listeners (empty: there were too few), the
    configuration with the settings that were found, and how long the rows of the operator may be (None: there is none)."""

    scorers: Mapping[str, Scorer]
    hybrid: HybridScorer
    validation: Mapping[str, float]
    config: TrainingConfig
    longest: int | None = None


@dataclass(frozen=True)
class _Found:
    """What was found on the validation listeners: settings, weights, length of the operator's rows (None: no operator), quality."""

    config: TrainingConfig
    weights: Mapping[str, float]
    longest: int | None
    quality: Mapping[str, float]

    def to_json(self) -> dict[str, Any]:
        return {**dataclasses.asdict(self), "config": self.config.to_flat_dict()}

    @classmethod
    def of_json(cls, document: Mapping[str, Any]) -> Self:
        return cls(**{**document, "config": TrainingConfig.from_hyperparameters(document["config"])})


def fit(
    config: TrainingConfig,
    workshop: Workshop,
    split: Split,
    earlier: Earlier | None = None,
    checkpoints: Checkpoints | None = None,
) -> Fitted:
    """Fits the models without what validation hides, finds weights (and settings, with ``tune=auto``) on that, then fits again with it.

    The models that take longest are kept as they are where validation hid too little to matter (``_WORTH_LEARNING``).

    Popularity is fitted in any case: it fills up what others leave open.
    ``earlier``: a model whose weights are taken in place of finding them, where it has all models; then each is fitted once.
    ``checkpoints``: what is finished already is taken from there, and what gets finished is put there.
    """
    keep = checkpoints or Checkpoints()
    blended = trainable(config, workshop.dataset)
    names = list(dict.fromkeys([*blended, POPULARITY]))
    validates = len(split.validation) >= hybrid.MIN_CASES and (config.tune == AUTO or (len(blended) > 1 and not config.hybrid.weights))
    taken = None if earlier is None else earlier.weights_for(blended, config)
    found, kept = _Found(config, {}, _LENGTH, {}), dict[str, Scorer]()
    if earlier is not None and taken is not None:
        found = _Found(config, taken, earlier.longest, {})
    elif validates and (document := keep.found()) is not None:
        found = _Found.of_json(document)
    elif validates:
        found, kept = _find(config, workshop, split, names, blended, keep)
        keep.finished.update(kept)  # with the settings that were found
        kept = {name: scorer for name, scorer in kept.items() if name in _settled(split)}
        for name, scorer in kept.items():
            keep.put(FINAL, name, found.config, scorer)
        keep.put_found(found.to_json())  # after them: who takes it up knows nothing of what else was fitted
    keep.settled = (found.config, dict(found.weights))
    data = workshop.data(found.config, split.relearn)
    dropped = {name for name in names if config.tune == AUTO and found.weights and not found.weights.get(name)} - {POPULARITY, CONTENT}

    def final(name: str) -> Scorer:
        return keep.scorer(FINAL, name, found.config, lambda: fit_model(found.config, data, name))

    scorers = {name: kept.get(name) or final(name) for name in names if name not in dropped}
    weights = dict(found.weights) or given_weights(found.config, scorers, blended, workshop, split)
    operator = None
    if config.hybrid.compile and found.longest is not None:
        operator = compiled.compiled(scorers, weights, found.longest, config.memory_limit_gb)
    used = replace(found.config, models=tuple(name for name in names if name in scorers)) if config.tune == AUTO else found.config
    return Fitted(scorers, HybridScorer(scorers, weights, operator), found.quality, used, found.longest)


def _settled(split: Split) -> set[str]:
    """Returns the models that need not be fitted again."""
    settled = {CONTENT}  # which does not depend on the listeners
    if split.relearn.nnz - split.learn.nnz < _WORTH_LEARNING * split.relearn.nnz:
        settled |= set(_SLOW_TO_FIT)
    return settled


def _find(
    config: TrainingConfig, workshop: Workshop, split: Split, names: Sequence[str], blended: Sequence[str], keep: Checkpoints
) -> tuple[_Found, dict[str, Scorer]]:
    started, k = time.monotonic(), max(config.evaluation.k)
    data = workshop.data(config, split.learn)
    clock = Clock(started + 60 * config.tune_minutes)
    scorers: dict[str, Scorer] = {}
    given = config

    def first(name: str) -> Scorer:
        return keep.scorer(FIRST, name, given, lambda: fit_model(given, data, name))

    for name in sorted(names, key=_cost) if config.tune == AUTO else names:
        spent = time.monotonic() - started
        is_needed = name in (POPULARITY, CONTENT) or not set(scorers) & set(blended)
        expected = expected_seconds(name, data, config)
        # All that is fitted once is likely to be fitted again.
        if config.tune == AUTO and not is_needed and max(3 * spent, spent + 2 * expected) > 60 * config.tune_minutes:
            log("no_time_for", model=name, spent=round(spent), expected=round(expected), tune_minutes=config.tune_minutes)
            continue
        scorers[name] = first(name)
        clock.seconds[name] = keep.seconds[name]
    with stage("blend", listeners=len(split.validation)) as facts:
        pool = Pool.of({name: scorers[name] for name in blended if name in scorers}, split.validation, config.hybrid.pool)
        weights, quality = hybrid.fit_weights(pool, config.hybrid, k, same_manner=split.kind != BLOCK)
        facts |= {f"weight_{name}": weight for name, weight in weights.items()}
    keep.settled = (config, weights)
    if config.tune == AUTO:
        with stage("tune"):
            config, pool, weights, quality = _tuned(config, workshop, split, scorers, pool, weights, quality, clock)
    longest = None
    if config.hybrid.compile:
        longest = compiled.shortest_that_keeps(scorers, weights, pool, k, config.hybrid.metric, config.memory_limit_gb)
    log("operator", longest=longest)
    return _Found(config, weights, longest, quality), scorers


def _tuned(
    config: TrainingConfig,
    workshop: Workshop,
    split: Split,
    scorers: dict[str, Scorer],
    pool: Pool,
    weights: dict[str, float],
    quality: dict[str, float],
    clock: Clock,
) -> tuple[TrainingConfig, Pool, dict[str, float], dict[str, float]]:
    """Tunes the models that have a weight, the heaviest first, then the others that are quick, and finds the weights again."""
    scales = pool.scales()
    share = {name: weight * scales[name] for name, weight in weights.items()}
    in_use = sorted((name for name in share if share[name] > 0), key=lambda name: -share[name])
    quick = [name for name in share if share[name] == 0 and clock.seconds[name] < 2.0]
    clock.reserved = sum(clock.seconds[name] for name in in_use) * 1.2
    data = workshop.data(config, split.learn)
    has_times = workshop.dataset.interactions.timestamps is not None
    before = scorers.copy()

    def again(trial: TrainingConfig, name: str) -> Scorer:
        return fit_model(trial, data, name)

    tuned, scored = tune(config, scorers, pool, [*in_use, *quick], again, clock, has_times=has_times)
    found, better = hybrid.fit_weights(scored, config.hybrid, max(config.evaluation.k), same_manner=split.kind != BLOCK)
    log("tuning", before=round(quality["hybrid"], 4), after=round(better["hybrid"], 4))
    if better["hybrid"] < quality["hybrid"]:  # better alone, but not together
        scorers.update(before)
        return config, pool, weights, quality
    return tuned, scored, found, better


def _cost(name: str) -> int:
    return _BY_COST.index(name)


def given_weights(
    config: TrainingConfig,
    scorers: Mapping[str, Scorer],
    blended: Sequence[str],
    workshop: Workshop,
    split: Split,
    listeners: int = 200,
) -> dict[str, float]:
    """Returns the weights of the user's shares, or of ours where there was nothing to find better ones on; 1 for a single model."""
    parts = {name: scorers[name] for name in blended}
    shares = config.hybrid.weights or hybrid.DEFAULT_WEIGHTS
    if len(parts) == 1:
        return dict.fromkeys(parts, 1.0)
    seen = [case_with_order(case, workshop.dataset, workshop.user_items) for case in _some_listeners(split.relearn, listeners)]
    return hybrid.default_weights(parts, seen, config.hybrid.pool, shares)


def _some_listeners(user_items: csr_array, limit: int) -> list[Case]:
    nothing = np.empty(0, dtype=np.int32)
    users = np.flatnonzero(np.diff(user_items.indptr))[:limit]  # the models' own listeners: nothing of a held-out one may reach the weights
    return [Case(u, user_items.indices[user_items.indptr[u] : user_items.indptr[u + 1]], nothing) for u in users.tolist()]
