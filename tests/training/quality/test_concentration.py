"""The Gini coefficient and the Lorenz curve, against what their definitions say in the slowest way."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.quality.concentration import TOP_SHARES, concentration, gini

COUNTS = st.lists(st.one_of(st.integers(1, 5), st.integers(1, 2**40)), min_size=1, max_size=40)


def mean_difference(counts: list[int]) -> float:
    """Half the average difference of all pairs, as a part of the mean: the Gini coefficient as it is defined."""
    n = len(counts)
    return sum(abs(one - other) for one in counts for other in counts) / (2 * n * sum(counts))


def entries_of(counts: list[int], part: float) -> float:
    """What share of the entries this part of the songs has, the least played first; of the last song only a part may count."""
    ordered, places = sorted(counts), part * len(counts)
    whole = min(math.floor(places + 1e-9), len(counts))
    rest = (places - whole) * ordered[whole] if whole < len(counts) else 0.0
    return (sum(ordered[:whole]) + rest) / sum(counts)


@settings(max_examples=100, deadline=None)
@given(counts=COUNTS)
def test_the_gini_coefficient_is_the_mean_difference_of_all_pairs(counts: list[int]) -> None:
    found = gini(np.array(counts, dtype=np.int64))
    assert found == pytest.approx(mean_difference(counts), abs=1e-9)
    assert 0 <= found < 1


@pytest.mark.parametrize(("counts", "expected"), [([7], 0), ([3, 3, 3], 0), ([1, 3], 0.25), ([1, 1, 1, 997], 0.747)])
def test_the_gini_coefficient_of_what_can_be_counted_by_head(counts: list[int], expected: float) -> None:
    assert gini(np.array(counts)) == pytest.approx(expected)


@settings(max_examples=100, deadline=None)
@given(counts=COUNTS)
def test_the_curve_and_the_top_shares_are_sums_of_the_sorted_counts(counts: list[int]) -> None:
    found = concentration(np.array(counts, dtype=np.int64))
    songs, entries = found["lorenz"]["songs"], found["lorenz"]["entries"]
    assert songs == [place / 100 for place in range(101)]
    assert entries == pytest.approx([entries_of(counts, part) for part in songs], abs=1e-5)
    assert (entries[0], entries[-1]) == (0, 1)
    assert all(low <= high for low, high in pairwise(entries))
    assert all(share <= part + 1e-6 for share, part in zip(entries, songs, strict=True))  # never above the diagonal
    assert [top["songs"] for top in found["top"]] == list(TOP_SHARES)
    for top in found["top"]:
        assert top["entries"] == pytest.approx(1 - entries_of(counts, 1 - top["songs"]), abs=1e-5)
    assert found["gini"] == pytest.approx(mean_difference(counts), abs=1e-5)


def test_the_order_of_the_songs_does_not_matter() -> None:
    assert concentration(np.array([5, 1, 1, 9])) == concentration(np.array([1, 9, 5, 1]))
