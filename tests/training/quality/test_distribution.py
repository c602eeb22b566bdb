"""Numbers are described as numpy and a slow count describe them, and whatever they are, what comes out is finite and in order."""

from __future__ import annotations

import json
import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.quality.distribution import TRIMMED, describe, histogram, most_common, rounded, share, spread

ANY = st.floats(width=32)
FINITE = st.floats(width=32, allow_nan=False, allow_infinity=False)
FEW = st.sampled_from([0.0, -0.0, 0.1, 0.7, 1.0, 2.0, 1999.0, 2000.0, 1e30, 3e38, -3e38, 1e-45, 16777216.0])
NUMBERS = st.one_of(st.lists(ANY, max_size=60), st.lists(FEW, max_size=60), st.lists(st.floats(-1, 1, width=32), max_size=60))
COUNTS = st.lists(st.one_of(st.integers(0, 5), st.integers(0, 2**40)), min_size=1, max_size=50).filter(any)
PLACES = {"min": 0, "p5": 0.05, "q1": 0.25, "median": 0.5, "q3": 0.75, "p95": 0.95, "p99": 0.99, "max": 1}


def counted_one_by_one(drawn: dict[str, Any], values: np.ndarray) -> list[int]:
    """How many values are in each bin; what lies beyond the edges is in the first or last one."""
    edges = np.array(drawn["edges"][1:-1]).astype(values.dtype)
    counts = [0] * len(drawn["counts"])
    for value in values:
        counts[sum(bool(value >= edge) for edge in edges)] += 1
    return counts


@settings(max_examples=100, deadline=None)
@given(numbers=NUMBERS)
def test_a_column_is_described_as_numpy_does(numbers: list[float]) -> None:
    values = np.array(numbers, dtype=np.float32)
    found = describe(values)
    json.dumps(found, allow_nan=False)
    present = [float(value) for value in values if math.isfinite(value)]
    assert found["missing"] == len(numbers) - len(present)
    assert found["missing_share"] == pytest.approx(found["missing"] / max(len(numbers), 1), rel=1e-5)
    assert found["distinct"] == len(set(present))
    if not present:
        assert found.keys() == {"missing", "missing_share", "distinct"}
        return
    size = max(map(abs, present))
    for name in ("min", "q1", "median", "q3", "max"):
        assert found[name] == pytest.approx(np.quantile(np.array(present), PLACES[name]), rel=1e-5, abs=1e-6 * size), name
    mean = math.fsum(present) / len(present)
    deviation = math.sqrt(math.fsum((value - mean) ** 2 for value in present) / len(present))
    assert found["mean"] == pytest.approx(mean, rel=1e-5, abs=1e-6 * size)
    assert found["deviation"] == pytest.approx(deviation, rel=1e-5, abs=1e-6 * size)


@settings(max_examples=150, deadline=None)
@given(numbers=NUMBERS, bins=st.integers(1, 30))
def test_a_histogram_counts_every_number_once_between_edges_that_ascend(numbers: list[float], bins: int) -> None:
    ordered = np.sort(np.array([one for one in numbers if math.isfinite(one)], dtype=np.float32))
    if not len(ordered):
        return
    drawn = histogram(ordered, bins)
    edges, counts = drawn["edges"], drawn["counts"]
    assert len(edges) == len(counts) + 1
    assert 1 <= len(counts) <= bins + 2
    assert all(math.isfinite(edge) for edge in edges)
    assert all(low < high for low, high in pairwise(edges))
    assert sum(counts) == len(ordered)
    assert counts == counted_one_by_one(drawn, ordered)
    with np.errstate(over="ignore"):
        first, last = np.array([edges[0], edges[-1]]).astype(np.float32)
    assert drawn["open_low"] == bool((ordered < first).any())
    assert drawn["open_high"] == bool((ordered > last).any())
    exact, hair = ordered.astype(np.float64), 1e-8 * (edges[1] - edges[0])  # what is so close to an edge is said to be on it
    assert max((exact < edges[0] - hair).sum(), (exact > edges[-1] + hair).sum()) <= TRIMMED * len(ordered)


def test_the_bins_of_years_are_years() -> None:
    drawn = histogram(np.array([1999, 1999, 2001, 2003], dtype=np.float32), 80)
    assert drawn == {"edges": [1999, 2000, 2001, 2002, 2003, 2004], "counts": [2, 0, 1, 0, 1], "open_low": False, "open_high": False}


def test_the_bins_of_shares_are_round() -> None:
    drawn = histogram(np.linspace(0, 1, 101, dtype=np.float32), 25)
    assert drawn["edges"] == [round(0.05 * i, 2) for i in range(21)]
    assert drawn["counts"] == [5] * 19 + [6]


def test_one_wrong_value_does_not_hide_all_others() -> None:
    ordered = np.sort(np.append(np.tile(np.arange(10), 100), 1e9)).astype(np.float32)
    drawn = histogram(ordered)
    assert drawn == {"edges": list(range(11)), "counts": [100] * 9 + [101], "open_low": False, "open_high": True}


@settings(max_examples=100, deadline=None)
@given(counts=COUNTS)
def test_how_many_each_has_is_described_as_numpy_does(counts: list[int]) -> None:
    found = spread(np.array(counts, dtype=np.int64))
    json.dumps(found, allow_nan=False)
    present = [n for n in counts if n > 0]
    for name, place in PLACES.items():
        assert found[name] == pytest.approx(np.quantile(np.array(present, dtype=float), place), rel=1e-5), name
    assert found["mean"] == pytest.approx(sum(present) / len(present), rel=1e-5)
    assert found["once"] == present.count(1)
    edges, bars = found["histogram"]["edges"], found["histogram"]["counts"]
    assert edges == [2**power for power in range(len(edges))]
    assert bars == [sum(low <= n < high for n in present) for low, high in pairwise(edges)]
    assert sum(bars) == len(present)
    assert bars[-1] > 0


@given(counts=st.dictionaries(st.text(max_size=3), st.integers(1, 4), max_size=12), n=st.integers(0, 12))
def test_the_most_frequent_names_are_the_first_of_all_sorted(counts: dict[str, int], n: int) -> None:
    assert most_common(counts, n) == sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:n]


@given(number=st.floats())
def test_a_rounded_number_is_close_and_never_a_text_that_json_lacks(number: float) -> None:
    found = rounded(number)
    assert (found is None) == (not math.isfinite(number))
    if found is not None:
        assert found == pytest.approx(number, rel=1e-5)
        assert math.copysign(1, found) == 1 or found < 0  # no -0


def test_a_share_of_nothing_is_0() -> None:
    assert share(0, 0) == 0
    assert share(1, 3) == 0.333333
