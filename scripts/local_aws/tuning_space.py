"""The hyperparameters that a tuning job searches: their ranges, drawn from and laid out between 0 and 1 on the scale that was asked for."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scripts.local_aws.errors import invalid, not_here

Values = Mapping[str, str]  # of the hyperparameters that are searched, as a container gets them
WIDE = 1000.0  # Auto takes a range whose ends are so many times apart by orders of magnitude
STEP = 0.1  # of ``near``, as a part of the range
SWITCH = 0.2  # how often ``near`` takes another category


@dataclass(frozen=True)
class Number:
    """An integer (``whole``) or continuous range, both ends included; ``scale``: Linear, Logarithmic or ReverseLogarithmic."""

    name: str
    low: float
    high: float
    scale: str
    whole: bool

    @property
    def count(self) -> float:
        return self.high - self.low + 1 if self.whole else math.inf

    def value(self, unit: float) -> str:
        """Returns the value at a place from 0 to 1. Each integer has the part of the scale that lies around it."""
        first, last = self._ends()
        there = min(max(self._straight(first + unit * (last - first)), self.low), self.high)
        return str(round(there)) if self.whole else repr(there)

    def unit(self, value: str) -> float:
        first, last = self._ends()
        return (self._bent(float(value)) - first) / (last - first)

    def draw(self, rng: np.random.Generator) -> str:
        return self.value(float(rng.random()))

    def near(self, value: str, rng: np.random.Generator) -> str:
        return self.value(min(max(self.unit(value) + STEP * float(rng.standard_normal()), 0.0), 1.0))

    def encode(self, value: str) -> list[float]:
        return [self.unit(value)]

    def holds(self, value: str) -> bool:
        try:
            return self.low <= float(value) <= self.high
        except ValueError:
            return False

    def _ends(self) -> tuple[float, float]:
        half = 0.5 if self.whole else 0.0
        return self._bent(self.low - half), self._bent(self.high + half)

    def _bent(self, value: float) -> float:
        if self.scale == "Logarithmic":
            return math.log(value)
        return -math.log1p(-value) if self.scale == "ReverseLogarithmic" else value

    def _straight(self, bent: float) -> float:
        if self.scale == "Logarithmic":
            return math.exp(bent)
        return -math.expm1(-bent) if self.scale == "ReverseLogarithmic" else bent


@dataclass(frozen=True)
class Category:
    """A few values without an order."""

    name: str
    values: tuple[str, ...]

    @property
    def count(self) -> float:
        return len(self.values)

    def draw(self, rng: np.random.Generator) -> str:
        return self.values[int(rng.integers(len(self.values)))]

    def near(self, value: str, rng: np.random.Generator) -> str:
        return self.draw(rng) if rng.random() < SWITCH else value

    def encode(self, value: str) -> list[float]:
        return [float(value == one) for one in self.values]

    def holds(self, value: str) -> bool:
        return value in self.values


@dataclass(frozen=True)
class Space:
    """All of them."""

    parameters: tuple[Number | Category, ...]

    @property
    def count(self) -> float:
        """How many combinations there are: infinite where one is continuous."""
        return math.prod(one.count for one in self.parameters)

    def draw(self, rng: np.random.Generator) -> dict[str, str]:
        return {one.name: one.draw(rng) for one in self.parameters}

    def near(self, values: Values, rng: np.random.Generator) -> dict[str, str]:
        """Returns other values, a step away from these."""
        return {one.name: one.near(values[one.name], rng) for one in self.parameters}

    def encode(self, many: Sequence[Values]) -> NDArray[np.float64]:
        """Returns a row for each: a number as its place on its scale from 0 to 1, a category as a column for each of its values."""
        return np.array([[part for one in self.parameters for part in one.encode(values[one.name])] for values in many], dtype=np.float64)

    def holds(self, values: Values) -> bool:
        """Returns whether these are values of exactly these hyperparameters, each within its range."""
        names = {one.name for one in self.parameters}
        return values.keys() == names and all(one.holds(values[one.name]) for one in self.parameters)

    def grid(self) -> list[dict[str, str]]:
        """Returns every combination. There must be categories only."""
        choices = [one.values for one in self.parameters if isinstance(one, Category)]
        return [dict(zip((one.name for one in self.parameters), chosen, strict=True)) for chosen in product(*choices)]


def read_space(ranges: Mapping[str, Any]) -> Space:
    """Reads ``ParameterRanges``. Raises ``ApiError`` for what SageMaker refuses."""
    if ranges.get("AutoParameters"):
        raise not_here("AutoParameters", "Give a range for each hyperparameter.")
    found: list[Number | Category] = []
    for kind, whole in (("IntegerParameterRanges", True), ("ContinuousParameterRanges", False)):
        found += [_number(entry, whole) for entry in ranges.get(kind, [])]
    for entry in ranges.get("CategoricalParameterRanges", []):
        if len(set(entry["Values"])) < len(entry["Values"]):
            raise invalid(f"The Values of the categorical hyperparameter {entry['Name']} must differ.")
        found.append(Category(entry["Name"], tuple(entry["Values"])))
    names = [one.name for one in found]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise invalid(f"A hyperparameter has one range: {', '.join(twice)} has several.")
    if not found:
        raise invalid("ParameterRanges with at least one range is needed.")
    return Space(tuple(found))


def _number(entry: Mapping[str, str], whole: bool) -> Number:
    name, scale = entry["Name"], entry.get("ScalingType", "Auto")
    kind = "integer" if whole else "continuous"
    try:
        low, high = (float(int(entry[end])) if whole else float(entry[end]) for end in ("MinValue", "MaxValue"))
    except (ValueError, OverflowError):
        raise invalid(f"MinValue and MaxValue of the {kind} hyperparameter {name} must be {kind} numbers.") from None
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise invalid(f"MinValue of the {kind} hyperparameter {name} must be less than its MaxValue.")
    if scale == "Auto":
        scale = "Logarithmic" if low > 0 and high / low >= WIDE else "Linear"
    if scale == "Logarithmic" and low <= 0:
        raise invalid(f"A logarithmic scale is for values above 0: the hyperparameter {name} begins at {entry['MinValue']}.")
    if scale == "ReverseLogarithmic" and (whole or low < 0 or high >= 1):
        raise invalid(f"A reverse logarithmic scale is for continuous values from 0 to below 1: the hyperparameter {name} is not.")
    return Number(name, low, high, scale, whole)
