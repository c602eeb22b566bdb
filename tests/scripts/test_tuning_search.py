"""What a local tuning job tries next: the scales of its ranges, and the three strategies, held against slow and obvious ways."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.local_aws.gaussian_process import GaussianProcess, expected_improvement
from scripts.local_aws.tuning_search import search_for
from scripts.local_aws.tuning_space import Category, Number, Space, read_space

WAVES = st.floats(0, 1)


@st.composite
def numbers(draw: st.DrawFn) -> Number:
    scale = draw(st.sampled_from(("Linear", "Logarithmic", "ReverseLogarithmic")))
    if scale != "ReverseLogarithmic" and draw(st.booleans()):
        low = draw(st.integers(1 if scale == "Logarithmic" else -1000, 1000))
        return Number("n", low, draw(st.integers(low + 1, low + 5000)), scale, True)
    ends = {"Linear": (-1e6, 1e6), "Logarithmic": (1e-6, 1e6), "ReverseLogarithmic": (0.0, 0.999999)}[scale]
    low, high = sorted(draw(st.lists(st.floats(*ends), min_size=2, max_size=2, unique=True)))
    return Number("n", low, high, scale, False)


@settings(deadline=None)  # the machine may be busy
@given(numbers(), WAVES, WAVES)
def test_values_lie_within_the_range_in_the_order_of_their_places(number: Number, one: float, other: float) -> None:
    low, high = (number.value(unit) for unit in sorted((one, other)))
    assert number.low <= float(low) <= float(high) <= number.high
    assert number.holds(low)
    assert (not number.whole) or low == str(int(low))


@settings(deadline=None)  # the machine may be busy
@given(st.floats(0.01, 0.99))
def test_the_middle_of_a_scale_is_what_the_scale_says(unit: float) -> None:
    assert float(Number("n", 1e-3, 1e3, "Logarithmic", False).value(0.5)) == pytest.approx(1.0)
    assert float(Number("n", 0.9, 0.999, "ReverseLogarithmic", False).value(0.5)) == pytest.approx(0.99)
    for scale, low, high in (("Linear", -2, 5), ("Logarithmic", 1e-4, 10), ("ReverseLogarithmic", 0, 0.99)):
        number = Number("n", low, high, scale, False)
        assert number.unit(number.value(unit)) == pytest.approx(unit, abs=1e-6)


def test_each_integer_of_a_linear_range_is_as_likely_as_any_other() -> None:
    number, rng = Number("n", 1, 4, "Linear", True), np.random.default_rng(1)
    counts = np.bincount([int(number.draw(rng)) for _ in range(8000)])[1:]
    assert np.abs(counts / 2000 - 1).max() < 0.1


def test_a_scale_that_is_left_open_is_logarithmic_where_the_ends_are_far_apart() -> None:
    def scale(low: str, high: str) -> str:
        (number,) = read_space({"ContinuousParameterRanges": [{"Name": "x", "MinValue": low, "MaxValue": high}]}).parameters
        assert isinstance(number, Number)
        return number.scale

    assert [scale("0.001", "1"), scale("0.01", "1"), scale("0", "1000")] == ["Logarithmic", "Linear", "Linear"]


SPACE = Space((Category("kind", ("a", "b", "c")), Number("count", 1, 3, "Linear", True)))


@pytest.mark.parametrize("strategy", ["Random", "Bayesian"])
def test_a_small_space_is_tried_whole_and_nothing_twice(strategy: str) -> None:
    search = search_for(strategy, SPACE, 5)
    found: list[tuple[dict[str, str], float]] = []
    while (values := search.next(found, [])) is not None:
        assert values not in [tried for tried, _ in found]
        found.append((values, float(values["count"])))
    assert len(found) == SPACE.count == 9


@pytest.mark.parametrize("strategy", ["Random", "Bayesian"])
def test_the_same_seed_and_findings_give_the_same_search(strategy: str) -> None:
    courses = []
    for _ in range(2):
        search = search_for(strategy, PLANE, 5)
        found: list[tuple[dict[str, str], float]] = []
        for _ in range(8):
            values = search.next(found, [])
            assert values
            found.append((values, hill(values)))
        courses.append(found)
    assert courses[0] == courses[1]


PLANE = Space((Number("x", 0.0, 1.0, "Linear", False), Number("y", 1e-3, 1e3, "Logarithmic", False), Category("kind", ("flat", "steep"))))


def hill(values: dict[str, str]) -> float:
    """Highest, 1, at x = 0.3 and y = 10 of the kind that is steep."""
    x, y = float(values["x"]), math.log10(float(values["y"]))
    return (1.0 if values["kind"] == "steep" else 0.5) * math.exp(-8 * (x - 0.3) ** 2 - 0.5 * (y - 1) ** 2)


def best_of(strategy: str, seed: int, at_once: int = 1, jobs: int = 16) -> float:
    search = search_for(strategy, PLANE, seed)
    found: list[tuple[dict[str, str], float]] = []
    for _ in range(jobs // at_once):
        batch: list[dict[str, str]] = []
        for _ in range(at_once):
            values = search.next(found, batch)
            assert values
            assert values not in batch
            batch.append(values)
        found += [(values, hill(values)) for values in batch]
    return max(value for _, value in found)


def test_the_bayesian_search_comes_nearer_to_the_top_than_a_random_one_also_by_parallel_jobs() -> None:
    seeds = range(2)
    at_random = [best_of("Random", seed) for seed in seeds]
    one_by_one = [best_of("Bayesian", seed) for seed in seeds]
    by_fours = [best_of("Bayesian", seed, at_once=4) for seed in seeds]
    assert np.mean(one_by_one) > 0.97 > np.mean(at_random)
    assert np.mean(by_fours) > np.mean(at_random)


@settings(deadline=None)  # the machine may be busy
@given(st.floats(-3, 3), st.floats(0.01, 3), st.floats(-3, 3))
def test_the_expected_improvement_is_the_mean_of_what_is_above_the_best(mean: float, deviation: float, best: float) -> None:
    grid = np.linspace(-9, 9, 20001)
    density = np.exp(-0.5 * grid**2) / np.sqrt(2 * np.pi)
    slow = np.trapezoid(np.maximum(mean + deviation * grid - best, 0.0) * density, grid)
    fast = expected_improvement(np.array([mean]), np.array([deviation]), best)
    assert fast[0] == pytest.approx(slow, abs=1e-5)


def test_a_gaussian_process_goes_through_what_it_has_seen_and_is_unsure_elsewhere() -> None:
    rng = np.random.default_rng(0)
    points = rng.random((15, 2))
    values = np.sin(5 * points[:, 0]) + 2.0  # the second dimension says nothing
    model = GaussianProcess(points, values)
    mean, deviation = model.predict(points)
    assert np.abs(mean - values).max() < 0.1
    new = np.column_stack([np.linspace(0.1, 0.9, 20), rng.random(20)])
    assert np.abs(model.predict(new)[0] - np.sin(5 * new[:, 0]) - 2.0).mean() < 0.1
    assert model.predict(np.array([[3.0, 3.0]]))[1][0] > 10 * deviation.max()
