"""How single values are read."""

import datetime as dt
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from inference.features.values import clock_or_number, year
from training.data.dataset import MISSING_TIME
from training.data.times import to_seconds
from training.data.values import encode, numbers_of, to_text


def column(values: list[Any], kind: pa.DataType | None = None) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(values, kind)])


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        ([7, None], pa.int64(), ["7", None]),
        ([7.0, 2.5, None, float("nan"), float("inf")], pa.float32(), ["7", "2.5", None, None, None]),
        ([2**53 + 1], pa.int64(), ["9007199254740993"]),
        (["007", "", None, "NA", "null", "None", " "], pa.string(), ["007", None, None, "NA", "null", "None", " "]),
        ([b"ab"], pa.binary(), ["ab"]),
        ([True, None], pa.bool_(), ["true", None]),
        ([["rock", "pop"], [], None], pa.list_(pa.string()), ["rock\x1fpop", None, None]),
        (["a", "b", "a"], pa.dictionary(pa.int8(), pa.string()), ["a", "b", "a"]),
        ([None], pa.null(), [None]),
    ],
)
def test_ids_are_text_exactly_as_written_and_only_empty_is_missing(values: list[Any], kind: pa.DataType, expected: list[Any]) -> None:
    assert to_text(column(values, kind)).to_pylist() == expected


def test_codes_follow_the_utf8_order_of_the_texts() -> None:
    texts = ["z", "a", None, "é", "𝄞", "\uffff", "a"]
    distinct, codes = encode(to_text(column(texts)))
    assert distinct == sorted({text for text in texts if text}, key=lambda text: text.encode())
    assert [None if code < 0 else distinct[code] for code in codes] == texts


def test_codes_of_many_chunks_equal_those_of_one() -> None:
    texts = [str(number % 7) for number in range(50)]
    one = encode(to_text(column(texts)))
    many = encode(to_text(pa.chunked_array([texts[start : start + 3] for start in range(0, 50, 3)])))
    assert one[0] == many[0]
    assert (one[1] == many[1]).all()


def test_numbers_are_read_with_their_units_and_the_rest_is_counted() -> None:
    values, unreadable = numbers_of(column(["1", "-6.85db", " 3 ", "120 BPM", "", None, "high", "1e400", "nan"]))
    assert values[:4].tolist() == [1, -6.85, 3, 120]
    assert np.isnan(values[4:]).all()
    assert unreadable.sum() == 3


@pytest.mark.parametrize("kind", [pa.int16(), pa.float32(), pa.decimal128(9, 2), pa.string()])
def test_numbers_of_any_type_are_equal(kind: pa.DataType) -> None:
    values, unreadable = numbers_of(column(["4", "5", None]).cast(kind))
    assert values[:2].tolist() == [4, 5]
    assert np.isnan(values[2])
    assert not unreadable.any()


@pytest.mark.parametrize(
    ("text", "seconds"), [("03:47", 227), ("1:02:03", 3723), ("0:59.5", 59.5), ("200", 200), ("3:4:5:6", None), ("three", None)]
)
def test_a_length_is_a_clock_or_a_number(text: str, seconds: float | None) -> None:
    assert clock_or_number(text) == pytest.approx(seconds if seconds is not None else float("nan"), nan_ok=True)


@pytest.mark.parametrize("text", ["2013", "2013-04-29", "29th April 2013", "2013-04", "29/04/2013", "2013.0", "2013-04-29T00:00:00Z"])
def test_a_year_is_found_in_any_spelling_of_a_date(text: str) -> None:
    assert year(text) == 2013


@pytest.mark.parametrize("text", ["", "13", "20130", "unknown", "3013", "1 January 95"])
def test_a_year_is_not_guessed(text: str) -> None:
    assert np.isnan(year(text))


MOMENT = 1_700_000_000


@pytest.mark.parametrize(
    "value",
    [
        MOMENT,
        MOMENT * 1000 + 123,
        MOMENT * 10**6 + 7,
        MOMENT * 10**9,
        float(MOMENT) + 0.5,
        str(MOMENT),
        str(MOMENT * 1000),
        "2023-11-14T22:13:20Z",
        "2023-11-14 22:13:20",
        "2023-11-14T23:13:20+01:00",
        "2023-11-14 22:13:20 UTC",
        "2023-11-14 22:13:20.75",
        dt.datetime(2023, 11, 14, 22, 13, 20),
        dt.datetime(2023, 11, 14, 22, 13, 20, tzinfo=dt.UTC),
    ],
)
def test_a_time_is_read_in_seconds_milliseconds_and_iso(value: Any) -> None:
    seconds, unreadable = to_seconds(column([value, None]))
    assert seconds.tolist() == [MOMENT, MISSING_TIME]
    assert not unreadable.any()


def test_times_of_several_spellings_may_stand_in_one_column() -> None:
    texts = [str(MOMENT), "2023-11-14T22:13:20Z", "yesterday", "", None, "9e99", "2023-13-45"]
    seconds, unreadable = to_seconds(column(texts))
    assert seconds.tolist() == [MOMENT, MOMENT, *[MISSING_TIME] * 5]
    assert unreadable.sum() == 3


def test_dates_before_1970_and_beyond_nanoseconds_are_times() -> None:
    seconds, _ = to_seconds(column([dt.date(1969, 12, 31), dt.date(1, 1, 1)]))
    assert seconds.tolist() == [-86_400, -62_135_596_800]
