"""The columns of the catalogue that a filter or a cap may name, and what a request may call them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from inference.errors import RequestError
from inference.features.columns import Column
from inference.features.describe import PARSERS, unknown
from inference.features.store import FeatureStore
from inference.features.transform import FeatureTransform
from inference.features.values import number
from inference.texts import Texts

COLUMN_OF_ROLE = {"artist": "artists", "genre": "genres", "year": "release_year"}


@dataclass(frozen=True)
class Found:
    """A column under one of its names. ``name``: in the store or the metadata; ``divisor``: what a number under this name is divided by
    to be in our units; ``parse``: how a text under this name is read as a number, NaN where it is none."""

    name: str
    column: Column | Texts
    divisor: float = 1.0
    parse: Callable[[object], float] = number


class SongColumns:
    """All columns by all their names: those of the catalogue's file, ours (see ``songs`` of a request), and those of the store."""

    def __init__(self, store: FeatureStore | None, transform: FeatureTransform | None, metadata: Mapping[str, Texts]) -> None:
        self._found: dict[str, Found] = {}
        if store is not None and transform is not None:
            self._found |= _called_as_in_descriptions(store, transform, metadata)
        for name, column in () if store is None else store.items():
            self._found.setdefault(name, Found(name, column))
        for name, texts in metadata.items():
            self._found.setdefault(name, Found(name, texts))

    def __getitem__(self, name: str) -> Found:
        """Raises ``RequestError`` 422 with the nearest known name, or where the model knows nothing of its songs."""
        if not self._found:
            raise RequestError(422, "no_features", "This model knows no attributes of its songs: it was trained without a catalogue.")
        if name not in self._found:
            raise RequestError(422, "unknown_field", unknown(name, list(self._found), "column of the songs"))
        return self._found[name]


def _called_as_in_descriptions(store: FeatureStore, transform: FeatureTransform, metadata: Mapping[str, Texts]) -> dict[str, Found]:
    own = {f"{column.kind}:{column.attribute}": name for name, column in transform.own.items()}
    found = {}
    for name, role in transform.names.roles().items():
        column = own.get(role) or COLUMN_OF_ROLE.get(role, role)
        divisor = transform.names.divisors.get(role, 1.0) if transform.names.columns.get(role) == name else 1.0
        if column in store:
            found[name] = Found(column, store[column], divisor, PARSERS.get(role, number))
        elif role in metadata:
            found[name] = Found(role, metadata[role])
    return found
