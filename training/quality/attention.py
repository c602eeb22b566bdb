"""What deserves the attention of whoever trains on this data, the most important first."""

from __future__ import annotations

from typing import Any

from training.config import TrainingConfig
from training.quality.event_findings import event_findings
from training.quality.finding import LIMITS, ORDER, Finding
from training.quality.row_findings import row_findings
from training.quality.song_findings import song_findings


def findings(document: dict[str, Any], config: TrainingConfig) -> list[Finding]:
    """Holds the document (see ``quality_document``) against the limits.

    Each finding: ``finding``, its name; ``severity``: high, medium or low; ``value`` and the ``limit`` that it crossed; ``text``;
    ``advice``; ``settings`` that change it.
    """
    found = [*row_findings(document), *song_findings(document), *event_findings(document, config)]
    names = list(LIMITS)
    return sorted(found, key=lambda one: (ORDER[one["severity"]], names.index(one["finding"])))
