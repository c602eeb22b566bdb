"""Intervals hold what they promise, repeat for a seed, and do without numbers that are not there."""

from __future__ import annotations

import math

import numpy as np
import pytest

from training.evaluation import bootstrap
from training.evaluation.bootstrap import Estimate, estimate, paired_difference


def numbers(estimates: list[Estimate]) -> list[float]:
    return [value for one in estimates for value in (one.mean, one.low, one.high)]


def test_an_interval_of_many_listeners_is_that_of_the_normal_distribution() -> None:
    values = np.random.default_rng(0).normal(0.3, 0.2, size=4000)[:, None]
    (result,) = estimate(values, samples=2000, seed=1)
    error = values.std() / math.sqrt(len(values))
    assert result.mean == pytest.approx(values.mean())
    assert result.low == pytest.approx(result.mean - 1.96 * error, abs=error / 5)
    assert result.high == pytest.approx(result.mean + 1.96 * error, abs=error / 5)


def test_the_interval_holds_the_truth_about_95_times_in_100() -> None:
    rng = np.random.default_rng(2)
    held = [one.low <= 0.5 <= one.high for one in estimate(rng.random((300, 400)), samples=400, seed=3)]
    assert 0.90 <= np.mean(held) <= 0.99


def test_equal_values_have_an_interval_without_width() -> None:
    (result,) = estimate(np.full((10, 1), 0.25), samples=100, seed=0)
    assert (result.mean, result.low, result.high) == (0.25, 0.25, 0.25)


def test_the_same_seed_gives_the_same_interval_however_the_draws_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(4).random((50, 3))
    whole = estimate(values, samples=100, seed=7)
    assert estimate(values, samples=100, seed=7) == whole
    assert estimate(values, samples=100, seed=8) != whole
    monkeypatch.setattr(bootstrap, "_DRAWS_AT_A_TIME", 120)
    assert numbers(estimate(values, samples=100, seed=7)) == pytest.approx(numbers(whole))


def test_a_measure_does_not_depend_on_its_neighbours() -> None:
    values = np.random.default_rng(5).random((40, 3))
    assert numbers(estimate(values, 100, 1)[1:2]) == pytest.approx(numbers(estimate(values[:, 1:2], 100, 1)))


def test_listeners_without_a_number_are_left_out_of_the_mean() -> None:
    (result,) = estimate(np.array([[0.2], [np.nan], [0.4]]), samples=200, seed=0)
    assert result.mean == pytest.approx(0.3)
    assert (result.low, result.high) == pytest.approx((0.2, 0.4))


def test_a_measure_without_any_number_has_no_estimate_and_spoils_no_other() -> None:
    nothing, something = estimate(np.array([[np.nan, 0.5], [np.nan, 0.5]]), samples=50, seed=0)
    assert math.isnan(nothing.mean)
    assert math.isnan(nothing.low)
    assert something.low == something.high == 0.5


def test_a_paired_difference_sees_what_two_intervals_cannot() -> None:
    rng = np.random.default_rng(6)
    second = rng.random(400)
    first = second + rng.normal(0.01, 0.02, size=400)  # a small gain for nearly everyone
    (a,), (b,) = estimate(first[:, None], 500, 0), estimate(second[:, None], 500, 0)
    assert a.low < b.high  # the intervals overlap
    assert paired_difference(first, second, 500, 0).low > 0
    assert paired_difference(second, first, 500, 0).high < 0


def test_a_model_does_not_differ_from_itself() -> None:
    values = np.random.default_rng(7).random(30)
    same = paired_difference(values, values, 100, 0)
    assert (same.mean, same.low, same.high) == (0, 0, 0)


def test_values_of_other_listeners_are_refused() -> None:
    with pytest.raises(ValueError, match="same listeners"):
        paired_difference(np.zeros(3), np.zeros(4), 10, 0)
