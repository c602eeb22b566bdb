"""Publishes an evaluation: files for people and programs in the job's output, a table and metric lines in its log."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from training.evaluation.evaluate import Evaluation
from training.evaluation.text import metric_lines, table
from training.progress import log, log_text

EVALUATION_JSON = "evaluation.json"
EVALUATION_TXT = "evaluation.txt"


def publish(evaluations: Sequence[Evaluation], output_dir: Path, reason: str = "") -> None:
    """Writes ``evaluation.json`` (by source: ``holdout``, ``test``) and ``evaluation.txt``, and logs the table and the metric lines.

    Without any evaluation the file says so with ``reason``, so that whoever looks for numbers learns why there are none.
    """
    output_dir.mkdir(parents=True, exist_ok=True)
    document: dict[str, object] = {evaluation.source: evaluation.to_json() for evaluation in evaluations}
    if not evaluations:
        document["reason"] = reason
        log("no_evaluation", reason=reason)
    text = "\n\n".join(table(evaluation) for evaluation in evaluations) or reason
    (output_dir / EVALUATION_JSON).write_text(json.dumps(document, indent=2, ensure_ascii=True) + "\n", encoding="ascii")
    (output_dir / EVALUATION_TXT).write_text(text + "\n", encoding="utf-8")
    for evaluation in evaluations:
        log_text(table(evaluation))
        log_text("\n".join(metric_lines(evaluation)))
