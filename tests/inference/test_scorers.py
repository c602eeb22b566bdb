"""Every scorer keeps the promises of `Scorer`."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.history import History
from inference.scorers import KINDS, FactorScorer, HybridScorer, ItemToItemScorer, Scorer
from tests.inference.models import SONGS, history_of, make_scorers
from training.trainers import compiled

SCORERS = make_scorers()
histories = st.dictionaries(st.integers(0, SONGS - 1), st.floats(0.1, 10), max_size=8).map(
    lambda d: History.of(np.array(list(d), dtype=np.int32), np.array(list(d.values())))
)


@pytest.mark.parametrize("name", SCORERS)
@given(history=histories)
def test_the_contributions_of_a_history_sum_to_the_score(name: str, history: History) -> None:
    scorer = SCORERS[name]
    everything = np.arange(SONGS)
    summed = scorer.contributions(history, everything).sum(axis=0)
    np.testing.assert_allclose(summed, scorer.scores(history), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", SCORERS)
@given(history=histories)
def test_a_scorer_loaded_from_its_settings_and_arrays_scores_the_same_bits(name: str, history: History) -> None:
    scorer = SCORERS[name]
    arrays = scorer.arrays()
    assert tuple(arrays) == KINDS[scorer.KIND].ARRAYS
    again = KINDS[scorer.KIND].load(scorer.settings(), arrays)
    assert (again.scores(history) == scorer.scores(history)).all()


@given(history=histories)
def test_item_to_item_scores_are_the_mean_history_times_the_operator(history: History) -> None:
    scorer = SCORERS["ease"]
    assert isinstance(scorer, ItemToItemScorer)
    dense = scorer.operator.block(np.arange(SONGS), np.arange(SONGS))
    h = np.zeros(SONGS)
    h[history.numbers] = history.weights
    expected = h @ dense / max(h.sum(), 1e-300)
    np.testing.assert_allclose(scorer.scores(history), expected, atol=1e-6)


@given(history=histories.filter(len))
def test_folding_in_minimises_the_weighted_squared_error(history: History) -> None:
    """At the optimum the gradient of the loss in `FactorScorer`'s docstring is 0."""
    scorer = SCORERS["als"]
    assert isinstance(scorer, FactorScorer)
    y = scorer.item_factors.astype(np.float64)
    x = scorer._shares(history).sum(axis=1)
    seen = y[history.numbers]
    ridge = scorer.l2 * (len(history) + scorer.unobserved_weight * SONGS) ** scorer.frequency_exponent
    gradient = (history.weights * (seen @ x - 1)) @ seen + scorer.unobserved_weight * (y @ x) @ y + ridge * x
    np.testing.assert_allclose(gradient, 0, atol=1e-8)


def test_the_hybrid_is_the_weighted_sum_and_leaves_out_weight_zero() -> None:
    weights = {"ease": 2.0, "content": 0.5, "als": 0.0}
    hybrid = HybridScorer(SCORERS, weights)
    history = history_of(1, 5)
    expected = 2.0 * SCORERS["ease"].scores(history) + 0.5 * SCORERS["content"].scores(history)
    np.testing.assert_allclose(hybrid.scores(history), expected)
    assert "als" not in hybrid.parts


WEIGHTS = {"ease": 2.0, "content": 0.5, "als": 0.3, "popularity": 0.1}
OPERATOR = compiled.compiled(SCORERS, WEIGHTS, 8)
COMPILED = HybridScorer(SCORERS, WEIGHTS, OPERATOR)


@given(history=histories)
def test_what_each_model_of_a_compiled_hybrid_contributes_sums_to_the_score(history: History) -> None:
    everything = np.arange(SONGS)
    parts = COMPILED.contributions_by_model(history, everything)
    assert set(parts) == set(WEIGHTS)
    summed = sum(part.sum(axis=0) for part in parts.values())
    np.testing.assert_allclose(summed, COMPILED.scores(history), rtol=1e-5, atol=1e-6)


@given(history=histories)
def test_contributions_of_some_songs_to_a_compiled_hybrid_are_those_of_all(history: History) -> None:
    some = np.array([11, 0, 29])
    whole = COMPILED.contributions_by_model(history, np.arange(SONGS))
    assert all(
        np.array_equal(part, whole[name][:, some]) for name, part in COMPILED.contributions_by_model(history, some, "hybrid").items()
    )


@given(history=histories)
def test_the_operator_answers_in_place_of_the_item_to_item_models_only(history: History) -> None:
    assert OPERATOR is not None
    others = 0.3 * SCORERS["als"].scores(history) + 0.1 * SCORERS["popularity"].scores(history)
    before = OPERATOR.operator.values.copy()
    np.testing.assert_allclose(COMPILED.scores(history), OPERATOR.scores(history) + others, atol=1e-9)
    assert (OPERATOR.operator.values == before).all()


def test_a_hybrid_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        HybridScorer(SCORERS, {"ease": 0.0})


@pytest.mark.parametrize("name", [n for n in SCORERS if n != "popularity"])
def test_an_empty_history_is_no_opinion(name: str) -> None:
    scorer: Scorer = SCORERS[name]
    scores = scorer.scores(history_of())
    assert scores.dtype == np.float64
    assert not scores.any()
