"""Which files were read, and what became of their rows, step by step."""

from __future__ import annotations

from typing import Any

from training.data.dataset import Dataset
from training.quality.wording import clean


def describe_files(dataset: Dataset) -> list[dict[str, Any]]:
    """One per file: ``channel``, ``name``, ``format``, ``schema``, ``rows``, ``size`` (bytes), ``sha256``; ``used``: role to column;

    ``not_used``: the other columns, as the file calls them.
    """
    return [
        {
            "channel": clean(file.channel),
            "name": clean(file.name, 200),
            "format": clean(file.format),
            "schema": clean(file.schema),
            "rows": int(file.rows),
            "size": int(file.size),
            "sha256": clean(file.sha256),
            "used": {clean(role): clean(column) for role, column in file.roles.items()},
            "not_used": [clean(column) for column in file.columns if column not in set(file.roles.values())],
        }
        for file in dataset.files
    ]


def describe_steps(dataset: Dataset) -> list[dict[str, Any]]:
    """One per step, in order: ``channel``, ``name``, ``rows_in``, ``rows_out``, ``settings``."""
    return [
        {
            "channel": clean(step.channel),
            "name": clean(step.name, 200),
            "rows_in": int(step.rows_in),
            "rows_out": int(step.rows_out),
            "settings": {clean(name): clean(value) for name, value in step.settings.items()},
        }
        for step in dataset.steps
    ]
