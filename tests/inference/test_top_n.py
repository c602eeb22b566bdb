"""`top_n` equals a full sort."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.top_n import top_n

scores = st.lists(st.integers(-3, 3), max_size=40).map(lambda values: np.array(values, dtype=np.float64))


@given(scores=scores, n=st.integers(0, 50))
def test_it_equals_a_full_stable_sort(scores: np.ndarray, n: int) -> None:
    expected = sorted(range(len(scores)), key=lambda i: (-scores[i], i))[:n]
    assert top_n(scores, n).tolist() == expected


@given(scores=scores, n=st.integers(0, 50), data=st.data())
def test_it_chooses_only_among_what_it_is_given(scores: np.ndarray, n: int, data: st.DataObject) -> None:
    among = sorted(data.draw(st.sets(st.integers(0, max(len(scores) - 1, 0)), max_size=len(scores))) if len(scores) else set())
    expected = sorted(among, key=lambda i: (-scores[i], i))[:n]
    assert top_n(scores, n, np.array(among, dtype=np.int64)).tolist() == expected


@given(
    seed=st.integers(0, 1000),
    size=st.integers(4000, 20_000),
    n=st.sampled_from([1, 10, 500, 1000]),
    distinct=st.sampled_from([1, 2, 50, 10**6]),
)
@settings(max_examples=60, deadline=None)
def test_it_equals_a_full_stable_sort_on_large_catalogues_with_many_ties(seed: int, size: int, n: int, distinct: int) -> None:
    """Large vectors take a short cut that small ones don't."""
    values = np.random.default_rng(seed).integers(-2, distinct, size).astype(np.float64)
    assert (top_n(values, n) == np.argsort(-values, kind="stable")[:n]).all()
