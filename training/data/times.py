"""Turns columns of any type into times. What cannot be turned is missing, and counted."""

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from training.data.dataset import MISSING_TIME
from training.data.values import encode, missing_cells, plain_numbers

# A number of this size or more is in the unit of 1/divisor seconds: milliseconds, microseconds, nanoseconds.
EPOCH_UNITS = ((1e11, 1e3), (1e14, 1e6), (1e17, 1e9))
LARGEST_EPOCH = 1e20


def to_seconds(column: pa.ChunkedArray) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Times as whole seconds since 1970, `MISSING_TIME` where missing, and where a value is there but is no time.

    Read are dates and times of Arrow, ISO 8601 texts (UTC unless they name a zone), and numbers: seconds, or from 1e11 on
    milliseconds, from 1e14 on microseconds, from 1e17 on nanoseconds.
    """
    kind = column.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        times = column.cast(pa.timestamp("ms")) if pa.types.is_date(kind) else column
        whole = times.cast(pa.timestamp("s", times.type.tz), safe=False).cast(pa.int64())
        seconds = np.array(whole.fill_null(MISSING_TIME).to_numpy(), dtype=np.int64)
        return seconds, np.zeros(len(seconds), dtype=bool)
    values = plain_numbers(column)
    if values is not None:
        seconds = _epoch(values)
    else:
        distinct, codes = encode(column)
        seconds = np.append(_text_seconds(distinct), MISSING_TIME)[codes]
    without = seconds == MISSING_TIME
    return seconds, without & ~missing_cells(column) if without.any() else without


def _epoch(values: NDArray[np.float64]) -> NDArray[np.int64]:
    seconds = values.copy()
    size = np.abs(values)
    for start, divisor in EPOCH_UNITS:
        seconds[size >= start] = values[size >= start] / divisor
    usable = size < LARGEST_EPOCH  # False for NaN
    return np.where(usable, np.floor(np.where(usable, seconds, 0.0)).astype(np.int64), MISSING_TIME)


def _text_seconds(distinct: list[str]) -> NDArray[np.int64]:
    texts = pd.Series(distinct, dtype=object)
    seconds = _epoch(pd.to_numeric(texts, errors="coerce").to_numpy(dtype=np.float64))
    other = seconds == MISSING_TIME
    if other.any():
        iso = texts[other].where(texts[other].str.contains("[0-9]"), "").str.replace(r"\s*UTC$", "Z", regex=True)
        dates = pd.to_datetime(iso, format="ISO8601", utc=True, errors="coerce").dt.tz_localize(None).to_numpy()
        found = dates.astype("datetime64[s]").astype(np.int64)
        seconds[other] = np.where(np.isnat(dates), MISSING_TIME, found)
    return seconds
