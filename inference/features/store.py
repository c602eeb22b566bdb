"""The feature store: the features of all songs, by column. It lies in the artifact as plain arrays, one file each."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Self

import numpy as np

from inference.features.columns import KINDS, Column

PREFIX = "features"
NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")


class FeatureStore(Mapping[str, Column]):
    """Column by name, in a fixed order; all columns have a row for each of ``n_songs`` songs."""

    def __init__(self, columns: Mapping[str, Column], n_songs: int) -> None:
        """Raises ``ValueError`` for a name that no file can have, or a column of another length."""
        for name, column in columns.items():
            if not NAME.fullmatch(name):
                raise ValueError(f"a feature cannot be called {name!r}: small letters, digits and _, 64 at most, a letter first")
            if len(column) != n_songs:
                raise ValueError(f"the feature {name} has {len(column)} rows, not one for each of {n_songs} songs")
        self._columns = dict(columns)
        self.n_songs = n_songs

    def __getitem__(self, name: str) -> Column:
        return self._columns[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    def row(self, number: int) -> dict[str, Any]:
        """Returns the features of one song in JSON's types: a number, true or false, a name, a list of names, or a list of numbers;
        None where one is missing. Raises ``IndexError`` for a number that no song has."""
        if not 0 <= number < self.n_songs:
            raise IndexError(number)
        return {name: column.value(number) for name, column in self.items()}

    def arrays(self) -> dict[str, np.ndarray]:
        """Returns all arrays, by the names of their files: ``features.<column>.<array>``."""
        return {f"{PREFIX}.{name}.{part}": array for name, column in self.items() for part, array in column.arrays().items()}

    def settings(self) -> dict[str, Any]:
        """Returns what ``load`` needs beside the arrays, in JSON's types."""
        return {"n_songs": self.n_songs, "columns": [{"name": name, "kind": column.KIND} for name, column in self.items()]}

    @classmethod
    def load(cls, settings: Mapping[str, Any], array: Callable[[str], np.ndarray]) -> Self:
        """Opens the store again; ``array`` gives an array by its name. Raises ``KeyError`` or ``ValueError`` where settings are damaged."""
        columns: dict[str, Column] = {}
        for entry in settings["columns"]:
            name, kind = entry["name"], KINDS[entry["kind"]]
            if not isinstance(name, str) or not NAME.fullmatch(name):
                raise ValueError("a feature whose name is not one of ours")
            columns[name] = kind.of_arrays({part: array(f"{PREFIX}.{name}.{part}") for part in kind.ARRAYS})
        return cls(columns, int(settings["n_songs"]))
