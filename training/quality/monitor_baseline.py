"""A baseline for Amazon SageMaker Model Monitor: ``statistics.json`` and ``constraints.json`` of what was learned from, in its schema.

Model Monitor compares tables. This one has a row for each listener and song (``user_id``, ``item_id``, ``weight``, ``timestamp``) with the
features of the song: numbers, flags and single names; lists (genres) and vectors have no place in a flat row. Without listening it has a
row for each song. The values of ids are not listed: they are data about people. Schema: "Schema for Statistics" and "Schema for
Constraints" in the developer guide of SageMaker; what its own analyser (Deequ) leaves is of the same form.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.features.columns import CategoryColumn, FlagColumn, NumberColumn
from inference.features.store import FeatureStore
from training.data.dataset import MISSING_TIME, Dataset

STATISTICS_JSON, CONSTRAINTS_JSON = "statistics.json", "constraints.json"
BUCKETS = 10  # of equal width, as Model Monitor's own
SKETCH = {"c": 0.64, "k": 2048}  # of KLL: at most k values on a level (Karnin, Lang, Liberty, FOCS 2016)
MOST_NAMES = 100  # a text with more different values has no list of them, and may take any
SORTED_AT_MOST = 4_000_000  # rows; of more, every n-th
MONITORING = {
    "evaluate_constraints": "Enabled",
    "emit_metrics": "Enabled",
    "datatype_check_threshold": 1.0,
    "domain_content_threshold": 1.0,
    "distribution_constraints": {"perform_comparison": "Enabled", "comparison_threshold": 0.1, "comparison_method": "Robust"},
}
Described = tuple[dict[str, Any], dict[str, Any]]  # a feature's statistics, and its constraints


def write_baseline(dataset: Dataset, features: FeatureStore | None, output_dir: Path) -> None:
    """Writes both files into ``output_dir`` (made if missing), each whole or not at all."""
    output_dir.mkdir(parents=True, exist_ok=True)
    for name, document in zip((STATISTICS_JSON, CONSTRAINTS_JSON), baseline(dataset, features), strict=True):
        partial = output_dir / f".{name}.partial"
        partial.write_text(json.dumps(document, indent=1, ensure_ascii=True, allow_nan=False) + "\n", encoding="ascii")
        partial.replace(output_dir / name)


def baseline(dataset: Dataset, features: FeatureStore | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """Returns the two documents, in JSON's types. Columns without any value are left out."""
    interactions = dataset.interactions
    rows = np.bincount(interactions.items, minlength=dataset.n_items)  # by song
    if not len(interactions):
        rows = np.ones(dataset.n_items, dtype=np.int64)
    described = [one for one in _columns(dataset, features, rows) if one is not None]
    statistics = {"version": 0.0, "dataset": {"item_count": int(rows.sum())}, "features": [one for one, _ in described]}
    return statistics, {"version": 0.0, "features": [one for _, one in described], "monitoring_config": MONITORING}


def _columns(dataset: Dataset, features: FeatureStore | None, rows: NDArray[np.int64]) -> Iterator[Described | None]:
    interactions, n_rows = dataset.interactions, int(rows.sum())
    if len(interactions):
        yield _text("user_id", {}, 1 + int(np.count_nonzero(np.diff(interactions.users))), n_rows, n_rows)
    yield _text("item_id", {}, int(np.count_nonzero(rows)), n_rows, n_rows)
    ones = np.ones(len(interactions), dtype=np.int64)
    if len(interactions):
        yield numbers("weight", interactions.weights.astype(np.float64), ones)
    if interactions.timestamps is not None:
        times = np.where(interactions.timestamps == MISSING_TIME, np.nan, interactions.timestamps.astype(np.float64))
        yield numbers("timestamp", times, ones)
    for name, column in () if features is None else features.items():
        if isinstance(column, NumberColumn):
            yield numbers(name, column.values.astype(np.float64), rows)
        elif isinstance(column, FlagColumn):
            yield numbers(name, np.where(column.values < 0, np.nan, column.values.astype(np.float64)), rows)
        elif isinstance(column, CategoryColumn):
            has_one = column.codes >= 0
            counts = np.bincount(column.codes[has_one], weights=rows[has_one], minlength=len(column.names)).astype(np.int64)
            used = np.flatnonzero(counts)
            listed = {column.names[code]: int(counts[code]) for code in used.tolist()} if len(used) <= MOST_NAMES else {}
            yield _text(name, listed, len(used), int(counts.sum()), n_rows)


