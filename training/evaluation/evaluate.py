"""Asks the finished recommender, through the code that serves, and judges what it answers. All songs are ranked; nothing is sampled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from inference.request import Request
from training.evaluation import metrics
from training.evaluation.bootstrap import Estimate, estimate, paired_difference
from training.evaluation.cases import Case
from training.progress import stage, track

COMPARED = ("recall", "ndcg")


class Ranker(Protocol):
    """What evaluation asks: the inference room's ``Recommender``."""

    def rank(self, request: Request) -> NDArray[Any]:
        """Returns song numbers, best first, at most ``request.num_recommendations``."""


@dataclass(frozen=True)
class Context:
    """What the measures need to know beside the lists. ``item_listeners`` (songs,) and ``n_listeners`` count those in train; ``features``
    (songs × features) float32 says what songs are like, or is None where no catalogue was given; then there is no diversity."""

    item_listeners: NDArray[np.int64]
    n_listeners: int
    features: NDArray[np.float32] | None = None
    bootstrap_samples: int = 1000
    seed: int = 42


@dataclass(frozen=True)
class ModelReport:
    """One model's quality: an estimate for each measure (``recall_at_20``), a coverage for each k, and the values behind them."""

    name: str
    metrics: Mapping[str, Estimate]
    coverage: Mapping[str, float]
    per_listener: Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True)
class Evaluation:
    """All models on the same listeners. ``source`` is ``holdout`` or ``test``, ``main`` the model that serves; ``differences`` says by how
    much it beats each other model, paired by listener."""

    source: str
    main: str
    ks: tuple[int, ...]
    n_listeners: int
    models: Mapping[str, ModelReport]
    differences: Mapping[str, Mapping[str, Estimate]]

    def to_json(self) -> dict[str, Any]:
        """Returns JSON's types, without anything that differs between two runs of the same job."""
        return {
            "source": self.source,
            "main": self.main,
            "k": list(self.ks),
            "listeners": self.n_listeners,
            "models": {name: _model_json(report) for name, report in self.models.items()},
            "difference_to_main": {
                name: {metric: value.to_json() for metric, value in values.items()} for name, values in self.differences.items()
            },
        }


def evaluate(
    source: str, main: str, rankers: Mapping[str, Ranker], cases: Sequence[Case], ks: Sequence[int], context: Context
) -> Evaluation:
    """Judges every ranker on the same cases. ``main`` must be among them. Raises ``ValueError`` where there are no cases."""
    ks = tuple(sorted(ks))
    reports: dict[str, ModelReport] = {}
    for name, ranker in rankers.items():
        with stage("evaluate", source=source, model=name, listeners=len(cases)):
            reports[name] = evaluate_model(name, ranker, cases, ks, context)
    chosen = [f"{metric}_at_{ks[-1]}" for metric in COMPARED]
    best = reports[main].per_listener
    differences = {
        name: {
            metric: paired_difference(best[metric], report.per_listener[metric], context.bootstrap_samples, context.seed)
            for metric in chosen
        }
        for name, report in reports.items()
        if name != main
    }
    return Evaluation(source, main, ks, len(cases), reports, differences)


def evaluate_model(name: str, ranker: Ranker, cases: Sequence[Case], ks: Sequence[int], context: Context) -> ModelReport:
    """Asks for a list of the longest k in each case and judges it at every k. Raises ``ValueError`` where there are no cases."""
    if not cases:
        raise ValueError("there is no listener to evaluate on")
    recommended = _ask(name, ranker, cases, max(ks))
    hits = metrics.find_hits(recommended, [case.relevant for case in cases])
    n_relevant = np.array([len(case.relevant) for case in cases], dtype=np.int64)
    values = {f"{metric}_at_{k}": function(hits, n_relevant, k) for metric, function in metrics.ACCURACY.items() for k in ks}
    for k in ks:
        if context.features is not None:
            values[f"diversity_at_{k}"] = metrics.diversity(recommended, k, context.features)
        values[f"novelty_at_{k}"] = metrics.novelty(recommended, k, context.item_listeners, context.n_listeners)
    estimates = estimate(np.column_stack(list(values.values())), context.bootstrap_samples, context.seed)
    coverage = {f"coverage_at_{k}": metrics.coverage(recommended, k, len(context.item_listeners)) for k in ks}
    known = {metric: one for metric, one in zip(values, estimates, strict=True) if not np.isnan(one.mean)}
    return ModelReport(name, known, coverage, values)


def _ask(name: str, ranker: Ranker, cases: Sequence[Case], length: int) -> NDArray[np.int32]:
    recommended = np.full((len(cases), length), -1, dtype=np.int32)
    for row, case in enumerate(track(cases, len(cases), f"evaluate {name}")):
        numbers = ranker.rank(replace(case.request, num_recommendations=length))
        recommended[row, : len(numbers)] = numbers
    return recommended


def _model_json(report: ModelReport) -> dict[str, Any]:
    measured: dict[str, Any] = {name: value.to_json() for name, value in report.metrics.items()}
    return measured | {name: {"mean": round(value, 6)} for name, value in report.coverage.items()}
