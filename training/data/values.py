"""Turns columns of any type into text, codes and numbers. What cannot be turned is missing, and counted."""

import math
import re
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from training.data.json_lines import LIST_SEPARATOR

TEXT = pa.large_string()
YEAR = re.compile(r"(?<!\d)(1[89]\d\d|20\d\d)(?!\d)")
CLOCK = re.compile(r"\s*(?:(\d{1,2}):)?(\d{1,3}):(\d{2}(?:\.\d+)?)\s*")
NUMBER = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)\s*(?:db|bpm)?\s*", re.IGNORECASE)


def to_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column as text; null where it is missing, and for text only "" is missing: "NA" and "None" are names like any other.

    Whole numbers have no fraction, also those of a floating-point column: 7.0 is "7". The values of a list are joined by
    `LIST_SEPARATOR`.
    """
    kind = column.type
    if pa.types.is_dictionary(kind):
        return to_text(column.cast(kind.value_type))
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        column = pc.binary_join(column.cast(pa.list_(pa.string())), LIST_SEPARATOR)
    elif pa.types.is_floating(kind):
        column = _float_text(column.cast(pa.float64()))
    text = column.cast(TEXT)
    return pc.if_else(pc.equal(text, ""), pa.scalar(None, TEXT), text)


def _float_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    column = pc.if_else(pc.is_finite(column), column, pa.scalar(None, pa.float64()))
    whole = pc.and_(pc.equal(column, pc.floor(column)), pc.less(pc.abs(column), 2.0**63))
    as_integer = pc.if_else(whole, column, 0.0).cast(pa.int64()).cast(TEXT)
    return pc.if_else(whole, as_integer, column.cast(TEXT))


def encode(text: pa.ChunkedArray) -> tuple[list[str], NDArray[np.int64]]:
    """The distinct texts, sorted by their UTF-8 bytes, and for each row the place of its text in them, -1 where it is missing."""
    if not len(text):
        return [], np.empty(0, np.int64)
    encoded = text.dictionary_encode().unify_dictionaries().combine_chunks()
    order = pc.sort_indices(encoded.dictionary).to_numpy()
    rank = np.empty(len(order) + 1, np.int64)
    rank[order] = np.arange(len(order))
    rank[-1] = -1
    return encoded.dictionary.take(order).to_pylist(), rank[encoded.indices.fill_null(-1).to_numpy()]


def to_number(column: pa.ChunkedArray, parse: Callable[[str], float] | None = None) -> tuple[NDArray[np.float64], int]:
    """A column as finite numbers, NaN where missing, and how many values were there but are no number.

    `parse` reads one text (called once for each distinct one, NaN if it cannot); without it, text is a number with an optional unit
    ("-6.85db").
    """
    values = plain_numbers(column) if parse is None else None
    if values is None:
        distinct, codes = encode(to_text(column))
        values = np.array([*map(parse or number, distinct), math.nan])[codes]
    values[~np.isfinite(values)] = math.nan
    return values, int(np.isnan(values).sum()) - count_missing(column)


def count_missing(column: pa.ChunkedArray) -> int:
    """How many values of a column are missing: null, an empty text, or not a number where the column is floating-point."""
    if pa.types.is_floating(column.type):
        return pc.sum(pc.is_null(column, nan_is_null=True)).as_py() or 0
    return column.null_count if is_numeric(column.type) else to_text(column).null_count


def is_numeric(kind: pa.DataType) -> bool:
    """Whether a column of this type holds numbers."""
    return pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)


def plain_numbers(column: pa.ChunkedArray) -> NDArray[np.float64] | None:
    """The values of a column of numbers, or of text that is all plain numbers, NaN where missing; None if it is neither."""
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    elif not is_numeric(column.type):
        try:
            column = to_text(column).cast(pa.float64())
        except pa.ArrowInvalid:
            return None
    return np.array(column.cast(pa.float64(), safe=False).to_numpy(), dtype=np.float64)


def number(text: str) -> float:
    """The number in a text that may end in "db" or "bpm"; NaN if there is none."""
    match = NUMBER.fullmatch(text)
    return float(match[1]) if match else math.nan


def year(text: str) -> float:
    """The year in a text: "2013", "2013-04-29", "29th April 2013"; NaN if there is none from 1800 to 2099."""
    match = YEAR.search(text)
    return float(match[1]) if match else math.nan


def clock_or_number(text: str) -> float:
    """Seconds of "03:47" or "1:02:03", or else the number as it is; NaN if it is neither."""
    if match := CLOCK.fullmatch(text):
        return int(match[1] or 0) * 3600 + int(match[2]) * 60 + float(match[3])
    return number(text)
