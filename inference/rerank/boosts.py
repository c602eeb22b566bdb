"""Business rules: what the scores of some songs are multiplied by."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from inference.rerank.filters import Filters
from inference.rerank.options import Boost
from inference.vocabulary import UNKNOWN, Vocabulary


def factors_of(boosts: Sequence[Boost], filters: Filters, items: Vocabulary) -> np.ndarray:
    """Returns float64 (songs,): the product of the factors of all boosts that a song falls under; 0 takes it out.

    Songs that the model does not know are nothing to it. Raises ``RequestError`` 422 as filters do.
    """
    factors = np.ones(len(items))
    for place, boost in enumerate(boosts):
        if boost.filter is None:
            numbers = np.unique(items.numbers(boost.items))
            factors[numbers[numbers != UNKNOWN]] *= boost.factor
        elif boost.filter:
            np.multiply(factors, boost.factor, out=factors, where=filters.mask(boost.filter, f"boosts[{place}].filter"))
        else:
            factors *= boost.factor
    # Far products stay finite and, where no factor is 0, above 0: one may not take a song out by many small ones.
    return np.where(factors > 0, np.clip(factors, 1e-100, 1e100), 0.0)
