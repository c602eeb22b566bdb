"""Asks the finished recommender, through the code that serves, and judges what it answers. All songs are ranked; nothing is sampled
unless the user asks for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.evaluation import exposure, metrics, taste
from training.evaluation.amounts import by_listener_events, by_song_events
from training.evaluation.bootstrap import Estimate, estimate, paired_difference
from training.evaluation.cases import SONG_AMONG_THEMSELVES, Case, Ranker, ask
from training.evaluation.cold import cold_songs
from training.evaluation.context import Context
from training.evaluation.sampled import WARNING, sampled_measures, sampled_places
from training.progress import log, stage

COMPARED = ("recall", "ndcg")
PRIMITIVE = "popularity"  # what everybody would expect: serendipity is measured against its lists


@dataclass(frozen=True)
class ModelReport:
    """One model's quality: an estimate for each measure (``recall_at_20``), a coverage for each k, the other measures of all lists together
    (``exposure``), recall by how many listeners a song had, and what is behind it: the values per listener, and the lists themselves
    (int32 listeners × longest k, padded with -1)."""

    name: str
    metrics: Mapping[str, Estimate]
    coverage: Mapping[str, float]
    per_listener: Mapping[str, NDArray[np.float64]]
    exposure: Mapping[str, float] = field(default_factory=dict)
    by_song_events: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    recommended: NDArray[np.int32] = field(default_factory=lambda: np.empty((0, 0), dtype=np.int32))


@dataclass(frozen=True)
class Evaluation:
    """All models on the same listeners. ``source`` is ``holdout`` or ``test`` (or one of the two of held-out songs), ``main`` the model
    that serves; ``differences`` says by how much it beats each other model, paired by listener; ``by_listener_events`` how good they are
    when only a part of the history is sent; ``cold_songs`` what songs without listeners bring the main model's lists, and cost them;
    ``warning`` is for whoever reads the figures, or empty."""

    source: str
    main: str
    ks: tuple[int, ...]
    n_listeners: int
    models: Mapping[str, ModelReport]
    differences: Mapping[str, Mapping[str, Estimate]]
    by_listener_events: Mapping[str, Any] = field(default_factory=dict)
    warning: str = ""
    cold_songs: Mapping[str, float] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Returns JSON's types, without anything that differs between two runs of the same job."""
        document = {
            "source": self.source,
            "main": self.main,
            "k": list(self.ks),
            "listeners": self.n_listeners,
            "models": {name: _model_json(report) for name, report in self.models.items()},
            "difference_to_main": {
                name: {metric: value.to_json() for metric, value in values.items()} for name, values in self.differences.items()
            },
            "by_listener_events": dict(self.by_listener_events),
            "by_song_events": {name: dict(report.by_song_events) for name, report in self.models.items()},
        }
        document |= {"cold_songs": dict(self.cold_songs)} if self.cold_songs else {}
        return document | ({"warning": self.warning} if self.warning else {})


def evaluate(
    source: str, main: str, rankers: Mapping[str, Ranker], cases: Sequence[Case], ks: Sequence[int], context: Context
) -> Evaluation:
    """Judges every ranker on the same cases. ``main`` must be among them. Raises ``ValueError`` where there are no cases."""
    if not cases:
        raise ValueError("there is no listener to evaluate on")
    ks = tuple(sorted(ks))
    lists: dict[str, NDArray[np.int32]] = {}
    for name, ranker in rankers.items():
        with stage("evaluate", source=source, model=name, listeners=len(cases)):
            lists[name] = ask(name, ranker, cases, ks[-1])
    further: dict[str, Mapping[str, NDArray[np.float64]]] = {}
    if context.sampled_negatives and context.item_ids is not None:
        log("sampled_measures", negatives=context.sampled_negatives, warning=WARNING)
        for name, ranker in rankers.items():
            places = sampled_places(ranker, cases, context.item_ids, context.sampled_negatives, context.seed)
            further[name] = sampled_measures(places, context.sampled_negatives, ks)
    with stage("judge", source=source):
        reports = {
            name: judge(name, recommended, cases, ks, context, lists.get(PRIMITIVE), further.get(name))
            for name, recommended in lists.items()
        }
    amounts: Mapping[str, Any] = {}
    if context.item_ids is not None:
        with stage("by_listener_events", source=source):
            amounts = by_listener_events(rankers, cases, lists, context.item_ids, ks[-1], context.seed)
    cold: Mapping[str, float] = {}
    if source != SONG_AMONG_THEMSELVES:  # where there are no others
        with stage("cold_songs", source=source):
            cold = cold_songs(main, rankers[main], cases, lists[main], ks[-1], context.item_listeners)
    differences = {name: _differences(reports[main], report, ks[-1], context) for name, report in reports.items() if name != main}
    return Evaluation(source, main, ks, len(cases), reports, differences, amounts, WARNING if further else "", cold)


