"""Fits the models, and the hybrid over them."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from inference.recommender import POPULARITY
from inference.scorers import HybridScorer, Scorer
from training.candidates import CONTENT, Workshop, fit_model, trainable
from training.config import TrainingConfig
from training.data.dataset import Dataset
from training.order import case_with_order
from training.progress import log, stage
from training.split import Case, Split
from training.trainers import compiled, hybrid
from training.trainers.base import Features
from training.trainers.pool import Pool
from training.tuning import Clock, tune

AUTO = "auto"
# Under tune=auto the cheap models come first, so that a short budget has something to weigh.
_BY_COST = (
    *("popularity", "sessions", "words", "similar_songs", "transitions", "artist", "graph", "content", "item_knn", "pearson"),
    *("cease", "als", "spectral", "ease"),
)
_LENGTH = 200  # of the operator's rows, where there is nothing to find a shorter one on


@dataclass(frozen=True)
class Fitted:
    """Finished scorers by name, the hybrid over them, each model's quality on the validation listeners (empty: there were too few), and
    the configuration with the settings that were found."""

    scorers: Mapping[str, Scorer]
    hybrid: HybridScorer
    validation: Mapping[str, float]
    config: TrainingConfig


@dataclass(frozen=True)
class _Found:
    """What was found on the validation listeners: settings, weights, length of the operator's rows (None: no operator), quality."""

    config: TrainingConfig
    weights: Mapping[str, float]
    longest: int | None
    quality: Mapping[str, float]


def fit(config: TrainingConfig, dataset: Dataset, features: Features | None, user_items: csr_array, split: Split, threads: int) -> Fitted:
    """Fits the models without what validation hides, finds weights (and settings, with ``tune=auto``) on that, then fits again with it.

    ``features``: of the songs of the catalogue; None without one. Popularity is fitted in any case: it fills up what others leave open.
    """
    workshop = Workshop(dataset, features, user_items, threads)
    blended = trainable(config, dataset)
    names = list(dict.fromkeys([*blended, POPULARITY]))
    validates = len(split.validation) >= hybrid.MIN_CASES and (config.tune == AUTO or (len(blended) > 1 and not config.hybrid.weights))
    if validates:
        found, kept = _find(config, workshop, split, names, blended)
    else:
        found, kept = _Found(config, {}, _LENGTH, {}), {}
    data = workshop.data(found.config, split.relearn)
    dropped = {name for name in names if config.tune == AUTO and found.weights and not found.weights.get(name)} - {POPULARITY, CONTENT}
    kept = {name: scorer for name, scorer in kept.items() if name == CONTENT}  # which does not depend on the listeners
    scorers = {name: kept.get(name) or fit_model(found.config, data, name) for name in names if name not in dropped}
    weights = dict(found.weights) or _given_weights(found.config, scorers, blended, workshop, split)
    operator = None
    if config.hybrid.compile and found.longest is not None:
        operator = compiled.compiled(scorers, weights, found.longest, config.memory_limit_gb)
    return Fitted(scorers, HybridScorer(scorers, weights, operator), found.quality, found.config)


def _find(
    config: TrainingConfig, workshop: Workshop, split: Split, names: Sequence[str], blended: Sequence[str]
) -> tuple[_Found, dict[str, Scorer]]:
    started, k = time.monotonic(), max(config.evaluation.k)
    data = workshop.data(config, split.learn)
    clock = Clock(started + 60 * config.tune_minutes)
    scorers: dict[str, Scorer] = {}
    for name in sorted(names, key=_cost) if config.tune == AUTO else names:
        spent = time.monotonic() - started
        is_needed = name in (POPULARITY, CONTENT) or not set(scorers) & set(blended)
        if config.tune == AUTO and not is_needed and spent > 60 * config.tune_minutes / 3:
            log("no_time_for", model=name, spent=round(spent), tune_minutes=config.tune_minutes)
            continue
        scorers[name] = clock.timed(lambda config, name: fit_model(config, data, name), config, name)
    with stage("blend", listeners=len(split.validation)) as facts:
        pool = Pool.of({name: scorers[name] for name in blended if name in scorers}, split.validation, config.hybrid.pool)
        weights, quality = hybrid.fit_weights(pool, config.hybrid, k)
        facts |= {f"weight_{name}": weight for name, weight in weights.items()}
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
    found, better = hybrid.fit_weights(scored, config.hybrid, max(config.evaluation.k))
    log("tuning", before=round(quality["hybrid"], 4), after=round(better["hybrid"], 4))
    if better["hybrid"] < quality["hybrid"]:  # better alone, but not together
        scorers.update(before)
        return config, pool, weights, quality
    return tuned, scored, found, better


def _cost(name: str) -> int:
    return _BY_COST.index(name)


def _given_weights(
    config: TrainingConfig, scorers: Mapping[str, Scorer], blended: Sequence[str], workshop: Workshop, split: Split
) -> dict[str, float]:
    """Returns the weights of the user's shares, or of ours where there was nothing to find better ones on; 1 for a single model."""
    parts = {name: scorers[name] for name in blended}
    shares = config.hybrid.weights or hybrid.DEFAULT_WEIGHTS
    if len(parts) == 1:
        return dict.fromkeys(parts, 1.0)
    seen = [case_with_order(case, workshop.dataset, workshop.user_items) for case in _some_listeners(split.relearn)]
    return hybrid.default_weights(parts, seen, config.hybrid.pool, shares)


def _some_listeners(user_items: csr_array, limit: int = 200) -> list[Case]:
    nothing = np.empty(0, dtype=np.int32)
    users = np.flatnonzero(np.diff(user_items.indptr))[:limit]  # the models' own listeners: nothing of a held-out one may reach the weights
    return [Case(u, user_items.indices[user_items.indptr[u] : user_items.indptr[u + 1]], nothing) for u in users.tolist()]
