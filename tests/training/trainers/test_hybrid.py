"""The hybrid's weights."""

from __future__ import annotations

import numpy as np
import pytest

from inference.history import History
from inference.scorers import HybridScorer, PopularityScorer, Scorer
from training.config import HybridConfig
from training.split import Case
from training.trainers import hybrid

SONGS, LISTENERS = 300, 60
RNG = np.random.default_rng(5)


class Oracle(PopularityScorer):
    """Knows for each listener (told by the first song shown) a part of the hidden songs, under noise."""

    def __init__(self, truth: np.ndarray, part: slice, noise: float) -> None:
        super().__init__(np.zeros(SONGS, dtype=np.float32))
        self.table = noise * RNG.random(truth.shape)
        for user in range(len(truth)):
            self.table[user, np.flatnonzero(truth[user])[part]] += 1.0

    def scores(self, history: History) -> np.ndarray:
        return self.table[int(history.numbers[0])].copy()


def world() -> tuple[dict[str, Scorer], list[Case]]:
    truth = np.zeros((LISTENERS, SONGS), dtype=bool)
    for user in range(LISTENERS):
        truth[user, LISTENERS + RNG.choice(SONGS - LISTENERS, 10, replace=False)] = True
    cases = [Case(u, np.array([u], dtype=np.int32), np.flatnonzero(truth[u]).astype(np.int32)) for u in range(LISTENERS)]
    none = np.zeros_like(truth)
    scorers: dict[str, Scorer] = {
        "ease": Oracle(truth, slice(0, 5), 0.9),
        "content": Oracle(truth, slice(5, 10), 0.9),
        "popularity": Oracle(none, slice(0, 0), 1.0),
    }
    return scorers, cases


def test_models_that_know_different_things_are_both_used_and_noise_is_left_out() -> None:
    scorers, cases = world()
    weights, quality = hybrid.fit_weights(scorers, cases, HybridConfig(), k=20)
    assert weights["ease"] > 0
    assert weights["content"] > 0
    assert weights["popularity"] == 0
    assert quality["hybrid"] > 1.2 * max(quality["ease"], quality["content"])


def test_content_is_never_left_out_since_it_alone_knows_songs_without_listeners() -> None:
    scorers, cases = world()
    scorers["content"] = Oracle(np.zeros((LISTENERS, SONGS), dtype=bool), slice(0, 0), 1.0)  # of no use to any of these listeners
    weights, quality = hybrid.fit_weights(scorers, cases, HybridConfig(), k=20)
    assert 0 < weights["content"] < 0.1 * weights["ease"]
    assert quality["hybrid"] > 0.98 * quality["ease"]


def test_the_quality_told_is_what_the_hybrid_reaches_on_full_lists() -> None:
    scorers, cases = world()
    weights, quality = hybrid.fit_weights(scorers, cases, HybridConfig(metric="recall"), k=20)
    scorer = HybridScorer(scorers, weights)
    found = []
    for case in cases:
        scores = scorer.scores(History(case.shown, np.ones(1, dtype=np.float32)))
        scores[case.shown] = -np.inf
        found.append(np.isin(np.argsort(-scores, kind="stable")[:20], case.hidden).mean() * 2)
    assert quality["hybrid"] == pytest.approx(float(np.mean(found)), abs=0.02)


def test_the_scale_of_a_model_does_not_matter() -> None:
    scorers, cases = world()
    before, quality = hybrid.fit_weights(scorers, cases, HybridConfig(), k=20)
    for table in (scorers["ease"], scorers["content"]):
        assert isinstance(table, Oracle)
    scorers["ease"].table *= 1e-3  # type: ignore[attr-defined]
    after, again = hybrid.fit_weights(scorers, cases, HybridConfig(), k=20)
    assert again["hybrid"] == pytest.approx(quality["hybrid"], abs=1e-3)
    assert after["ease"] == pytest.approx(1e3 * before["ease"], rel=1e-2)


def test_a_catalogue_smaller_than_the_list_is_no_trouble() -> None:
    scorers: dict[str, Scorer] = {"popularity": PopularityScorer(np.array([0.1, 0.3, 0.2], dtype=np.float32))}
    cases = [Case(0, np.array([0], dtype=np.int32), np.array([1], dtype=np.int32))] * 3
    weights, quality = hybrid.fit_weights(scorers, cases, HybridConfig(), k=20)
    assert weights["popularity"] > 0
    assert quality["hybrid"] == pytest.approx(1.0)


def test_default_weights_suit_the_scale_of_each_model() -> None:
    scorers, cases = world()
    weights = hybrid.default_weights(scorers, cases, pool=50)
    histories = [History(case.shown, np.ones(1, dtype=np.float32)) for case in cases]
    best = {name: np.mean([np.sort(scorer.scores(h))[-20:] for h in histories]) for name, scorer in scorers.items()}
    usual = {name: weights[name] * best[name] for name in scorers}
    assert usual["ease"] == pytest.approx(hybrid.DEFAULT_WEIGHTS["ease"], rel=0.05)
    assert usual["content"] == pytest.approx(hybrid.DEFAULT_WEIGHTS["content"], rel=0.05)
    assert hybrid.default_weights(scorers, [], pool=50) == {name: hybrid.DEFAULT_WEIGHTS[name] for name in scorers}
