"""Puts what is known about the data into one document in JSON's types: what ``quality_report.json`` holds and the page shows."""

from __future__ import annotations

from typing import Any

from training.config import TrainingConfig
from training.data.dataset import Dataset
from training.quality.attention import findings
from training.quality.catalogue import describe_catalogue
from training.quality.interactions import describe_interactions
from training.quality.problems import describe_problems, duplicates, left_out, rows_of
from training.quality.sources import describe_files, describe_steps
from training.quality.wording import clean

FORMAT_VERSION = 1
SECTIONS = ("data", "quality", "sample", "features")  # of the configuration: what decides what is read and what becomes of it


def quality_document(dataset: Dataset, config: TrainingConfig) -> dict[str, Any]:
    """Describes the data. No times and no names of machines: the same data and settings give the same document.

    ``format_version``. ``totals``: ``songs``, ``songs_in_catalogue``, ``listeners``, ``entries`` (one per listener and song) and
    ``rows_read`` by channel. ``attention``: see ``attention.findings``. ``files``, ``steps``: see ``sources``. ``left_out``,
    ``duplicates``, ``problems``: see ``problems``. ``catalogue``: see ``catalogue``; ``interactions``, ``test``: see ``interactions``;
    each None if there is none. ``counts``: the plain numbers of the extraction. ``settings``: the hyperparameters about data that are
    not at their default.
    """
    channels = sorted({file.channel for file in dataset.files} | {key.partition(".")[0] for key in dataset.counts})
    document: dict[str, Any] = {
        "format_version": FORMAT_VERSION,
        "totals": {
            "songs": dataset.n_items,
            "songs_in_catalogue": int(dataset.catalogue.known.sum()) if dataset.catalogue is not None else 0,
            "listeners": dataset.n_users,
            "entries": len(dataset.interactions),
            "rows_read": {clean(channel): rows for channel in channels if (rows := rows_of(dataset, channel))},
        },
        "attention": [],
        "files": describe_files(dataset),
        "steps": describe_steps(dataset),
        "left_out": left_out(dataset),
        "duplicates": duplicates(dataset),
        "problems": describe_problems(dataset),
        "catalogue": describe_catalogue(dataset.catalogue),
        "interactions": describe_interactions(dataset),
        "test": describe_interactions(dataset, dataset.test) if dataset.test is not None else None,
        "counts": {clean(name): int(count) for name, count in sorted(dataset.counts.items())},
        "settings": _changed(config),
    }
    document["attention"] = findings(document, config)
    return document


def _changed(config: TrainingConfig) -> dict[str, Any]:
    default, flat = TrainingConfig().to_flat_dict(), config.to_flat_dict()
    own = (name for name in flat if name.split("_")[0] in SECTIONS and flat[name] != default[name])
    return {name: _finite(flat[name]) for name in own}


def _finite(value: Any) -> Any:
    """A setting in JSON's types; names that the user chose as ``clean`` shows them."""
    if isinstance(value, dict):
        return {clean(name): entry for name, entry in value.items()}
    if isinstance(value, list):
        return [clean(entry) for entry in value]
    return clean(value) if isinstance(value, str) else value
