"""Which hyperparameters a tuning job tries next: at random, all of a grid, or where a model of what was found so far promises most."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from scripts.local_aws.gaussian_process import GaussianProcess, expected_improvement
from scripts.local_aws.tuning_space import Space, Values

Found = Sequence[tuple[Values, float]]  # what was tried, and its objective: more is better
DRAWS = 100  # for something new; where there are few combinations,
DRAWS_FOR_EACH = 20  # for each of them
AT_FIRST = 3  # values tried at random before there is a model, and one for each hyperparameter, up to
MOST_AT_FIRST = 10
CANDIDATES, NEAR = 500, 100


class Search(Protocol):
    """A strategy. It draws nothing but from its own generator: the same seed and findings, the same search."""

    def next(self, found: Found, open_: Sequence[Values]) -> dict[str, str] | None:
        """Returns what to try, None if there is nothing left. ``open_``: what is being tried, and what has failed."""


class RandomSearch:
    """Draws from the ranges on their scales, nothing twice."""

    def __init__(self, space: Space, seed: int | None) -> None:
        self._space, self._rng = space, np.random.default_rng(seed)

    def next(self, found: Found, open_: Sequence[Values]) -> dict[str, str] | None:
        tried = [*(values for values, _ in found), *open_]
        if len({tuple(sorted(values.items())) for values in tried}) >= self._space.count:
            return None
        count = int(min(max(DRAWS, DRAWS_FOR_EACH * self._space.count), 1e5))
        draws = (self._space.draw(self._rng) for _ in range(count))
        return next((values for values in draws if values not in tried), None)


class GridSearch:
    """Every combination of the categories, once, in the order of the request."""

    def __init__(self, space: Space) -> None:
        self._all = space.grid()

    def next(self, found: Found, open_: Sequence[Values]) -> dict[str, str] | None:
        tried = [*(values for values, _ in found), *open_]
        return next((values for values in self._all if values not in tried), None)


class BayesianSearch:
    """At random at first; then where the improvement is greatest that a Gaussian process expects.

    What is being tried, or has failed, counts as if it came out as expected (Ginsbourger et al. 2010, the kriging believer), so that
    parallel jobs spread out.
    """

    def __init__(self, space: Space, seed: int | None) -> None:
        self._space, self._rng = space, np.random.default_rng(seed)
        self._random = RandomSearch(space, int(self._rng.integers(2**32)))

    def next(self, found: Found, open_: Sequence[Values]) -> dict[str, str] | None:
        at_first = min(AT_FIRST + len(self._space.parameters), MOST_AT_FIRST)
        if len(found) < at_first or len({value for _, value in found}) < 2:
            return self._random.next(found, open_)
        tried = [*(values for values, _ in found), *open_]
        best, _ = max(found, key=lambda one: one[1])
        drawn = [self._space.draw(self._rng) for _ in range(CANDIDATES)]
        drawn += [self._space.near(best, self._rng) for _ in range(NEAR)]
        seen = {tuple(sorted(values.items())) for values in tried}
        candidates = [values for values in drawn if tuple(sorted(values.items())) not in seen]
        if not candidates:
            return self._random.next(found, open_)
        points = self._space.encode([values for values, _ in found])
        values = np.array([value for _, value in found])
        model = GaussianProcess(points, values)
        if open_:
            pending = self._space.encode(open_)
            points, values = np.vstack([points, pending]), np.concatenate([values, model.predict(pending)[0]])
            model = GaussianProcess(points, values, like=model)
        mean, deviation = model.predict(self._space.encode(candidates))
        return candidates[int(np.argmax(expected_improvement(mean, deviation, float(values.max()))))]


def search_for(strategy: str, space: Space, seed: int | None) -> Search:
    if strategy == "Grid":
        return GridSearch(space)
    return RandomSearch(space, seed) if strategy == "Random" else BayesianSearch(space, seed)
