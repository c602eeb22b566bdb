"""Turns columns of any type into text, codes and numbers. What cannot be turned is missing, and counted."""

import math
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from inference.features.values import LIST_SEPARATOR, clock_or_number, number

TEXT = pa.large_string()


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


def distinct(column: pa.ChunkedArray) -> tuple[pa.LargeStringArray, NDArray[np.int64]]:
    """The distinct values of a column as text, in no order, and for each row the place of its text in them, -1 where it is missing."""
    if pa.types.is_nested(column.type) or pa.types.is_null(column.type):
        column = to_text(column)
    if not len(column):
        return pa.array([], TEXT), np.empty(0, np.int64)
    encoded = dictionary(column)
    codes = encoded.indices.cast(pa.int64()).fill_null(-1).to_numpy()
    texts = to_text(pa.chunked_array([encoded.dictionary])).dictionary_encode().combine_chunks()
    if texts.null_count or len(texts.dictionary) < len(texts):  # "" is missing; 0.0 and -0.0 are one number
        codes = np.append(texts.indices.cast(pa.int64()).fill_null(-1).to_numpy(), -1)[codes]
    return texts.dictionary, codes


def dictionary(column: pa.ChunkedArray) -> pa.DictionaryArray:
    """The column as codes and their distinct values. In one chunk: Arrow repeats for each chunk what all before it have."""
    if pa.types.is_string(column.type):
        column = column.cast(TEXT)  # whose chunks may be joined, however much text there is
    return column.combine_chunks().dictionary_encode()


def encode(column: pa.ChunkedArray) -> tuple[list[str], NDArray[np.int64]]:
    """The distinct texts, sorted by their UTF-8 bytes, and for each row the place of its text in them, -1 where it is missing."""
    texts, codes = distinct(column)
    order = pc.sort_indices(texts).to_numpy()
    rank = np.empty(len(order) + 1, np.int64)
    rank[order] = np.arange(len(order))
    rank[-1] = -1
    return texts.take(order).to_pylist(), rank[codes]


def numbers_of(column: pa.ChunkedArray, parse: Callable[[str], float] | None = None) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """A column as finite numbers, NaN where missing, and where a value is there but is no number.

    `parse` reads one text (called once for each distinct one, NaN if it cannot); without it, text is a number with an optional unit
    ("-6.85db").
    """
    values = plain_numbers(column) if parse in (None, clock_or_number) else None
    if values is None:
        texts, codes = distinct(column)
        values = np.array([*map(parse or number, texts.to_pylist()), math.nan])[codes]
    values[~np.isfinite(values)] = math.nan
    unreadable = np.isnan(values)
    return values, unreadable & ~missing_cells(column) if unreadable.any() else unreadable


def missing_cells(column: pa.ChunkedArray) -> NDArray[np.bool_]:
    """Where a column is missing: null, an empty text, or not a number where the column is floating-point."""
    if pa.types.is_floating(column.type):
        found = pc.is_null(column, nan_is_null=True)
    elif pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        found = pc.fill_null(pc.equal(pc.binary_length(column), 0), True)
    else:
        found = pc.is_null(column if is_numeric(column.type) else to_text(column))
    return found.to_numpy().astype(bool, copy=False)


def of_distinct(column: pa.ChunkedArray, function: Callable[[pa.LargeStringArray], pa.LargeStringArray]) -> pa.ChunkedArray:
    """A column as text, changed by a function that is given the distinct values, all at once; null stays null."""
    texts, codes = distinct(column)
    return pa.chunked_array([function(texts).take(pa.array(codes, mask=codes < 0))])


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
