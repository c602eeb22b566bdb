"""Evaluation counts the lists that are served, however it asks for them."""

from __future__ import annotations

import numpy as np
import pytest

from inference.recommender import Recommender
from inference.request import Request
from tests.inference.many_listeners import MODELS, make_model, ranked_together, some_requests
from training.evaluation.cases import Case, RankerOfMany, ask


class OneByOne:
    """A ranker that knows no other way."""

    def __init__(self, model: Recommender) -> None:
        self.rank = model.rank


@pytest.mark.parametrize("kind", MODELS)
def test_the_lists_are_those_of_single_requests(kind: str) -> None:
    model = make_model(kind, density=0.5)
    relevant = np.array([1], dtype=np.int32)
    requests = [*some_requests(9, 100), Request(items=("s1",), candidates=("s2", "s3"))]
    cases = [Case(request, relevant) for request in requests]
    assert isinstance(model, RankerOfMany)
    assert not isinstance(OneByOne(model), RankerOfMany)
    assert sum(one is not None for one in ranked_together(model, requests)) > 50
    together, alone = ask("any", model, cases, 12, quiet=True), ask("any", OneByOne(model), cases, 12)
    assert together.tolist() == alone.tolist()
    assert together[-1].tolist() == [*together[-1, :2].tolist(), *[-1] * 10]
