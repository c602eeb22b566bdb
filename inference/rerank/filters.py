"""Which songs a filter lets through: one mask per column and condition, computed over all songs at once, and kept."""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from inference.errors import RequestError
from inference.features import values
from inference.features.columns import CategoriesColumn, CategoryColumn, FlagColumn, NumberColumn, VectorColumn
from inference.features.labels import KEYS, MODES
from inference.features.store import FeatureStore
from inference.features.values import MISSING
from inference.rerank.columns import Found, SongColumns
from inference.rerank.conditions import Condition, Filter, Value
from inference.rerank.folded import Folded
from inference.rerank.mask_cache import MaskCache
from inference.texts import Texts

KEPT_BYTES = 1 << 25  # of a worker process
LONGEST_KEPT = 50  # values; a longer condition is hardly ever asked again
FEW = 8
COMPARE: Mapping[str, Callable[[np.ndarray, np.float32], np.ndarray]] = {
    "gte": operator.ge,
    "gt": operator.gt,
    "lte": operator.le,
    "lt": operator.lt,
}
Names = CategoryColumn | CategoriesColumn


class Filters:
    """Filters over the columns of a model's songs."""

    def __init__(self, columns: SongColumns, store: FeatureStore | None) -> None:
        self.columns = columns
        self._store = store
        self.kept = MaskCache(KEPT_BYTES)
        self._folded: dict[str, Folded] = {}

    def mask(self, filter: Filter, where: str = "filter") -> np.ndarray:
        """Returns bool (songs,), not to be written to: the songs for which all conditions hold. ``filter`` must not be empty.

        A song that lacks the column meets ``not`` and ``exists: false``, and no other condition. Raises ``RequestError`` 422 that names
        the field: a column that there is not, or a condition that its kind cannot meet.
        """
        return functools.reduce(np.logical_and, self.masks(filter, where))

    def masks(self, filter: Filter, where: str = "filter") -> list[np.ndarray]:
        """Returns what ``mask`` does, one for each condition: for whoever wants to know it of a few songs only."""
        return [self._one(condition, f"{where}.{condition.column[:40]}") for condition in filter]

    def _one(self, condition: Condition, where: str) -> np.ndarray:
        found = self.columns[condition.column]
        if condition.size > LONGEST_KEPT:
            return self._holds(found, condition, where)
        return self.kept.get(condition, lambda: self._holds(found, condition, where), condition.bytes)

    def _holds(self, found: Found, condition: Condition, where: str) -> np.ndarray:
        masks = [] if condition.any is None else [self._has(found, condition.any, where)]
        if condition.none:
            masks.append(~self._has(found, condition.none, where))
        if condition.bounds and not isinstance(found.column, NumberColumn):
            raise _unfit(where, "has no numbers: gte, gt, lte and lt cannot be asked of it")
        for name, bound in condition.bounds:
            masks.append(COMPARE[name](found.column.values, _number(found, bound, where)))  # type: ignore[union-attr]
        if condition.exists is not None:
            masks.append(present(found.column) == condition.exists)
        return functools.reduce(np.logical_and, masks)

    def _has(self, found: Found, wanted: Sequence[Value], where: str) -> np.ndarray:
        """Returns bool (songs,): which songs have one of these values."""
        column = found.column
        if isinstance(column, VectorColumn):
            raise _unfit(where, "is a vector: only {'exists': true} or false can be asked of it")
        if isinstance(column, NumberColumn):
            numbers = [_number(found, value, where) for value in wanted]
            if len(numbers) <= FEW:
                return functools.reduce(np.logical_or, (column.values == number for number in numbers))
            return np.isin(column.values, numbers)
        if isinstance(column, FlagColumn):
            return functools.reduce(np.logical_or, (column.values == answer for answer in {_yes_no(value, where) for value in wanted}))
        if isinstance(column, Texts):
            mask = np.zeros(len(column), dtype=bool)
            mask[[place for value in wanted for place in self._places(found.name, column, value)]] = True
            return mask
        if not isinstance(column, Names):
            raise _unfit(where, "cannot be filtered by")
        if found.name == "key":
            return functools.reduce(np.logical_or, (self._in_key(column, value, where) for value in wanted))
        codes = [code for value in wanted for code in self._codes(found.name, column, value)]
        return _have(column, codes)

    def _codes(self, name: str, column: Names, value: Value) -> list[int]:
        if name == "mode" and (mode := values.mode(value)) != MISSING:
            return [column.code(MODES[mode])]
        return self._places(name, column.names, value)

    def _places(self, name: str, texts: Texts, value: Value) -> list[int]:
        if name not in self._folded:
            self._folded[name] = Folded(texts)
        return self._folded[name].places(values.text(value))

    def _in_key(self, column: Names, value: Value, where: str) -> np.ndarray:
        """``value`` as catalogues write keys: "D", "C#/Db", 7, or with its mode, "A min"."""
        pitch, mode = values.key_and_mode(value)
        if pitch == MISSING:
            raise _unfit(where, f"must be keys such as 'C#', 'A min' or 0 to 11, not '{str(value)[:20]}'")
        mask = _have(column, [column.code(KEYS[pitch])])
        modes = None if mode == MISSING or self._store is None else self._store.get("mode")
        return mask & _have(modes, [modes.code(MODES[mode])]) if isinstance(modes, Names) else mask


def present(column: object) -> np.ndarray:
    """Returns bool (songs,): which songs have the column at all."""
    if isinstance(column, NumberColumn):
        return np.isfinite(column.values)
    if isinstance(column, FlagColumn):
        return column.values != MISSING
    if isinstance(column, VectorColumn):
        return np.asarray(column.values.any(axis=1))
    if isinstance(column, CategoryColumn):
        return column.codes != MISSING
    assert isinstance(column, CategoriesColumn | Texts)
    return np.diff(column.offsets if isinstance(column, Texts) else column.indptr) > 0


def _have(column: Names, codes: Sequence[int]) -> np.ndarray:
    """Returns bool (songs,): which songs have one of the names with these codes; -1 is no name."""
    wanted = np.zeros(len(column.names) + 1, dtype=bool)
    wanted[list(codes)] = True
    wanted[MISSING] = False
    if isinstance(column, CategoryColumn):
        return wanted[column.codes]
    mask = np.zeros(len(column), dtype=bool)
    mask[np.searchsorted(column.indptr, np.flatnonzero(wanted[column.indices]), side="right") - 1] = True
    return mask


def _number(found: Found, value: Value, where: str) -> np.float32:
    """Returns a number in our units, in the precision that columns have: 0.3 is then not less than the 0.3 of a song."""
    number = (found.parse(value) if isinstance(value, str) else value) / found.divisor
    if math.isnan(number):
        raise _unfit(where, f"must be a number, not '{str(value)[:20]}'")
    return np.float32(max(-values.LARGEST, min(number, values.LARGEST)))


def _yes_no(value: Value, where: str) -> int:
    answer = values.yes_no(value)
    if answer == MISSING:
        raise _unfit(where, f"must be true or false, not '{str(value)[:20]}'")
    return answer


def _unfit(where: str, why: str) -> RequestError:
    return RequestError(422, "invalid_field", f"'{where}' {why}.")
