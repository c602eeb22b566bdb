"""How alike two songs are by what they are. The content model is trained with this, and a new song is compared by it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from inference.features.columns import CategoriesColumn, CategoryColumn, NumberColumn, VectorColumn
from inference.features.store import FeatureStore

RARE_WEIGHS_MORE = frozenset({"genres"})  # a genre that few songs have tells more; artists tell the same, all of them
YEAR = "release_year"
ALL = slice(None)
ARC = np.pi / 6  # of a standard deviation: the mean and what is three of them away are a quarter of a circle apart, and so not alike


@dataclass(frozen=True)
class Part:
    """One feature in the similarity. ``weight``: its share of 1. ``mean``, ``deviation``: of a number that the user named;
    ``first``, ``last``: of the release year, the decades between which it lies."""

    weight: float
    mean: float = 0.0
    deviation: float = 0.0
    first: int = 0
    last: int = 0


@dataclass(frozen=True)
class Similarity:
    """The similarity of two songs is ``sum_p weight_p · u_p(i)·u_p(j)``, each ``u_p`` of length 1, or 0 where a song lacks the feature;
    so it is between -1 and 1. ``parts``: by column of the store; the weights sum to 1."""

    parts: Mapping[str, Part]

    def dense(self, store: FeatureStore, songs: slice | np.ndarray = ALL) -> np.ndarray:
        """Returns float32 (songs, dimensions) of some songs (a slice, or numbers): numbers and vectors, side by side, each of the length of
        the root of its weight."""
        n = len(range(*songs.indices(store.n_songs))) if isinstance(songs, slice) else len(songs)
        blocks = [np.zeros((n, 0), dtype=np.float32)]
        for name, part in self.parts.items():
            column = store[name]
            if isinstance(column, VectorColumn | NumberColumn):
                values = column.values[songs]
                rows = unit_rows(values) if isinstance(column, VectorColumn) else _around(name, part, values)
                blocks.append((np.sqrt(part.weight) * rows).astype(np.float32))
        return np.hstack(blocks)

    def settings(self) -> dict[str, Any]:
        return {name: vars(part) for name, part in self.parts.items()}

    @classmethod
    def load(cls, settings: Mapping[str, Any], store: FeatureStore) -> Self:
        """Raises ``KeyError`` or ``TypeError`` where the settings are damaged, or speak of features that the store has not."""
        if lacking := [name for name in settings if name not in store]:
            raise KeyError(lacking[0])
        parts = {name: Part(**part) for name, part in settings.items()}
        for part in parts.values():
            if not all(isinstance(value, int | float) for value in vars(part).values()):
                raise TypeError("a part of the similarity is no number")
        return cls(parts)


def name_rows(column: CategoriesColumn | CategoryColumn) -> tuple[np.ndarray, np.ndarray]:
    """Returns the names of all songs as compressed rows: indptr int64, codes int32."""
    if isinstance(column, CategoriesColumn):
        return column.indptr, column.indices
    known = column.codes >= 0
    return np.concatenate([[0], np.cumsum(known, dtype=np.int64)]), column.codes[known]


def name_weights(name: str, codes: np.ndarray, n_names: int, n_songs: int) -> np.ndarray:
    """Returns float64 (names + 1,): what each name counts, and, last, one that no song has."""
    if name not in RARE_WEIGHS_MORE:
        return np.ones(n_names + 1)
    frequency = np.append(np.bincount(codes, minlength=n_names), 0)
    weights: np.ndarray = np.log((1.0 + n_songs) / (1.0 + frequency)) + 1.0
    return weights


def unit_rows(matrix: np.ndarray) -> np.ndarray:
    """Returns float64, each row of length 1; rows of zeros stay."""
    wide = matrix.astype(np.float64)
    unit: np.ndarray = wide / np.maximum(np.linalg.norm(wide, axis=1, keepdims=True), 1e-12)
    return unit


def year_rows(years: np.ndarray, first: int, last: int) -> np.ndarray:
    """Returns float64 (songs, decades), rows of length 1: a year lies between two decades, so 1989 and 1990 are close. ``first`` and
    ``last`` number the decades (198, 203); a year outside counts as the nearest inside."""
    known = np.isfinite(years)
    decades = np.clip(np.where(known, years.astype(np.float64), 0.0) / 10.0, first, last)
    rows = np.maximum(0.0, 1.0 - np.abs(decades[:, None] - np.arange(first, last + 1)[None, :]))
    return unit_rows(rows * known[:, None])


def decades_of(years: np.ndarray) -> tuple[int, int]:
    """Returns the first and last decade that all these years lie between; (0, 0) where no year is known."""
    known = years[np.isfinite(years)]
    return (int(np.floor(known.min() / 10)), int(np.floor(known.max() / 10)) + 1) if len(known) else (0, 0)


def _around(name: str, part: Part, values: np.ndarray) -> np.ndarray:
    """Returns float64 rows of length 1 whose products say how near the numbers are."""
    if name == YEAR:
        return year_rows(values, part.first, part.last)
    known = np.isfinite(values)
    deviations = (np.where(known, values.astype(np.float64), part.mean) - part.mean) / (part.deviation if part.deviation > 1e-9 else np.inf)
    angle = ARC * np.clip(deviations, -3.0, 3.0)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1) * known[:, None]
