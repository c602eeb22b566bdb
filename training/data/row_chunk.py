"""What a reader hands on: some rows of a file, and where they stand in it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


class Chunk(NamedTuple):
    """``table``: the columns asked for, in that order. ``rows``: int64, for each row its number within the piece of the file, from 1.

    ``misshapen``: number and text of the rows between them that do not have the shape of a row and are not in the table.
    """

    table: pa.Table
    rows: NDArray[np.int64]
    misshapen: list[tuple[int, str]]


def numbered(table: pa.Table, before: int, misshapen: list[tuple[int, str]]) -> Chunk:
    """A chunk of rows of which ``before`` came earlier; ``misshapen`` has those left out among them, in order."""
    rows = np.arange(before + 1, before + 1 + table.num_rows + len(misshapen), dtype=np.int64)
    left_out = np.array([number for number, _ in misshapen], dtype=np.int64) - before - 1
    return Chunk(table, np.delete(rows, left_out) if len(left_out) else rows, misshapen)
