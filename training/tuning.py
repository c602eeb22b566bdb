"""Finds the settings of the models on the held-out listeners, as far as a budget of minutes goes (``tune=auto``)."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from inference.scorers import Scorer
from training.config import TrainingConfig
from training.progress import log
from training.trainers.pool import Pool

MIN_GAIN = 2e-3  # relative; less is noise
_MOST_STEPS = 3  # in one direction


@dataclass(frozen=True)
class Ladder:
    """One setting of a model: ``steps`` to try from the default on, each way until it gets no better. ``times``: steps are factors."""

    setting: str
    step: float
    low: float
    high: float
    times: bool = True

    def next(self, value: float, direction: int) -> float | None:
        """Returns the value one step up (1) or down (-1), None beyond the ends."""
        new = value * self.step**direction if self.times else round(value + direction * self.step, 6)
        return new if self.low <= new <= self.high and new != value else None


# The settings that matter most, first; found on several data sets, as are the ends.
LADDERS: Mapping[str, Sequence[Ladder]] = {
    "ease": (
        Ladder("l2", 3.0, 0.3, 1000),
        Ladder("item_exponent", 0.15, 0.0, 0.5, times=False),
        Ladder("neighbours", 2.0, 50, 400),
    ),
    "cease": (
        Ladder("l2", 2.0, 0.3, 1000),
        Ladder("neighbours", 2.0, 50, 400),
        Ladder("genre_weight", 0.15, 0.0, 0.6, times=False),
        Ladder("artist_weight", 2.0, 0.1, 4),
    ),
    "artist": (Ladder("exponent", 0.25, 0.0, 1.0, times=False),),
    "als": (
        Ladder("unobserved_weight", 4.0, 1e-4, 2),
        Ladder("l2", 4.0, 1e-5, 2),
        Ladder("factors", 2.0, 8, 256),
    ),
    "spectral": (Ladder("factors", 1.6, 16, 1024), Ladder("linear", 1.0, 0.0, 4.0, times=False)),
    "graph": (Ladder("target_exponent", 0.15, 0.0, 0.8, times=False), Ladder("power", 0.3, 0.4, 1.6, times=False)),
    "sessions": (
        Ladder("neighbours", 3.0, 50, 5000),
        Ladder("item_exponent", 0.15, 0.0, 0.6, times=False),
        Ladder("patience", 3.0, 0.5, 200),
    ),
    "transitions": (Ladder("patience", 3.0, 0.5, 200), Ladder("steps", 3.0, 1, 100), Ladder("to_exponent", 0.2, 0.0, 0.8, times=False)),
    "popularity": (Ladder("half_life_days", 3.0, 1.0, 3000),),
    "words": (Ladder("patience", 3.0, 1.0, 100), Ladder("l2", 4.0, 1.0, 500)),
    "item_knn": (Ladder("shrinkage", 4.0, 0.5, 1000),),
    "pearson": (Ladder("shrinkage", 4.0, 0.5, 1000),),
}
TRENDING_DAYS = 30.0  # what popularity starts from, where the default is off and the data has times

Fit = Callable[[TrainingConfig, str], Scorer]


@dataclass
class Clock:
    """Time that is left, and what each model takes to fit. ``reserved``: seconds to be kept for fitting everything again."""

    deadline: float
    seconds: dict[str, float] = field(default_factory=dict)
    reserved: float = 0.0

    def allows(self, name: str) -> bool:
        """Returns whether one more fit of a model is likely to end in time."""
        return time.monotonic() + 1.3 * self.seconds.get(name, 0.0) + self.reserved < self.deadline

    def timed(self, fit: Fit, config: TrainingConfig, name: str) -> Scorer:
        started = time.monotonic()
        scorer = fit(config, name)
        self.seconds[name] = time.monotonic() - started
        return scorer


def tune(
    config: TrainingConfig, scorers: dict[str, Scorer], pool: Pool, names: Sequence[str], fit: Fit, clock: Clock, *, has_times: bool
) -> tuple[TrainingConfig, Pool]:
    """Improves the settings of the models ``names``, in this order, each judged by the model's own quality on the pool.

    Hill climbing along ``LADDERS``: one setting after the other, up or down as long as it gains. Models that there is no time for keep
    theirs. ``scorers`` is changed: it ends with what was found. Returns the configuration found, and the pool scored by these models.
    """
    k, metric = max(config.evaluation.k), config.hybrid.metric
    for name in names:
        best = pool.quality({name: 1.0}, k, metric)
        before = best
        for ladder in LADDERS.get(name, ()):
            for direction in (1, -1):
                start = best
                for trial in _climb(config, name, ladder, direction, has_times):
                    if not clock.allows(name):
                        break
                    scorer = clock.timed(fit, trial, name)
                    scored = pool.with_model(name, scorer)
                    quality = scored.quality({name: 1.0}, k, metric)
                    if quality <= best * (1 + MIN_GAIN):
                        break
                    config, pool, best = trial, scored, quality
                    scorers[name] = scorer
                if best > start and name != "popularity":  # which may have started from off: then both ways are open
                    break  # the other way is downhill
        if best > before:
            log("tuned", model=name, before=round(before, 4), after=round(best, 4), **_changed(config, name))
    return config, pool


def _climb(config: TrainingConfig, name: str, ladder: Ladder, direction: int, has_times: bool) -> Iterator[TrainingConfig]:
    """Yields the configurations one, two and three steps away."""
    section = getattr(config, name)
    value = float(getattr(section, ladder.setting))
    if (name, ladder.setting, value) == ("popularity", "half_life_days", 0.0):
        if not has_times:
            return
        value = TRENDING_DAYS * (ladder.step if direction < 0 else 1 / ladder.step)
    for _ in range(_MOST_STEPS):
        new = ladder.next(value, direction)
        if new is None:
            return
        value = new
        whole = isinstance(getattr(section, ladder.setting), int)
        yield dataclasses.replace(config, **{name: dataclasses.replace(section, **{ladder.setting: round(new) if whole else new})})


def _changed(config: TrainingConfig, name: str) -> dict[str, float]:
    section, default = getattr(config, name), getattr(TrainingConfig(), name)
    return {f.name: getattr(section, f.name) for f in dataclasses.fields(section) if getattr(section, f.name) != getattr(default, f.name)}