def numbers(name: str, values: NDArray[np.float64], rows: NDArray[np.int64]) -> Described | None:
    """Describes a column whose i-th value stands in ``rows[i]`` rows; NaN is missing. None if nothing is there."""
    there = np.isfinite(values) & (rows > 0)
    values, counts, n_rows = values[there], rows[there], int(rows.sum())
    present = int(counts.sum())
    if not present:
        return None
    whole = bool((values == np.rint(values)).all())
    mean = float(np.average(values, weights=counts))
    low, high = float(values.min()), float(values.max())
    bucket_counts, edges = np.histogram(values, bins=BUCKETS, range=(low, high if high > low else low + 1.0), weights=counts)
    buckets = [
        {"lower_bound": _plain(edges[i], False), "upper_bound": _plain(edges[i + 1], False), "count": float(bucket_counts[i])}
        for i in range(BUCKETS)
    ]
    kind = "Integral" if whole else "Fractional"
    statistics = {
        "common": {"num_present": present, "num_missing": n_rows - present},
        "mean": _plain(mean, False),
        "sum": _plain(float((values * counts).sum()), False),
        "std_dev": _plain(float(np.sqrt(np.average((values - mean) ** 2, weights=counts))), False),
        "min": _plain(low, whole),
        "max": _plain(high, whole),
        "distribution": {"kll": {"buckets": buckets, "sketch": {"parameters": SKETCH, "data": sketch(values, counts, whole)}}},
    }
    constraints = {"completeness": _share(present, n_rows), "num_constraints": {"is_non_negative": low >= 0}}
    told = {"name": name, "inferred_type": kind}
    return {**told, "numerical_statistics": statistics}, {**told, **constraints}


def sketch(values: NDArray[np.float64], counts: NDArray[np.int64], whole: bool) -> list[list[float]]:
    """Returns the levels of a KLL sketch of the values, each of them ``counts`` times (> 0): a value on level i stands for ``2^i`` rows.

    Made from the sorted values, so it is the same in each run, and no rank is off by more than ``2^i`` of the highest level. All the rows
    that it stands for are as many as there are.
    """
    n = int(counts.sum())
    step = len(values) // SORTED_AT_MOST + 1
    order = np.argsort(values[::step], kind="stable")
    ordered, until = values[::step][order], np.cumsum(counts[::step][order])
    top = max(0, int(np.ceil(np.log2(n / SKETCH["k"]))))
    if n >> top > SKETCH["k"]:
        top += 1
    sizes = [n >> top if level == top else n >> level & 1 for level in range(top + 1)]
    levels: list[list[float]] = []
    start = 0
    for level in range(top, -1, -1):  # from the lowest rank on, the largest blocks first; the middle of each stands for it
        ranks = start + (np.arange(sizes[level]) << level) + (1 << level >> 1)
        start += sizes[level] << level
        places = np.searchsorted(until, ranks * (float(until[-1]) / n), side="right")
        levels.insert(0, [_plain(value, whole) for value in ordered[np.minimum(places, len(ordered) - 1)].tolist()])
    return levels


def _text(name: str, listed: dict[str, int], distinct: int, present: int, n_rows: int) -> Described | None:
    if not present:
        return None
    told = {"name": name, "inferred_type": "String"}
    statistics: dict[str, Any] = {"common": {"num_present": present, "num_missing": n_rows - present}, "distinct_count": float(distinct)}
    constraints: dict[str, Any] = {"completeness": _share(present, n_rows)}
    if listed:
        ordered = sorted(listed.items(), key=lambda pair: (-pair[1], pair[0]))
        statistics["distribution"] = {"categorical": {"buckets": [{"value": value, "count": count} for value, count in ordered]}}
        constraints["string_constraints"] = {"domains": sorted(listed)}
    return {**told, "string_statistics": statistics}, {**told, **constraints}


def _plain(value: float, whole: bool) -> float:
    """The number, whole or with nine digits, which tell any two of our 32-bit numbers apart."""
    return int(value) if whole else float(f"{value:.9g}") + 0.0


def _share(present: int, n_rows: int) -> float:
    return 1.0 if present == n_rows else min(round(present / n_rows, 6), 0.999999)
