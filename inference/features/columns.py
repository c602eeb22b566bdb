"""The columns of the feature store: plain arrays, aligned with the numbers of the songs, that can be memory-mapped."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, Self

import numpy as np

from inference.texts import Texts, encode

MISSING = -1


class Column(Protocol):
    """One feature of all songs. ``KIND`` names its class in the artifact, ``ARRAYS`` its arrays."""

    KIND: ClassVar[str]
    ARRAYS: ClassVar[tuple[str, ...]]

    def __len__(self) -> int: ...

    def arrays(self) -> dict[str, np.ndarray]:
        """Returns its arrays by the names of ``ARRAYS``; the class called with them, as keywords to ``of_arrays``, gives it back."""
        ...

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Self: ...

    def value(self, number: int) -> Any:
        """Returns the feature of one song in JSON's types; None where it is missing."""
        ...


class _Values:
    """A column that is one array."""

    ARRAYS: ClassVar[tuple[str, ...]] = ("values",)
    DTYPE: ClassVar[type]
    AXES: ClassVar[int] = 1

    def __init__(self, values: np.ndarray) -> None:
        if values.dtype != self.DTYPE or values.ndim != self.AXES:
            raise ValueError(f"a column of {self.DTYPE.__name__} cannot hold {values.dtype} with {values.ndim} axes")
        self.values = np.asarray(values)  # a plain view: slicing a numpy.memmap is slow

    def __len__(self) -> int:
        return len(self.values)

    def arrays(self) -> dict[str, np.ndarray]:
        return {"values": self.values}

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        return cls(arrays["values"])


def code_of(names: Texts, name: str) -> int:
    """Returns the place of a name among those sorted by their bytes; -1 if it is not there. Needs no dictionary of a million names."""
    wanted = encode(name)
    place = bisect.bisect_left(range(len(names)), wanted, key=names.encoded)
    return place if place < len(names) and names.encoded(place) == wanted else MISSING


def _check(fits: bool) -> None:
    if not fits:
        raise ValueError("the arrays of a feature do not fit each other")


def _names(arrays: Mapping[str, np.ndarray]) -> Texts:
    blob, offsets = arrays["names_blob"], arrays["names_offsets"]
    _check(blob.dtype == np.uint8 and offsets.dtype == np.int64 and len(offsets) > 0 and offsets[0] == 0 and offsets[-1] == len(blob))
    return Texts(blob, offsets)


class NumberColumn(_Values):
    """``values``: float32 (songs,), NaN missing."""

    KIND: ClassVar[str] = "number"
    DTYPE = np.float32

    def value(self, number: int) -> float | None:
        value = float(self.values[number])
        return None if value != value else value


class FlagColumn(_Values):
    """``values``: int8 (songs,), 1 yes, 0 no, -1 missing."""

    KIND: ClassVar[str] = "flag"
    DTYPE = np.int8

    def value(self, number: int) -> bool | None:
        value = int(self.values[number])
        return None if value == MISSING else bool(value)


class VectorColumn(_Values):
    """``values``: float32 (songs, dimensions), finite; a row of zeros is missing."""

    KIND: ClassVar[str] = "vector"
    DTYPE = np.float32
    AXES = 2

    def value(self, number: int) -> list[float] | None:
        row = self.values[number]
        return row.tolist() if row.any() else None


@dataclass(frozen=True)
class CategoryColumn:
    """One name for each song. ``codes``: int32 (songs,), places in ``names``, -1 missing; ``names`` are distinct, sorted by their bytes."""

    codes: np.ndarray
    names: Texts

    KIND: ClassVar[str] = "category"
    ARRAYS: ClassVar[tuple[str, ...]] = ("codes", "names_blob", "names_offsets")

    def __len__(self) -> int:
        return len(self.codes)

    def arrays(self) -> dict[str, np.ndarray]:
        return {"codes": self.codes, "names_blob": self.names.blob, "names_offsets": self.names.offsets}

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        codes = np.asarray(arrays["codes"])
        _check(codes.dtype == np.int32 and codes.ndim == 1)
        return cls(codes, _names(arrays))

    @classmethod
    def of_names(cls, codes: np.ndarray, names: Sequence[str]) -> Self:
        return cls(codes.astype(np.int32, copy=False), Texts.of(names))

    def code(self, name: str) -> int:
        """Returns the code of a name; -1 if no song has it."""
        return code_of(self.names, name)

    def value(self, number: int) -> str | None:
        code = int(self.codes[number])
        return None if code == MISSING else self.names[code]


@dataclass(frozen=True)
class CategoriesColumn:
    """Any number of names for each song: those of song i are ``names`` at ``indices[indptr[i]:indptr[i + 1]]`` (int64, int32), in the
    order of its row; ``names`` are distinct, sorted by their bytes."""

    indptr: np.ndarray
    indices: np.ndarray
    names: Texts

    KIND: ClassVar[str] = "categories"
    ARRAYS: ClassVar[tuple[str, ...]] = ("indptr", "indices", "names_blob", "names_offsets")

    def __len__(self) -> int:
        return len(self.indptr) - 1

    def arrays(self) -> dict[str, np.ndarray]:
        return {
            **{"indptr": self.indptr, "indices": self.indices},
            **{"names_blob": self.names.blob, "names_offsets": self.names.offsets},
        }

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        indptr, indices = np.asarray(arrays["indptr"]), np.asarray(arrays["indices"])
        _check(indptr.dtype == np.int64 and indptr.ndim == 1 and indices.dtype == np.int32 and indices.ndim == 1)
        _check(len(indptr) > 0 and indptr[0] == 0 and indptr[-1] == len(indices))
        return cls(indptr, indices, _names(arrays))

    @classmethod
    def of_lists(cls, lists: Sequence[Sequence[str]]) -> Self:
        """Returns the column of these names per song; a name twice in one song counts once."""
        numbers: dict[tuple[str, ...], int] = {}  # most rows are like another: what is done to a row is done once for all of its like
        rows = np.fromiter((numbers.setdefault(tuple(row), len(numbers)) for row in lists), dtype=np.int64, count=len(lists))
        names = sorted(set().union(*numbers), key=lambda name: name.encode("utf-8", "surrogatepass"))
        place = {name: code for code, name in enumerate(names)}
        distinct = [[place[name] for name in dict.fromkeys(row)] for row in numbers]
        lengths = np.array([len(row) for row in distinct], dtype=np.int64)
        starts = np.cumsum(lengths) - lengths
        flat = np.fromiter(itertools.chain.from_iterable(distinct), dtype=np.int32, count=int(lengths.sum()))
        indptr = np.zeros(len(lists) + 1, dtype=np.int64)
        np.cumsum(lengths[rows], out=indptr[1:])
        inside = np.arange(indptr[-1]) - np.repeat(indptr[:-1], lengths[rows])
        return cls(indptr, flat[np.repeat(starts[rows], lengths[rows]) + inside], Texts.of(names))

    def code(self, name: str) -> int:
        """Returns the code of a name; -1 if no song has it."""
        return code_of(self.names, name)

    def row(self, number: int) -> np.ndarray:
        """Returns the codes of one song."""
        found: np.ndarray = self.indices[self.indptr[number] : self.indptr[number + 1]]
        return found

    def value(self, number: int) -> list[str]:
        return [self.names[code] for code in self.row(number).tolist()]


KINDS: Mapping[str, type[Column]] = {kind.KIND: kind for kind in (NumberColumn, FlagColumn, CategoryColumn, CategoriesColumn, VectorColumn)}
