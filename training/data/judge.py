"""Goes through the rows of one piece of data, problem by problem, and keeps the rows that the settings let pass."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from training.data.problems import Kind, Ledger, Values


class Cells:
    """The values of an Arrow column by place, read only where one is shown."""

    def __init__(self, column: pa.ChunkedArray) -> None:
        self.column = column

    def __getitem__(self, place: int) -> object:
        value = self.column[place]
        try:
            return value.as_py()
        except (OverflowError, ValueError, pa.ArrowException):  # a time that Python can't hold, or of a zone that nobody knows
            return getattr(value, "value", "")

    def __len__(self) -> int:
        return len(self.column)


class Judge:
    """``kept``: bool per row, false once a problem whose policy is to drop was found in it. Each row is dropped for one reason."""

    def __init__(self, channel: str, file: str, rows: NDArray[np.int64], ledger: Ledger) -> None:
        self.channel, self.file, self.rows, self.ledger = channel, file, rows, ledger
        self.kept = np.ones(len(rows), dtype=bool)

    def found(self, kind: str, column: str, where: NDArray[np.bool_], values: Values) -> None:
        """Records a problem in the rows where ``where`` is true and drops them if the settings say so."""
        if where.any():
            dropped = self.ledger.found(Kind(self.channel, kind, column), where, self.file, self.rows, values)
            self.drop(kind, dropped)

    def drop(self, reason: str, where: NDArray[np.bool_]) -> None:
        """Drops rows for a reason that a setting asked for."""
        new = where & self.kept
        self.ledger.counts[f"{self.channel}.dropped_{reason}"] += int(new.sum())
        self.kept &= ~where
