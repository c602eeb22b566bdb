"""An answer as text: the quick way says what the plain one does."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.answer import Answer, Reason

IDS = st.text(st.characters(), min_size=1, max_size=12)  # lone surrogates, quotes and control characters too
SHARES = st.floats(-1, 1)
REASONS = st.builds(Reason, SHARES, st.none() | IDS, st.dictionaries(IDS, SHARES, max_size=2))
SCORES = st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def answers(draw: st.DrawFn) -> Answer:
    songs = draw(st.integers(0, 4))

    def one_each(of: st.SearchStrategy[Any]) -> Any:
        return draw(st.lists(of, min_size=songs, max_size=songs))

    reasons = one_each(st.tuples(REASONS)) if draw(st.booleans()) else None
    metadata = one_each(st.dictionaries(IDS, st.text(), max_size=2)) if draw(st.booleans()) else None
    start = draw(st.tuples(st.none() | IDS, IDS, st.none() | st.sampled_from(["content", "popularity"])))
    unknown = tuple(draw(st.lists(IDS, max_size=3)))
    return Answer(*start, one_each(IDS), one_each(SCORES), unknown, reasons=reasons, metadata=metadata)


@given(answers())
def test_an_answer_is_written_as_json_writes_it(answer: Answer) -> None:
    assert answer.json_text() == json.dumps(answer.to_json(), ensure_ascii=True, allow_nan=False, separators=(",", ":"))


@pytest.mark.parametrize("score", [float("nan"), float("inf"), -float("inf")])
def test_a_score_that_json_cannot_write_is_never_written(score: float) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        Answer(None, "v", None, ["b", "a"], [1.0, score]).json_text()