def judge(
    name: str,
    recommended: NDArray[np.int32],
    cases: Sequence[Case],
    ks: Sequence[int],
    context: Context,
    primitive: NDArray[np.int32] | None = None,
    further: Mapping[str, NDArray[np.float64]] | None = None,
) -> ModelReport:
    """Judges finished lists (cases × at least the longest k, padded with -1) at every k, whoever made them.

    ``primitive``: the lists that serendipity is measured against; without them there is none. ``further``: measures per listener to be
    reported beside ours.
    """
    hits = metrics.find_hits(recommended, [case.relevant for case in cases])
    n_relevant = np.array([len(case.relevant) for case in cases], dtype=np.int64)
    values = {f"{metric}_at_{k}": function(hits, n_relevant, k) for metric, function in metrics.ACCURACY.items() for k in ks}
    histories = [case.history for case in cases]
    for k in ks:
        if context.features is not None:
            values[f"diversity_at_{k}"] = metrics.diversity(recommended, k, context.features)
        values[f"novelty_at_{k}"] = metrics.novelty(recommended, k, context.item_listeners, context.n_listeners)
        if primitive is not None:
            values[f"serendipity_at_{k}"] = taste.serendipity(recommended, hits, primitive, k)
        if context.genres is not None:
            values[f"calibration_error_at_{k}"] = taste.calibration_error(recommended, histories, context.genres, k)
    values |= further or {}
    estimates = estimate(np.column_stack(list(values.values())), context.bootstrap_samples, context.seed)
    coverage = {f"coverage_at_{k}": metrics.coverage(recommended, k, len(context.item_listeners)) for k in ks}
    known = {metric: one for metric, one in zip(values, estimates, strict=True) if not np.isnan(one.mean)}
    by_song = by_song_events(recommended, cases, ks[-1], context.item_listeners)
    return ModelReport(name, known, coverage, values, _exposure(recommended, histories, ks, context), by_song, recommended)


def _exposure(
    recommended: NDArray[np.int32], histories: Sequence[NDArray[np.int32]], ks: Sequence[int], context: Context
) -> dict[str, float]:
    """Returns who gets the places, one number for all lists; numbers that are not defined are left out."""
    n_items = len(context.item_listeners)
    history = exposure.played(histories, n_items)
    found: dict[str, float] = {}
    for k in ks:
        given = exposure.exposures(recommended, k, n_items)
        found[f"gini_at_{k}"] = exposure.gini(given)
        found[f"popularity_lift_at_{k}"] = exposure.popularity_lift(given, history, context.item_listeners)
        if context.artists is not None:
            tail = exposure.artists_of_the_tail(context.item_listeners, context.artists)
            found[f"artist_gini_at_{k}"] = exposure.gini(given @ context.artists)
            found[f"artist_tail_ratio_at_{k}"] = exposure.tail_ratio(given, history, context.artists, tail)
    return {name: value for name, value in found.items() if not np.isnan(value)}


def _differences(main: ModelReport, other: ModelReport, k: int, context: Context) -> dict[str, Estimate]:
    chosen = [f"{metric}_at_{k}" for metric in COMPARED]
    return {
        metric: paired_difference(main.per_listener[metric], other.per_listener[metric], context.bootstrap_samples, context.seed)
        for metric in chosen
    }


def _model_json(report: ModelReport) -> dict[str, Any]:
    measured: dict[str, Any] = {name: value.to_json() for name, value in report.metrics.items()}
    return measured | {name: {"mean": round(value, 6)} for name, value in (*report.coverage.items(), *report.exposure.items())}
