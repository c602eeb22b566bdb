"""`top_n` equals a full sort."""

from __future__ import annotations

import numpy as np
from hypothesis import given
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
