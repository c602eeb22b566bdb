"""Bringing all texts of a column into a form at once gives what one by one gives."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from inference.features import values
from inference.features.values import LIST_SEPARATOR, as_written, normal
from training.data.plain_text import Form, in_form, names_of

ODD = "aB ;,|[]'\t\v\x1c\x1f\x85é ßİ"
TEXTS = st.lists(st.one_of(st.none(), st.text(st.sampled_from(ODD)), st.text(st.characters(codec="utf-8"))), max_size=12)
FORMS = pytest.mark.parametrize("form", [normal, as_written])


@FORMS
@settings(max_examples=300, deadline=None)
@given(texts=TEXTS)
@example(texts=["A  b", " a", "a ", "a\vb", "ÀB", "Straße", "", None])
def test_a_column_in_a_form_is_each_text_in_that_form(form: Form, texts: list[str | None]) -> None:
    column = pa.chunked_array([pa.array(texts, pa.string())])
    assert in_form(column, form).to_pylist() == [form(text) or None if text else None for text in texts]


@FORMS
@settings(max_examples=300, deadline=None)
@given(texts=TEXTS, separators=st.text(st.sampled_from(";,| -^]\\"), max_size=4))
@example(texts=["['Pop', 'Rock']", "a-b", "a b", "a^b", "a]b", "a\\b"], separators="- ^]\\")
def test_the_names_of_a_column_are_those_of_each_text(form: Form, texts: list[str | None], separators: str) -> None:
    column = pa.chunked_array([pa.array(texts, pa.string())])
    expected = [LIST_SEPARATOR.join(values.names(text, separators, form)) or None if text else None for text in texts]
    assert names_of(column, separators, form, LIST_SEPARATOR).to_pylist() == expected
