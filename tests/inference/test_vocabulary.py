"""Ids and numbers, both ways."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference import vocabulary
from inference.texts import Texts
from inference.vocabulary import UNKNOWN, Vocabulary

ids = st.lists(st.text(), unique=True, max_size=30)


@given(ids=ids)
def test_every_id_finds_its_number_and_every_number_its_id(ids: list[str]) -> None:
    words = Vocabulary.of(ids)
    assert words.numbers(ids).tolist() == list(range(len(ids)))
    assert [words.id(i) for i in range(len(words))] == ids


@given(ids=ids, other=st.text())
def test_an_unknown_id_is_unknown(ids: list[str], other: str) -> None:
    assert Vocabulary.of(ids).number(other) == (ids.index(other) if other in ids else UNKNOWN)


def test_a_lone_surrogate_which_json_can_bring_is_an_id_like_any_other() -> None:
    words = Vocabulary.of(["a", "\ud800"])
    assert words.number("\ud800") == 1
    assert words.id(1) == "\ud800"


def test_ids_with_equal_hashes_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vocabulary, "_crc", lambda encoded: np.full(len(encoded), 7, np.uint32))
    monkeypatch.setattr(vocabulary.LookUp, "of", lambda *arrays: None)  # it makes its hashes itself
    words = Vocabulary.of(["x", "y", "z"])
    assert words.numbers(["z", "x", "y", "w"]).tolist() == [2, 0, 1, UNKNOWN]


def test_a_repeated_id_is_refused() -> None:
    with pytest.raises(ValueError, match="distinct"):
        Vocabulary.of(["a", "a"])


@given(strings=st.lists(st.text(), max_size=20))
def test_texts_give_back_their_strings(strings: list[str]) -> None:
    texts = Texts.of(strings)
    assert [texts[i] for i in range(len(texts))] == strings
    assert texts.blob.dtype == np.uint8


@given(st.lists(st.text(st.characters(), max_size=5), unique=True, min_size=1, max_size=20), st.data())
def test_ids_of_many_numbers_are_those_of_each(ids: list[str], data: st.DataObject) -> None:
    vocabulary = Vocabulary.of(ids)
    numbers = data.draw(st.lists(st.integers(0, len(ids) - 1), max_size=10))
    assert vocabulary.ids(np.array(numbers, dtype=np.int64)) == [ids[number] for number in numbers]
