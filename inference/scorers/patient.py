"""What scorers share that are an operator and a patience: how they are stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np

from inference.scorers.base import RowScorer
from inference.sparse import SparseRows


class PatientScorer(RowScorer):
    """An ``operator`` whose rows are added up, and a ``patience`` that says how soon one of them counts half; 0: all count alike."""

    ARRAYS = SparseRows.ARRAYS

    def __init__(self, operator: SparseRows, patience: float) -> None:
        self.operator, self.patience = operator, patience

    def arrays(self) -> dict[str, np.ndarray]:
        return self.operator.arrays()

    def settings(self) -> dict[str, Any]:
        return {"n_items": self.operator.n_columns, "patience": self.patience}

    @classmethod
    def load(cls, settings: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Self:
        operator = SparseRows(**{name: arrays[name] for name in cls.ARRAYS}, n_columns=int(settings["n_items"]))
        return cls(operator, float(settings["patience"]))
