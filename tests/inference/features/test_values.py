"""How single values are read."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.features.values import clock_or_number, key_and_mode, mode, names, normal, number, year, yes_no

NAN = math.nan
anything = st.text(max_size=30) | st.integers() | st.floats() | st.booleans() | st.none() | st.just([])


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("1", 1), ("-6.85db", -6.85), (" 3 ", 3), ("120 BPM", 120), (".5", 0.5), ("1e3", 1000), (7, 7), (0.5, 0.5), (True, 1),
        ("", NAN), ("high", NAN), ("1e400", NAN), ("nan", NAN), (None, NAN), (math.inf, NAN), (10**400, NAN), ([1], NAN),
    ],
)  # fmt: skip
def test_a_number_may_have_its_unit(value: object, expected: float) -> None:
    assert number(value) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("03:47", 227), ("1:02:03", 3723), ("0:59.5", 59.5), ("200", 200), (200, 200), ("3:4:5:6", NAN), ("three", NAN), (None, NAN)],
)
def test_a_length_is_a_clock_or_a_number(text: object, seconds: float) -> None:
    assert clock_or_number(text) == pytest.approx(seconds, nan_ok=True)


@pytest.mark.parametrize(
    "value", ["2013", "2013-04-29", "29th April 2013", "2013-04", "29/04/2013", "2013.0", "2013-04-29T00:00:00Z", 2013, 2013.0]
)
def test_a_year_is_found_in_any_spelling_of_a_date(value: object) -> None:
    assert year(value) == 2013


@pytest.mark.parametrize("value", ["", "13", "20130", "unknown", "3013", "1 January 95", 13, None, NAN])
def test_a_year_is_not_guessed(value: object) -> None:
    assert math.isnan(year(value))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("D min", (2, 0)), ("C#/Db Maj", (1, 1)), ("D# min", (3, 0)), ("F Maj", (5, 1)), ("Eb minor", (3, 0)), ("A♭ Major", (8, 1)),
        ("Am", (9, 0)), ("F#m", (6, 0)), ("C", (0, -1)), ("b", (11, -1)), ("Bb", (10, -1)), ("Cb", (11, -1)), ("B# maj", (0, 1)),
        ("c sharp minor", (1, 0)), ("F#-Minor", (6, 0)), ("8A", (9, 0)), ("8B", (0, 1)), ("9b", (7, 1)), ("12a", (1, 0)),
        ("0", (0, -1)), ("11", (11, -1)), (7, (7, -1)), (7.0, (7, -1)), ("-1", (-1, -1)), (12, (-1, -1)), ("2.5", (-1, -1)),
        ("", (-1, -1)), (None, (-1, -1)), ("loud", (-1, -1)), ("Dmin", (2, 0)), ("X min", (-1, -1)),
    ],
)  # fmt: skip
def test_a_key_is_read_as_musicians_and_files_write_it(value: object, expected: tuple[int, int]) -> None:
    assert key_and_mode(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"), [("Major", 1), ("min", 0), (1, 1), (0.0, 0), ("0", 0), (2, -1), ("", -1), (None, -1), (NAN, -1), (True, -1)]
)
def test_a_mode_is_a_word_or_a_number(value: object, expected: int) -> None:
    assert mode(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [("Yes", 1), (" no ", 0), (True, 1), (False, 0), (1, 1), (0.0, 0), ("1.0", 1), ("Explicit", 1), ("maybe", -1), (2, -1), (None, -1)],
)
def test_yes_and_no(value: object, expected: int) -> None:
    assert yes_no(value) == expected


def test_names_are_split_tidied_and_kept_once() -> None:
    assert names("Pop;  hip  HOP|pop;;", ";|") == ["pop", "hip hop"]
    assert names("['Pop', \"R'n'B\"]", ";") == ["pop", "r'n'b"]
    assert names("a\x1fb", ";") == ["a", "b"]
    assert names("a]b^c-d", "]^-") == ["a", "b", "c", "d"]
    assert names("Tyler, The Creator", ";", str) == ["Tyler, The Creator"]


def test_texts_that_look_alike_are_equal() -> None:
    assert normal("  Beyonce\u0301\tKNOWLES ") == "beyoncé knowles"


@given(anything)
def test_no_value_is_an_error(value: object) -> None:
    assert -1 <= key_and_mode(value)[0] <= 11
    assert {key_and_mode(value)[1], mode(value), yes_no(value)} <= {-1, 0, 1}
    assert math.isfinite(number(value)) or math.isnan(number(value))
    assert clock_or_number(value) >= 0 or not clock_or_number(value) >= 0
    assert 1800 <= year(value) < 2100 or math.isnan(year(value))
