"""An answer as text: the quick way says what the plain one does."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.answer import Answer, Reason, Recommendation

IDS = st.text(st.characters(), min_size=1, max_size=12)  # lone surrogates, quotes and control characters too
SHARES = st.floats(-1, 1)
REASONS = st.builds(Reason, SHARES, st.none() | IDS, st.dictionaries(IDS, SHARES, max_size=2))
SCORES = st.floats(allow_nan=False, allow_infinity=False)
RECOMMENDATIONS = st.builds(
    Recommendation, IDS, SCORES, st.none() | st.tuples(REASONS), st.none() | st.dictionaries(IDS, st.text(), max_size=2)
)
ANSWERS = st.builds(
    Answer,
    st.none() | IDS,
    IDS,
    st.none() | st.sampled_from(["content", "popularity"]),
    st.lists(RECOMMENDATIONS, max_size=4).map(tuple),
    st.lists(IDS, max_size=3).map(tuple),
)


@given(ANSWERS)
def test_an_answer_is_written_as_json_writes_it(answer: Answer) -> None:
    assert answer.json_text() == json.dumps(answer.to_json(), ensure_ascii=True, allow_nan=False, separators=(",", ":"))


@pytest.mark.parametrize("score", [float("nan"), float("inf"), -float("inf")])
def test_a_score_that_json_cannot_write_is_never_written(score: float) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        Answer(None, "v", None, (Recommendation("a", score),)).json_text()
