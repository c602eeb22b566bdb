"""The values of a CSV's column as the schema says they are, or the first that is not."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from training.data.errors import UserDataError
from training.data.problems import shown
from training.personalize import limits
from training.personalize.avro import Field

WHOLE = r"[+-]?[0-9]{1,19}"
DECIMAL = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})?"
FORMS = {"int": WHOLE, "long": WHOLE, "float": DECIMAL, "double": DECIMAL, "boolean": "true|false", "string": "(?s).*"}
# A float is kept with the digits that it is written with.
ARROW_TYPES = {
    "int": pa.int32(),
    "long": pa.int64(),
    "float": pa.float64(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "string": pa.large_string(),
}
LARGEST = {"int": 2**31 - 1, "long": 2**63 - 1, "float": limits.LARGEST_FLOAT, "double": float(np.finfo(np.float64).max)}
ID_FIELDS = ("USER_ID", "ITEM_ID")


def typed(text: pa.ChunkedArray, field: Field, file: str, rows_before: int) -> pa.ChunkedArray:
    """The column (text, null empty) in the field's type: int32, int64, float64, bool or text.

    Raises ``UserDataError`` that names file, row, column and value of the first that the schema doesn't allow.
    """
    if not field.nullable and text.null_count:
        _refuse(pc.is_null(text), text, field, file, rows_before, f"is empty, and its type {field.type} has no null beside it")
    wrong = pc.invert(pc.fill_null(pc.match_substring_regex(text, f"^(?:{FORMS[field.type]})$"), True))
    if field.type == "string":
        most = limits.MAX_ID_CHARACTERS if field.name in ID_FIELDS else limits.MAX_TEXT_CHARACTERS
        if not field.textual:  # of a textual value Amazon Personalize cuts what is too much
            wrong = pc.greater(pc.fill_null(pc.utf8_length(text), 0), most)
        _refuse(wrong, text, field, file, rows_before, f"has more than the {most} characters that it may have")
        return text
    _refuse(wrong, text, field, file, rows_before, f"is no {field.type}")
    if field.type == "boolean":
        return text.cast(pa.bool_())
    signs_off = pc.replace_substring_regex(text, r"^\+", "")
    values = _numbers(signs_off, field.type)
    _refuse(_too_large(values, text, field.type), text, field, file, rows_before, f"is too large for its type {field.type}")
    return values.cast(ARROW_TYPES[field.type])


def _numbers(text: pa.ChunkedArray, kind: str) -> pa.ChunkedArray:
    """The numbers; a whole one that 64 bits can't hold is null."""
    if kind in ("float", "double"):
        return text.cast(pa.float64())
    try:
        return text.cast(pa.int64())
    except pa.ArrowInvalid:
        numbers = [None if one is None or not -(2**63) <= int(one) < 2**63 else int(one) for one in text.to_pylist()]
        return pa.chunked_array([pa.array(numbers, pa.int64())])


def _too_large(values: pa.ChunkedArray, text: pa.ChunkedArray, kind: str) -> pa.ChunkedArray:
    low = -LARGEST[kind] - (1 if kind in ("int", "long") else 0)
    fits = pc.and_(pc.greater_equal(values, low), pc.less_equal(values, LARGEST[kind]))
    return pc.and_(pc.is_valid(text), pc.invert(pc.fill_null(fits, False)))


def _refuse(wrong: pa.ChunkedArray, text: pa.ChunkedArray, field: Field, file: str, rows_before: int, why: str) -> None:
    mask = wrong.to_numpy().astype(bool)
    if mask.any():
        place = int(np.argmax(mask))
        value = text[place].as_py()
        raise UserDataError(f'{file}, row {rows_before + place + 1}, column "{field.name}": {shown(value) or "the value"} {why}')
