"""What was wrong with the data and what was done about it, and every row that was left out, by reason."""

from __future__ import annotations

from collections import Counter
from typing import Any

from training.data.dataset import Dataset
from training.data.policies import POLICIES, REFUSE
from training.data.problems import Kind, Problem
from training.quality.distribution import share
from training.quality.wording import clean

# How much a model suffers if all rows of a channel have the problem; times the share of rows, it is the problem's weight.
IMPACT = {
    "misshapen_row": 1.0,
    "missing_id": 1.0,
    "placeholder_id": 1.0,
    "unreadable_value": 0.5,
    "out_of_range": 0.5,
    "missing_value": 0.2,
    "duplicate_row": 0.05,
    "duplicate_song": 0.5,
    "orphan_event": 1.0,
    "broken_time": 0.5,
    "future_time": 0.5,
}
HIGH, MEDIUM = 0.1, 0.01
# What else leaves out rows: the settings that ask for it, and whether entries (listener and song) are counted instead of rows.
REASONS: dict[str, tuple[tuple[str, ...], str]] = {
    "not_sampled": (("sample_events", "sample_listeners", "sample_songs"), "rows"),
    "event_type_of_weight_0": (("data_event_weights",), "rows"),
    "below_min_event_value": (("data_min_event_value",), "rows"),
    "event_value_missing_or_0": (("data_weighting",), "rows"),
    "weight_not_positive": (("data_event_weights",), "entries"),
    "rare_song": (("data_min_item_events",), "entries"),
    "short_history": (("data_min_user_events",), "entries"),
}


def severity(weight: float) -> str:
    """``high``, ``medium``, ``low``, or ``none`` for what is not there."""
    return "high" if weight >= HIGH else "medium" if weight >= MEDIUM else "low" if weight > 0 else "none"


def describe_problems(dataset: Dataset) -> list[dict[str, Any]]:
    """Every problem that was found, the weightiest first, then the kinds that were looked for and not found, with count 0.

    ``kind``, ``channel``, ``column`` ("" where the whole row is meant, and of kinds not found); ``count``; ``rows``: of the channel, and
    ``share`` of them; ``weight``: share times how much such a problem matters, and its ``severity``; ``action`` and its ``meaning``;
    ``setting`` that changes it, and its ``choices``; ``examples``: ``file``, ``row`` (from 1; 0 unknown), ``value``.
    """
    found = [_described(dataset, kind, problem) for kind, problem in dataset.ledger.problems.items() if problem.count]
    found.sort(key=lambda one: (-one["weight"], -one["count"], one["channel"], one["kind"], one["column"]))
    absent = [kind for kind in POLICIES if kind not in {one["kind"] for one in found}]
    return found + [_described(dataset, Kind("", kind, ""), Problem()) for kind in absent]


def rows_of(dataset: Dataset, channel: str) -> int:
    """The rows that were read of a channel."""
    return int(dataset.counts.get(f"{channel}.rows_read", 0)) or sum(file.rows for file in dataset.files if file.channel == channel)


def left_out(dataset: Dataset) -> list[dict[str, Any]]:
    """Every row that was read and not used, by ``channel`` and ``reason``; largest first.

    ``count``; ``unit``, rows or entries; ``share`` of the rows of the channel; ``settings`` that ask for it.
    """
    counts = Counter(dataset.counts)
    for step in dataset.steps:
        if "sample_songs" in step.settings:  # the songs of the catalogue that are not in the sample are in no count
            counts[f"{step.channel}.dropped_not_sampled"] += step.rows_in - step.rows_out
    parts = []
    for key, count in counts.items():
        channel, _, what = key.partition(".")
        reason = what.removeprefix("dropped_")
        if not count or reason == what:
            continue
        settings, unit = REASONS.get(reason, ((f"quality_{reason}",) if reason in POLICIES else (), "rows"))
        part = share(int(count), rows_of(dataset, channel))
        entry = {"channel": channel, "reason": reason, "count": int(count), "unit": unit, "share": part, "settings": list(settings)}
        parts.append(entry)
    return sorted(parts, key=lambda one: (-one["count"], one["channel"], one["reason"]))


def duplicates(dataset: Dataset) -> dict[str, int]:
    """How many rows said again what another row had said.

    ``song_rows_merged`` (rows of one id), ``songs_of_same_title_and_artist`` (found),
    ``songs_merged_by_title_and_artist``, ``event_rows_counted_together`` (of one listener and song), ``listener_rows_merged``.
    """
    alike = sum(problem.count for kind, problem in dataset.ledger.problems.items() if kind.kind == "duplicate_song")
    counts = dataset.counts
    return {
        "song_rows_merged": int(counts.get("items.rows_merged", 0)),
        "songs_of_same_title_and_artist": int(alike),
        "songs_merged_by_title_and_artist": int(counts.get("items.songs_merged_by_title_and_artist", 0)),
        "event_rows_counted_together": int(counts.get("interactions.rows_merged", 0)),
        "listener_rows_merged": int(counts.get("users.rows_merged", 0)),
    }


def _described(dataset: Dataset, kind: Kind, problem: Problem) -> dict[str, Any]:
    action = dataset.ledger.action(kind.kind)
    rows = rows_of(dataset, kind.channel) if kind.channel else 0
    part = min(1.0, share(problem.count, rows)) if rows else float(problem.count > 0)
    weight = IMPACT[kind.kind] * part
    return {
        "kind": kind.kind,
        "channel": clean(kind.channel),
        "column": clean(kind.column),
        "count": int(problem.count),
        "rows": rows,
        "share": part,
        "weight": share(weight, 1),
        "severity": severity(weight),
        "action": action,
        "meaning": POLICIES[kind.kind].get(action, "the job ends"),
        "setting": f"quality_{kind.kind}",
        "choices": [*POLICIES[kind.kind], REFUSE],
        "examples": [{"file": clean(one.file, 200), "row": int(one.row), "value": clean(one.value)} for one in problem.examples],
    }
