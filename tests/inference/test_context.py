"""Names and categories become words, in the same way everywhere."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.context import ContextWords, UnknownFieldError, category_words, context_of, field_name, text_words
from inference.vocabulary import Vocabulary
from training.data.columns import plain

WORDS = ContextWords(Vocabulary.of(["country=de", "name=road trip", "road", "summer", "trip"]), ("name",), ("country",))


@given(st.text(max_size=30))
def test_a_field_is_compared_as_training_compares_columns(name: str) -> None:
    assert field_name(name) == plain(name)


def test_a_name_is_its_words_and_itself() -> None:
    assert text_words("name", "Road  TRIP!") == ["road", "trip", "name=road trip"]
    assert text_words("name", "Summer") == ["summer"]
    assert text_words("name", " ") == []


def test_a_category_is_one_word() -> None:
    assert category_words("country", " DE ") == ["country=de"]
    assert category_words("country", " ") == []


def test_words_that_the_model_does_not_know_say_nothing() -> None:
    assert WORDS.numbers({"Name": "my road trip", "COUNTRY": "de"}).tolist() == [0, 2, 4]
    assert WORDS.numbers({"name": "road trip"}).tolist() == [1, 2, 4]
    assert WORDS.numbers({"name": "zzz", "country": "fr"}).tolist() == []


def test_an_unknown_field_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownFieldError, match=r"'contry'.*Did you mean 'country'.*country, name"):
        WORDS.numbers({"contry": "de"})


names = st.lists(st.sampled_from(["road", "trip", "summer", "17"]), min_size=1, max_size=4).map(" ".join)


@given(names, st.sampled_from(["de", "fr", None]))
def test_a_context_made_of_words_says_these_words(name: str, country: str | None) -> None:
    said = [*text_words("name", name), *(category_words("country", country) if country else [])]
    context = context_of(sorted(said), ("name",))
    again = [word for field, value in context.items() for word in (text_words if field == "name" else category_words)(field, value)]
    assert set(again) == set(said)


def test_words_without_their_whole_name_are_said_as_a_text() -> None:
    assert context_of(["road", "trip"], ("description", "name")) == {"description": "road trip"}
    assert context_of([], ("name",)) == {}
