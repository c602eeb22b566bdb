"""Reading a catalogue with pandas, Arrow and polars, each as its handbook says, with the threads that it takes by itself."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
import pyarrow.csv

Reader = Callable[[Path], int]


def readers(columns: Sequence[str]) -> dict[str, Reader]:
    """By name the peers that are installed; each returns how many rows it has read. ``columns``: those that ours reads."""
    return {**_polars(columns), **_arrow(columns), **_pandas(columns)}


def _polars(columns: Sequence[str]) -> dict[str, Reader]:
    try:
        import polars
    except ModuleNotFoundError:
        return {}
    return {
        "polars, all columns": lambda path: len(polars.read_csv(path)),
        "polars, the columns that we read": lambda path: len(polars.read_csv(path, columns=list(columns))),
        "polars, these columns as text": lambda path: len(polars.read_csv(path, columns=list(columns), infer_schema=False)),
        "polars, the same and the sha256": lambda path: _hashed(
            path, len(polars.read_csv(path, columns=list(columns), infer_schema=False))
        ),
    }


def _hashed(path: Path, rows: int) -> int:
    """With what ours also finds out while it reads."""
    hashlib.sha256(path.read_bytes()).hexdigest()
    return rows


def _arrow(columns: Sequence[str]) -> dict[str, Reader]:
    parse = pyarrow.csv.ParseOptions(newlines_in_values=True)
    only = pyarrow.csv.ConvertOptions(include_columns=list(columns))
    return {
        "pyarrow, all columns": lambda path: pyarrow.csv.read_csv(path, parse_options=parse).num_rows,
        "pyarrow, the columns that we read": lambda path: pyarrow.csv.read_csv(path, parse_options=parse, convert_options=only).num_rows,
    }


def _pandas(columns: Sequence[str]) -> dict[str, Reader]:
    return {
        "pandas, all columns": lambda path: len(pd.read_csv(path)),
        "pandas, the columns that we read": lambda path: len(pd.read_csv(path, usecols=list(columns))),
    }
