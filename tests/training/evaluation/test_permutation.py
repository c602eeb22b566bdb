"""The permutation test says what an exact enumeration says, and no more than it knows."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.evaluation.permutation import compare, effect_size, holm, sign_flip_p


@given(values=st.lists(st.integers(-4, 4), min_size=1, max_size=8))
@settings(deadline=None, max_examples=40)
def test_the_p_value_is_that_of_all_signs(values: list[int]) -> None:
    sums = [abs(sum(s * v for s, v in zip(signs, values, strict=True))) for signs in itertools.product((-1, 1), repeat=len(values))]
    exact = np.mean([one >= abs(sum(values)) for one in sums])
    assert sign_flip_p(np.array(values, dtype=float), 4000, seed=0) == pytest.approx(exact, abs=0.05)


def test_a_small_gain_for_nearly_everyone_is_significant_and_noise_is_not() -> None:
    rng = np.random.default_rng(0)
    second = rng.random(300)
    better = compare(second + rng.normal(0.01, 0.02, 300), second, 200, 0, permutations=2000)
    same = compare(rng.permutation(second), second, 200, 0, permutations=2000)
    assert better.p_value < 0.001
    assert better.difference.low > 0
    assert better.effect_size == pytest.approx(0.5, abs=0.15)
    assert same.p_value > 0.05


def test_about_one_in_twenty_is_significant_where_there_is_no_difference() -> None:
    rng = np.random.default_rng(1)
    found = [sign_flip_p(rng.normal(0, 1, 30), 200, seed) < 0.05 for seed in range(400)]
    assert 0.02 < np.mean(found) < 0.09


def test_models_that_never_differ_do_not_differ() -> None:
    one = compare(np.ones(5), np.ones(5), 20, 0)
    assert (one.p_value, one.effect_size, one.difference.mean) == (1.0, 0.0, 0.0)


def test_listeners_without_a_number_are_left_out() -> None:
    first, second = np.array([1.0, np.nan, 0.5, 0.25]), np.array([0.5, 0.5, np.nan, 0.5])
    assert compare(first, second, 20, 0).effect_size == effect_size(np.array([0.5, -0.25]))


def test_a_constant_gain_is_infinite_in_size_and_null_in_json() -> None:
    one = compare(np.full(9, 0.5), np.full(9, 0.25), 20, 0)
    assert one.effect_size == np.inf
    assert one.to_json()["effect_size"] is None


def test_holm_adjusts_for_how_many_tests_there_are() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == pytest.approx([1.0, 1.0])
