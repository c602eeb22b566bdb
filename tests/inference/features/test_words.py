"""Tokens and terms: the same in training and in serving, whatever the text."""

from __future__ import annotations

import re
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.features.words import MAX_COUNT, MAX_TOKEN_CHARACTERS, TERM_SPACE, term, term_counts, tokens

texts = st.text(max_size=200) | st.text(alphabet="aAbB '’\t\n-_09éß漢か한ก", max_size=200)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Don't stop-me_now, 24/7!", ["don", "t", "stop", "me", "now", "24", "7"]),
        ("L’été, STRASSE Straße", ["l", "été", "strasse", "strasse"]),
        ("ﬁre Ｆｕｌｌ", ["fire", "full"]),
        ("東京の夜", ["東京", "京の", "の夜"]),
        ("夜 night", ["夜", "night"]),
        ("사랑 해요", ["사랑", "해요"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("", []),
        (" \t\n♪ … ", []),
    ],
)
def test_tokens_are_the_casefolded_words(text: str, expected: list[str]) -> None:
    assert tokens(text) == expected


def test_a_long_word_is_cut_so_that_no_token_is_without_bounds() -> None:
    assert [len(token) for token in tokens("x" * 100)] == [40, 40, 20]
    assert [len(token) for token in tokens("é" * 100)] == [40, 40, 20]


@given(texts)
def test_no_token_is_empty_too_long_or_holds_a_space(text: str) -> None:
    found = tokens(text)
    assert all(1 <= len(token) <= MAX_TOKEN_CHARACTERS and not re.search(r"\s", token) for token in found)


@given(st.text(alphabet=st.characters(max_codepoint=127), max_size=200))
def test_the_quick_way_for_ascii_gives_what_the_other_gives(text: str) -> None:
    assert tokens(text + "é" if not text[-1:].isalnum() else text + " é") == [*tokens(text), "é"]


def test_a_term_is_the_crc_of_the_token_and_so_the_same_for_ever() -> None:
    assert term("love") == zlib.crc32(b"love") % TERM_SPACE == 151_581
    assert 0 <= term("\ud800") < TERM_SPACE


@given(texts)
def test_counts_are_those_of_the_tokens(text: str) -> None:
    terms, counts = term_counts(text)
    assert (terms.dtype, counts.dtype) == (np.int32, np.uint16)
    assert (np.diff(terms) > 0).all()
    expected = np.bincount([term(token) for token in tokens(text)], minlength=TERM_SPACE) if tokens(text) else np.zeros(TERM_SPACE)
    assert (expected[terms] == counts).all()
    assert expected.sum() == counts.sum()
    again = term_counts(tokens(text))
    assert np.array_equal(again[0], terms)
    assert np.array_equal(again[1], counts)


def test_a_count_does_not_run_over() -> None:
    assert term_counts("la " * (MAX_COUNT + 9))[1].tolist() == [MAX_COUNT]
