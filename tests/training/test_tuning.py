"""Settings are found by hill climbing, within their ends and within the time that there is."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from inference.scorers import PopularityScorer, Scorer
from training.config import MODELS, TrainingConfig
from training.split import Case
from training.trainers import popularity
from training.trainers.base import TrainingData
from training.trainers.pool import Pool
from training.tuning import LADDERS, Clock, Ladder, tune

SONGS, HIDDEN = 40, 10
CONFIG = TrainingConfig.from_hyperparameters({"evaluation_k": "10"})
CASES = [Case(0, np.array([0], dtype=np.int32), np.arange(SONGS - HIDDEN, SONGS, dtype=np.int32))] * 3
ALL_LADDERS = [(name, ladder) for name, ladders in LADDERS.items() for ladder in ladders]


def finds(n: int) -> Scorer:
    """A scorer that has ``n`` of the hidden songs among its best ten."""
    scores = np.full(SONGS, 0.5, dtype=np.float32)
    scores[SONGS - HIDDEN :] = 0.1
    scores[SONGS - HIDDEN : SONGS - HIDDEN + n] = 1.0
    return PopularityScorer(scores)


class Peak:
    """Fits models that find the more, the fewer steps of the ladder the setting is from ``best``. Counts what was tried."""

    def __init__(self, best: float, model: str = "ease", setting: str = "l2", step: float = 3.0) -> None:
        self.best, self.model, self.setting, self.step = best, model, setting, step
        self.tried: list[float] = []

    def __call__(self, config: TrainingConfig, name: str) -> Scorer:
        value = float(getattr(getattr(config, self.model), self.setting))
        if config is not CONFIG:
            self.tried.append(value)
        steps = abs(np.log(value / self.best) / np.log(self.step))
        return finds(max(1, HIDDEN - round(steps)))


def tuned(
    fit: Peak, names: tuple[str, ...] = ("ease",), clock: Clock | None = None
) -> tuple[TrainingConfig, Pool, dict[str, Scorer], dict[str, Scorer]]:
    before = {name: fit(CONFIG, name) for name in names}
    scorers = dict(before)
    pool = Pool.of(scorers, CASES, SONGS)
    config, scored = tune(CONFIG, scorers, pool, names, fit, clock or Clock(time.monotonic() + 60), has_times=False)
    return config, scored, before, scorers


def quality(pool: Pool, name: str) -> float:
    return pool.quality({name: 1.0}, 10, "ndcg")


@given(st.sampled_from(ALL_LADDERS), st.sampled_from([-1, 1]))
def test_the_steps_of_a_ladder_end_at_its_ends(named: tuple[str, Ladder], direction: int) -> None:
    name, ladder = named
    value: float | None = float(getattr(getattr(TrainingConfig(), name), ladder.setting))
    for _ in range(1000):
        assert value is not None
        following = ladder.next(value, direction)
        if following is None:
            break
        assert ladder.low <= following <= ladder.high
        assert (following > value) == (direction > 0)
        assert ladder.next(following, -direction) == pytest.approx(value) or not ladder.low <= value <= ladder.high
        value = following
    assert following is None


@pytest.mark.parametrize("times", [True, False])
def test_beyond_the_ends_there_is_no_step(times: bool) -> None:
    ladder = Ladder("l2", 2.0, 1.0, 8.0, times)
    assert [ladder.next(8.0, 1), ladder.next(1.0, -1), ladder.next(7.0, 1)] == [None, None, None]
    assert (ladder.next(4.0, 1), ladder.next(4.0, -1)) == ((8.0, 2.0) if times else (6.0, 2.0))


def test_a_step_that_leads_nowhere_is_none() -> None:
    assert Ladder("l2", 2.0, 0.0, 8.0).next(0.0, 1) is None


@pytest.mark.parametrize(("name", "ladder"), ALL_LADDERS, ids=lambda value: value if isinstance(value, str) else value.setting)
def test_all_that_a_ladder_reaches_is_allowed_as_a_hyperparameter(name: str, ladder: Ladder) -> None:
    default = getattr(getattr(TrainingConfig(), name), ladder.setting)
    for end in (ladder.low, ladder.high):
        text = str(round(end) if isinstance(default, int) else end)
        found = TrainingConfig.from_hyperparameters({f"{name}_{ladder.setting}": text})
        assert getattr(getattr(found, name), ladder.setting) == pytest.approx(float(text))


def test_the_models_that_are_tuned_are_models() -> None:
    assert set(LADDERS) <= set(MODELS)


@pytest.mark.parametrize("steps", [-2, -1, 0, 1, 2, 3])
def test_the_best_setting_within_three_steps_is_found_and_only_it_is_changed(steps: int) -> None:
    best = CONFIG.ease.l2 * 3.0**steps
    config, pool, before, scorers = tuned(Peak(best))
    assert config == replace(CONFIG, ease=replace(CONFIG.ease, l2=config.ease.l2))
    assert config.ease.l2 == pytest.approx(best)
    assert quality(pool, "ease") == pytest.approx(1.0)
    assert quality(Pool.of(scorers, CASES, SONGS), "ease") == pytest.approx(1.0)
    assert (scorers["ease"] is before["ease"]) == (steps == 0)


def test_no_more_than_three_steps_are_gone() -> None:
    assert tuned(Peak(CONFIG.ease.l2 * 3.0**5))[0].ease.l2 == pytest.approx(27 * CONFIG.ease.l2)


def test_where_one_way_gains_the_other_is_not_tried() -> None:
    fit = Peak(CONFIG.ease.l2 * 3.0)
    tuned(fit)
    assert min(fit.tried) >= CONFIG.ease.l2


def test_a_whole_number_stays_one() -> None:
    config = tuned(Peak(CONFIG.spectral.factors / 1.6, "spectral", "factors", 1.6), ("spectral",))[0]
    assert config.spectral.factors == round(CONFIG.spectral.factors / 1.6)
    assert isinstance(config.spectral.factors, int)


def test_each_model_is_tuned_by_its_own_quality_and_keeps_what_was_found_for_others() -> None:
    config, pool, _, _ = tuned(Peak(CONFIG.ease.l2 * 3.0), ("popularity", "ease", "cease"))
    assert config.ease.l2 == pytest.approx(3 * CONFIG.ease.l2)
    assert quality(pool, "ease") > quality(pool, "popularity")


@pytest.mark.parametrize(
    "clock",
    [
        Clock(deadline=0.0),
        Clock(deadline=time.monotonic() + 1000, seconds={"ease": 100_000.0}),
        Clock(deadline=time.monotonic() + 1000, reserved=100_000.0),
    ],
    ids=["over", "too slow a model", "all of it reserved"],
)
def test_nothing_is_tried_where_there_is_no_time_for_it(clock: Clock) -> None:
    fit = Peak(CONFIG.ease.l2 * 3.0)
    config, _, before, scorers = tuned(fit, clock=clock)
    assert fit.tried == []
    assert config is CONFIG
    assert scorers == before


def test_a_model_too_slow_for_the_time_left_does_not_keep_a_quick_one_from_it() -> None:
    fit = Peak(CONFIG.ease.l2 * 3.0)
    config, _, before, scorers = tuned(fit, ("als", "ease"), Clock(time.monotonic() + 60, {"als": 1000.0}))
    assert config.als == CONFIG.als
    assert scorers["als"] is before["als"]
    assert config.ease.l2 == pytest.approx(3 * CONFIG.ease.l2)


def test_the_clock_learns_what_a_model_takes() -> None:
    clock = Clock(time.monotonic() + 0.1)
    assert clock.allows("ease")

    def slow(config: TrainingConfig, name: str) -> Scorer:
        time.sleep(0.05)
        return finds(1)

    clock.timed(slow, CONFIG, "ease")
    assert 0.05 <= clock.seconds["ease"] < 5
    assert not clock.allows("ease")


@pytest.mark.parametrize("n", [0, 3])
def test_a_setting_that_changes_nothing_is_not_changed(n: int) -> None:
    scorers = {"ease": finds(n)}
    pool = Pool.of(scorers, CASES, SONGS)
    config, _ = tune(CONFIG, scorers, pool, ["ease"], lambda config, name: finds(n), Clock(time.monotonic() + 60), has_times=False)
    assert config == CONFIG


@pytest.mark.parametrize("has_times", [True, False])
def test_trends_are_found_where_there_are_times(has_times: bool) -> None:
    """All know the old songs, few the new ones, which are what is asked for. Only a half-life puts the new ones first."""
    played = np.ones((30, SONGS), dtype=np.float32)
    played[4:, SONGS - HIDDEN :] = 0
    played[:4, : SONGS - HIDDEN] = 0
    matrix = csr_array(played)
    times = np.where(matrix.indices >= SONGS - HIDDEN, 400, 1) * np.int64(86_400)
    data = TrainingData(matrix, None, 1, 1, users=np.arange(30), times=times)

    def fit(config: TrainingConfig, name: str) -> Scorer:
        return popularity.fit(data, config.popularity)

    scorers = {"popularity": fit(CONFIG, "popularity")}
    before = Pool.of(scorers, CASES, SONGS)
    config, after = tune(CONFIG, scorers, before, ["popularity"], fit, Clock(time.monotonic() + 60), has_times=has_times)
    assert quality(before, "popularity") < 0.1
    if has_times:
        assert 0 < config.popularity.half_life_days < 300
        assert quality(after, "popularity") == pytest.approx(1.0)
    else:
        assert config == CONFIG
