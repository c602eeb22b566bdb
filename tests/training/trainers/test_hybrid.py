"""The hybrid's weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from inference.history import History
from inference.scorers import HybridScorer, PopularityScorer, Scorer
from training.config import MODELS, HybridConfig
from training.split import Case
from training.trainers import hybrid
from training.trainers.pool import Pool

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


def found(scorers: dict[str, Scorer], cases: list[Case], config: HybridConfig) -> tuple[dict[str, float], dict[str, float]]:
    return hybrid.fit_weights(Pool.of(scorers, cases, config.pool), config, k=20)


def test_models_that_know_different_things_are_both_used_and_noise_is_left_out() -> None:
    scorers, cases = world()
    weights, quality = found(scorers, cases, HybridConfig())
    assert weights["ease"] > 0
    assert weights["content"] > 0
    assert weights["popularity"] == 0
    assert quality["hybrid"] > 1.2 * max(quality["ease"], quality["content"])


def test_content_is_never_left_out_since_it_alone_knows_songs_without_listeners() -> None:
    scorers, cases = world()
    scorers["content"] = Oracle(np.zeros((LISTENERS, SONGS), dtype=bool), slice(0, 0), 1.0)  # of no use to any of these listeners
    weights, quality = found(scorers, cases, HybridConfig())
    assert 0 < weights["content"] < 0.1 * weights["ease"]
    assert quality["hybrid"] > 0.98 * quality["ease"]


def test_the_quality_told_is_what_the_hybrid_reaches_on_full_lists() -> None:
    scorers, cases = world()
    weights, quality = found(scorers, cases, HybridConfig(metric="recall"))
    scorer = HybridScorer(scorers, weights)
    recall = []
    for case in cases:
        scores = scorer.scores(History(case.shown, np.ones(1, dtype=np.float32)))
        scores[case.shown] = -np.inf
        recall.append(np.isin(np.argsort(-scores, kind="stable")[:20], case.hidden).mean() * 2)
    assert quality["hybrid"] == pytest.approx(float(np.mean(recall)), abs=0.02)


def test_the_scale_of_a_model_does_not_matter() -> None:
    scorers, cases = world()
    before, quality = found(scorers, cases, HybridConfig())
    for table in (scorers["ease"], scorers["content"]):
        assert isinstance(table, Oracle)
    scorers["ease"].table *= 1e-3  # type: ignore[attr-defined]
    after, again = found(scorers, cases, HybridConfig())
    assert again["hybrid"] == pytest.approx(quality["hybrid"], abs=1e-3)
    assert after["ease"] == pytest.approx(1e3 * before["ease"], rel=1e-2)


def test_a_catalogue_smaller_than_the_list_is_no_trouble() -> None:
    scorers: dict[str, Scorer] = {"popularity": PopularityScorer(np.array([0.1, 0.3, 0.2], dtype=np.float32))}
    cases = [Case(0, np.array([0], dtype=np.int32), np.array([1], dtype=np.int32))] * 3
    weights, quality = found(scorers, cases, HybridConfig())
    assert weights["popularity"] > 0
    assert quality["hybrid"] == pytest.approx(1.0)


def test_default_weights_give_each_model_its_share_whatever_the_scale_of_its_scores() -> None:
    scorers, cases = world()
    shares = {"ease": 3.0, "content": 1.0}
    weights = hybrid.default_weights(scorers, cases, 50, shares)
    histories = [History(case.shown, np.ones(1, dtype=np.float32)) for case in cases]
    best = {name: np.mean([np.sort(scorer.scores(h))[-20:] for h in histories]) for name, scorer in scorers.items()}
    usual = {name: weights[name] * best[name] for name in scorers}
    assert usual == {"ease": pytest.approx(0.75, rel=0.05), "content": pytest.approx(0.25, rel=0.05), "popularity": 0}


def test_without_a_listener_to_look_at_default_weights_are_the_shares() -> None:
    weights = hybrid.default_weights(world()[0], [], 50, hybrid.DEFAULT_WEIGHTS)
    total = sum(hybrid.DEFAULT_WEIGHTS[name] for name in weights)
    assert weights == {name: pytest.approx(hybrid.DEFAULT_WEIGHTS[name] / total) for name in ("ease", "content", "popularity")}


def test_every_model_has_a_default_share() -> None:
    assert set(hybrid.DEFAULT_WEIGHTS) == set(MODELS)


def test_shares_sum_to_one_where_every_score_is_usual() -> None:
    scales = {"ease": 0.01, "als": 7.0, "content": 1.0}
    weights = hybrid.of_shares({"ease": 1.0, "als": 5.0, "content": 2.0}, scales)
    assert sum(weights[name] * scales[name] for name in scales) == pytest.approx(1.0)
    assert weights["als"] * scales["als"] == pytest.approx(5 * weights["ease"] * scales["ease"])


def two_equals(seed: int = 3) -> tuple[dict[str, Scorer], list[Case]]:
    """Two models that know the same half of the hidden songs, each under noise of its own: nothing tells which share is right."""
    rng = np.random.default_rng(seed)
    truth = np.zeros((LISTENERS, SONGS), dtype=bool)
    for user in range(LISTENERS):
        truth[user, LISTENERS + rng.choice(SONGS - LISTENERS, 10, replace=False)] = True
    cases = [Case(u, np.array([u], dtype=np.int32), np.flatnonzero(truth[u]).astype(np.int32)) for u in range(LISTENERS)]
    return {"ease": Oracle(truth, slice(0, 6), 1.4), "spectral": Oracle(truth, slice(0, 6), 1.4)}, cases


def imbalance(weights: dict[str, float], pool: Pool) -> float:
    usual = [weights[name] * scale for name, scale in pool.scales().items()]
    return max(usual) / max(min(usual), 1e-9)


def test_models_that_validation_cannot_tell_apart_get_like_shares_where_the_test_may_be_drawn_otherwise() -> None:
    scorers, cases = two_equals()
    pool = Pool.of(scorers, cases, 200)
    sharp, quality = hybrid.fit_weights(pool, HybridConfig(), k=20)
    prudent, after = hybrid.fit_weights(pool, HybridConfig(), k=20, same_manner=False)
    assert imbalance(prudent, pool) <= imbalance(sharp, pool)
    assert imbalance(prudent, pool) == pytest.approx(1.0)
    assert after["hybrid"] > 0.9 * quality["hybrid"]


def test_a_model_that_is_clearly_worse_is_not_drawn_up_to_the_best() -> None:
    scorers, cases = world()
    pool = Pool.of({**scorers, "item_knn": scorers["popularity"]}, cases, 200)
    assert hybrid.fit_weights(pool, HybridConfig(), k=20, same_manner=False)[0]["item_knn"] == 0


def test_a_model_that_makes_requests_slow_must_earn_its_place() -> None:
    scorers, cases = two_equals()
    pool = Pool.of({"ease": scorers["ease"], "als": scorers["ease"]}, cases, 200)
    assert hybrid.fit_weights(pool, HybridConfig(), k=20)[0]["als"] == 0  # it knows nothing that ease does not
    pool = Pool.of({"content": world()[0]["content"], "als": scorers["ease"]}, cases, 200)
    assert hybrid.fit_weights(pool, HybridConfig(), k=20)[0]["als"] > 0


def test_a_slow_model_that_is_alone_stays() -> None:
    scorers, cases = two_equals()
    assert hybrid.fit_weights(Pool.of({"als": scorers["ease"]}, cases, 200), HybridConfig(), k=20)[0]["als"] > 0


@pytest.mark.parametrize("seed", range(6))
def test_a_slow_model_that_was_left_out_does_not_come_back_when_the_next_one_is_left_out(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth = np.zeros((LISTENERS, SONGS), dtype=bool)
    for user in range(LISTENERS):
        truth[user, LISTENERS + rng.choice(SONGS - LISTENERS, 10, replace=False)] = True
    cases = [Case(u, np.array([u], dtype=np.int32), np.flatnonzero(truth[u]).astype(np.int32)) for u in range(LISTENERS)]
    known = {"ease": 0.95, "als": 1.3, "sessions": 1.35, "popularity": 1.4}
    pool = Pool.of({name: Oracle(truth, slice(0, 9), noise) for name, noise in known.items()}, cases, 200)
    weights, quality = hybrid.fit_weights(pool, HybridConfig(), k=20)
    for name in ("als", "sessions", "popularity"):
        if weights[name]:
            others = replace(pool, scores={other: scores for other, scores in pool.scores.items() if other != name and weights[other]})
            assert hybrid.fit_weights(others, HybridConfig(), k=20)[1]["hybrid"] < 0.995 * quality["hybrid"]
