"""An evaluation as lines: a table for people, and metric lines for SageMaker's ``MetricDefinitions``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from training.config import TrainingConfig
from training.evaluation.bootstrap import Estimate
from training.evaluation.cases import SONG_AMONG_THEMSELVES
from training.evaluation.evaluate import Evaluation, ModelReport

MAIN, BASELINE = "hybrid", "popularity"  # both are in every model, whatever else is trained
MAX_DEFINITIONS = 40  # of CreateTrainingJob
_COLUMNS = ("recall", "ndcg", "precision", "map", "mrr", "hit_rate", "coverage", "diversity", "novelty")
_LESS_IS_BETTER = ("calibration_error", "gini", "artist_gini")
_NEITHER = ("popularity_lift",)  # neither more nor less of it is better
_FURTHER = ("f1", "serendipity", "calibration_error", "popularity_lift", "gini", "artist_gini", "artist_tail_ratio")


def metric_lines(evaluation: Evaluation) -> list[str]:
    """Returns one line per number, ``holdout:hybrid:recall_at_20=0.213456``; the format is fixed, ``metric_definitions`` reads it.

    The main model has all its numbers, the others those at the longest k: every line here is a line in somebody's log.
    """
    longest = f"_at_{evaluation.ks[-1]}"
    return [
        f"{evaluation.source}:{name}:{metric}={value:.6f}"
        for name, report in evaluation.models.items()
        for metric, value in _means(report).items()
        if name == evaluation.main or metric.endswith(longest)
    ]


def metric_definitions(config: TrainingConfig) -> list[dict[str, str]]:
    """Returns ``MetricDefinitions`` for a training job: ``{"Name": "hybrid:recall_at_20", "Regex": …}``, the most wanted first.

    SageMaker takes 40: the main measures of the hybrid at the longest k, recall and nDCG of each model in it, the hybrid's further
    measures, then its other k. Measures of artists and genres have lines only where the catalogue names these. The same names read the
    lines of the hold-out, of a ``test`` channel, and of held-out songs among all songs.
    """
    *shorter, longest = sorted(config.evaluation.k)
    wanted = [f"{MAIN}:{metric}_at_{longest}" for metric in _COLUMNS]
    wanted += [f"{name}:{metric}_at_{longest}" for name in dict.fromkeys((BASELINE, *config.models)) for metric in ("recall", "ndcg")]
    wanted += [f"{MAIN}:{metric}_at_{longest}" for metric in _FURTHER[1:]]
    wanted += [f"{MAIN}:{metric}_at_{k}" for k in reversed(shorter) for metric in _COLUMNS]
    return [{"Name": name, "Regex": rf"(?:holdout|test|song_among_all):{name}=([-+0-9.eE]+)"} for name in wanted[:MAX_DEFINITIONS]]


def objectives(config: TrainingConfig) -> list[tuple[str, str]]:
    """Returns which of the metrics of ``metric_definitions`` a search may aim at, and whether to ``Maximize`` or ``Minimize`` each: those
    of the hybrid."""
    names = [definition["Name"] for definition in metric_definitions(config) if definition["Name"].startswith(f"{MAIN}:")]
    measures = {name: name.partition(":")[2].rpartition("_at_")[0] for name in names}
    return [(name, "Minimize" if measures[name] in _LESS_IS_BETTER else "Maximize") for name in names if measures[name] not in _NEITHER]


def table(evaluation: Evaluation) -> str:
    """Returns the quality of all models at the longest k, a row each, and by how much the model that serves beats the others."""
    k = evaluation.ks[-1]
    ranked = "the held-out songs" if evaluation.source == SONG_AMONG_THEMSELVES else "all songs"
    heading = f"{evaluation.n_listeners} listeners ({evaluation.source}), {ranked} ranked, k = {k}; in brackets: 95 % interval"
    quality = _aligned([["model", *_COLUMNS], *(_row(report, k, _COLUMNS) for report in evaluation.models.values())])
    further = [["model", *_FURTHER], *(_row(report, k, _FURTHER) for report in evaluation.models.values())]
    parts = [heading, *quality, *_comparison(evaluation), "", *_aligned(further), *amounts_text(evaluation)]
    return "\n".join(parts + ([f"warning: {evaluation.warning}"] if evaluation.warning else []))


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _row(report: ModelReport, k: int, columns: Sequence[str]) -> list[str]:
    cells = [report.name]
    means = _means(report)
    for metric in columns:
        name = f"{metric}_at_{k}"
        cell = f"{means[name]:.4f}" if name in means else "-"
        if metric in ("recall", "ndcg") and (known := report.metrics.get(name)):
            cell += f" [{known.low:.4f} {known.high:.4f}]"
        cells.append(cell)
    return cells


def amounts_text(evaluation: Evaluation) -> list[str]:
    """Returns recall by how much was known of the listener, and of the song, a line per model; empty where neither was measured."""
    measure = f"recall_at_{evaluation.ks[-1]}"
    lines: list[str] = []
    if found := evaluation.by_listener_events:
        levels = list(next(iter(found["models"].values())))
        lines += ["", f"{measure} of {found['listeners']} listeners by how many of their songs are sent"]
        lines += _aligned([["model", *levels], *([m, *(f"{v[n][measure]:.4f}" for n in levels)] for m, v in found["models"].items())])
    if groups := list(next(iter(evaluation.models.values())).by_song_events.items()):
        pairs = ["pairs", *(str(values["pairs"]) for _, values in groups)]
        rows = [[name, *(f"{v[measure]:.4f}" for v in report.by_song_events.values())] for name, report in evaluation.models.items()]
        lines += [
            "",
            f"{measure} by how many listeners a song had in training",
            *_aligned([["model", *(n for n, _ in groups)], pairs, *rows]),
        ]
    if cold := evaluation.cold_songs:
        lines += [
            "",
            f"songs without listeners are {100 * cold['cold_share_of_hits']:.1f} % of the {evaluation.main}'s hits "
            f"({measure} of them {cold['cold_recall']:.4f}); songs with listeners {cold['warm_recall']:.4f}, "
            f"without the others in the list {cold['warm_recall_without_cold']:.4f}",
        ]
    return lines


def _comparison(evaluation: Evaluation) -> Iterator[str]:
    for name, differences in evaluation.differences.items():
        for metric, gain in differences.items():
            yield f"{evaluation.main} - {name}: {metric} {gain.mean:+.4f} [{gain.low:+.4f} {gain.high:+.4f}] {_verdict(gain)}"


def _verdict(gain: Estimate) -> str:
    if gain.low <= 0 <= gain.high:
        return "too close to call"
    return "better" if gain.low > 0 else "worse"


def _means(report: ModelReport) -> dict[str, float]:
    return {name: value.mean for name, value in report.metrics.items()} | dict(report.coverage) | dict(report.exposure)
