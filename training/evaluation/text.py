"""An evaluation as lines: a table for people, and metric lines for SageMaker's ``MetricDefinitions``."""

from __future__ import annotations

from collections.abc import Iterator

from training.config import TrainingConfig
from training.evaluation.bootstrap import Estimate
from training.evaluation.evaluate import Evaluation, ModelReport
from training.evaluation.metrics import ACCURACY

MAIN, BASELINE = "hybrid", "popularity"  # both are in every model, whatever else is trained
MAX_DEFINITIONS = 40  # of CreateTrainingJob
_BEYOND_ACCURACY = ("coverage", "diversity", "novelty")
_COLUMNS = (*ACCURACY, *_BEYOND_ACCURACY)


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

    SageMaker takes 40: every measure of the hybrid at the longest k, recall and nDCG of each model in it, then the hybrid's other k.
    The same names read the lines of the hold-out, of a ``test`` channel, and of held-out songs among all songs.
    """
    *shorter, longest = sorted(config.evaluation.k)
    wanted = [f"{MAIN}:{metric}_at_{longest}" for metric in _COLUMNS]
    wanted += [f"{name}:{metric}_at_{longest}" for name in dict.fromkeys((BASELINE, *config.models)) for metric in ("recall", "ndcg")]
    wanted += [f"{MAIN}:{metric}_at_{k}" for k in reversed(shorter) for metric in _COLUMNS]
    return [{"Name": name, "Regex": rf"(?:holdout|test|song_among_all):{name}=([-+0-9.eE]+)"} for name in wanted[:MAX_DEFINITIONS]]


def table(evaluation: Evaluation) -> str:
    """Returns the quality of all models at the longest k, a row each, and by how much the model that serves beats the others."""
    k = evaluation.ks[-1]
    heading = f"{evaluation.n_listeners} listeners ({evaluation.source}), all songs ranked, k = {k}; in brackets: 95 % interval"
    rows = [["model", *_COLUMNS], *(_row(report, k) for report in evaluation.models.values())]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([heading, *lines, *_comparison(evaluation)])


def _row(report: ModelReport, k: int) -> list[str]:
    cells = [report.name]
    means = _means(report)
    for metric in _COLUMNS:
        name = f"{metric}_at_{k}"
        cell = f"{means[name]:.4f}" if name in means else "-"
        if metric in ("recall", "ndcg") and (known := report.metrics.get(name)):
            cell += f" [{known.low:.4f} {known.high:.4f}]"
        cells.append(cell)
    return cells


def _comparison(evaluation: Evaluation) -> Iterator[str]:
    for name, differences in evaluation.differences.items():
        for metric, gain in differences.items():
            yield f"{evaluation.main} - {name}: {metric} {gain.mean:+.4f} [{gain.low:+.4f} {gain.high:+.4f}] {_verdict(gain)}"


def _verdict(gain: Estimate) -> str:
    if gain.low <= 0 <= gain.high:
        return "too close to call"
    return "better" if gain.low > 0 else "worse"


def _means(report: ModelReport) -> dict[str, float]:
    return {name: value.mean for name, value in report.metrics.items()} | dict(report.coverage)
