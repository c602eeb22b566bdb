"""Scorers that use order and words keep the promises of `Scorer`, and equal slow references."""

from __future__ import annotations

import math
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given

from inference.history import History
from inference.scorers import KINDS, SequentialScorer, SessionScorer, WordScorer
from tests.inference.models import history_of
from tests.inference.sequences import SONGS, WORDS, histories, make_sequence_scorers, session_data

SCORERS = make_sequence_scorers()


@pytest.mark.parametrize("name", SCORERS)
@given(history=histories())
def test_the_contributions_of_a_history_sum_to_the_score(name: str, history: History) -> None:
    everything = np.arange(SONGS)
    summed = SCORERS[name].contributions(history, everything).sum(axis=0)
    np.testing.assert_allclose(summed, SCORERS[name].scores(history), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("name", SCORERS)
@given(history=histories())
def test_contributions_of_some_songs_are_those_of_all_of_them(name: str, history: History) -> None:
    some = np.array([11, 0, 5])
    np.testing.assert_array_equal(
        SCORERS[name].contributions(history, some), SCORERS[name].contributions(history, np.arange(SONGS))[:, some]
    )


@pytest.mark.parametrize("name", SCORERS)
@given(history=histories())
def test_a_scorer_loaded_from_its_settings_and_arrays_scores_the_same_bits(name: str, history: History) -> None:
    scorer = SCORERS[name]
    arrays = scorer.arrays()
    assert tuple(arrays) == KINDS[scorer.KIND].ARRAYS
    again = KINDS[scorer.KIND].load(scorer.settings(), arrays)
    assert (again.scores(history) == scorer.scores(history)).all()


@pytest.mark.parametrize("name", SCORERS)
def test_an_empty_history_is_no_opinion(name: str) -> None:
    scores = SCORERS[name].scores(history_of())
    assert scores.dtype == np.float64
    assert scores.shape == (SONGS,)
    assert not scores.any()


def recency(history: History, patience: float) -> dict[int, float]:
    """The weight of each song by how many came later, one song at a time."""
    ranks = [0] * len(history) if history.ranks is None else history.ranks.tolist()
    return {
        song: float(weight) * patience / (patience + rank)
        for song, weight, rank in zip(history.numbers.tolist(), history.weights, ranks, strict=True)
    }


@given(histories().filter(len))
def test_next_songs_are_the_operator_times_the_history_by_recency(history: History) -> None:
    scorer = SCORERS["transitions"]
    assert isinstance(scorer, SequentialScorer)
    dense = scorer.operator.block(np.arange(SONGS), np.arange(SONGS))
    weights = recency(history, 2.0)
    expected = sum(weight * dense[song] for song, weight in weights.items()) / sum(weights.values())
    np.testing.assert_allclose(scorer.scores(history), expected, atol=1e-6)


def votes(name: str, history: History) -> dict[int, float]:
    """The formula in `SessionScorer`'s docstring, session by session and song by song."""
    scorer, data = SCORERS[name], session_data(ordered=name == "sessions")
    assert isinstance(scorer, SessionScorer)
    arrays = scorer.arrays()
    held = [data.user_items.indices[data.user_items.indptr[s] : data.user_items.indptr[s + 1]].tolist() for s in range(9)]
    n = {song: max(1, sum(song in songs for songs in held)) for song in range(SONGS)}
    weights = {song: weight / math.sqrt(n[song]) for song, weight in recency(history, 2.0).items()}
    ranks = [0] * len(history) if history.ranks is None else history.ranks.tolist()
    rank_of = dict(zip(history.numbers.tolist(), ranks, strict=True))
    similar = {}
    for s, songs in enumerate(held):
        total = float(arrays["session_weights"][s]) * sum(weights[song] for song in weights if song in songs)
        if total > 0 and 100 + s != history.user:
            similar[s] = total
    nearest = sorted(similar, key=lambda s: (-similar[s], s))[:4]
    scores: dict[int, float] = defaultdict(float)
    for s in nearest:
        places = dict.fromkeys(held[s], 0)
        if data.times is not None:
            times = dict(zip(held[s], data.times[data.user_items.indptr[s] : data.user_items.indptr[s + 1]].tolist(), strict=True))
            places = {song: sum(other > times[song] for other in times.values()) for song in held[s]}
        common = [song for song in sorted(weights) if song in held[s]]
        anchor = max(common, key=lambda song: (-rank_of[song], song))
        for song in held[s]:
            near = math.exp(-abs(places[song] - places[anchor]) / 1.5) if data.times is not None and history.ranks is not None else 1.0
            scores[song] += similar[s] / sum(similar[one] for one in nearest) * near / n[song] ** 0.15
    return scores


@pytest.mark.parametrize("name", ["sessions", "sessions without order"])
@given(history=histories())
def test_session_neighbours_vote_as_the_formula_says(name: str, history: History) -> None:
    expected = votes(name, history)
    np.testing.assert_allclose(SCORERS[name].scores(history), [expected[song] for song in range(SONGS)], rtol=1e-5, atol=1e-7)


@given(histories())
def test_words_are_the_sum_of_their_rows(history: History) -> None:
    scorer = SCORERS["words"]
    assert isinstance(scorer, WordScorer)
    dense = scorer.operator.block(np.arange(WORDS), np.arange(SONGS))
    words = [] if history.words is None else history.words.tolist()
    expected = sum((dense[word] for word in words), np.zeros(SONGS)) * 3 / (3 + len(history))
    np.testing.assert_allclose(scorer.scores(history), expected, atol=1e-6)
    assert not scorer.contributions(history, np.arange(SONGS))[:-1].any()  # no song causes any of it
