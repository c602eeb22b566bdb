"""Models whose scores are sums of sparse rows, and many requests to them, for the tests of batches."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.sparse import csr_array, random_array

from inference.history import EventWeighting
from inference.named import Named
from inference.order import StoredOrder
from inference.ranking import Ranking
from inference.recommender import Recommender
from inference.request import Event, Request
from inference.scorers import HybridScorer, ItemToItemScorer, PopularityScorer, SequentialScorer, WordScorer
from inference.vocabulary import Vocabulary
from tests.inference.models import WORDS, make_words, sparse_rows
from training.trainers import compiled

MODELS = {
    "one operator": {"ease": 1.0},
    "compiled": {"ease": 2.0, "content": 0.7},
    "operator and popularity": {"ease": 1.0, "popularity": 0.02},
    "not compiled": {"ease": 1.0, "transitions": 0.5, "words": 0.1, "popularity": 0.02},
}


def make_model(kind: str, seed: int = 0, songs: int = 60, listeners: int = 50, *, ties: bool = False, density: float = 0.3) -> Recommender:
    """``ties``: the entries of the operators, and popularity, are a few whole numbers, so that many scores are equal."""
    rng = np.random.default_rng(seed)

    def entries(size: int) -> np.ndarray:
        return rng.integers(-1, 4, size).astype(np.float64) if ties else rng.normal(0.5, 1.0, size)

    def operator(rows: int) -> csr_array:
        return random_array((rows, songs), density=density, rng=rng, format="csr", data_sampler=lambda size: entries(size))

    played = random_array((listeners, songs), density=0.1, rng=rng, format="csr")
    played.data[:] = 1.0 if ties else rng.uniform(0.5, 3.0, played.nnz)
    popularity = rng.integers(0, 4, songs) if ties else rng.pareto(1.0, songs)
    scorers = {
        "popularity": PopularityScorer(popularity.astype(np.float32)),
        "ease": ItemToItemScorer(sparse_rows(operator(songs))),
        "content": ItemToItemScorer(sparse_rows(operator(songs))),
        "transitions": SequentialScorer(sparse_rows(operator(songs)), 2.0),
        "words": WordScorer(sparse_rows(operator(len(WORDS))), 3.0),
    }
    weights = MODELS[kind]
    return Recommender(
        items=Vocabulary.of([f"s{i}" for i in range(songs)]),
        users=Vocabulary.of([f"u{i}" for i in range(listeners)]),
        user_items=sparse_rows(played),
        listeners=np.array([1] * (songs - 3) + [0, 0, 0], dtype=np.int32),
        scorers=scorers,
        hybrid=HybridScorer(scorers, weights, compiled.compiled(scorers, weights, 12) if kind == "compiled" else None),
        weighting=EventWeighting(),
        version="test",
        order=StoredOrder(1_700_000_000 + 3600 * rng.integers(0, 50, played.nnz), in_seconds=True),
        words=make_words(listeners, seed),
    )


def aging(model: Recommender) -> Recommender:
    return replace(model, weighting=EventWeighting(half_life_days=0.5))


def some_requests(seed: int, count: int = 80, n: int = 5, songs: int = 60, listeners: int = 50) -> list[Request]:
    """Half of them only name a listener, a few of whom nobody knows; the others send songs and events, and exclude some."""
    rng = np.random.default_rng(seed)

    def ids(most: int) -> tuple[str, ...]:
        return tuple(f"s{i}" for i in rng.integers(0, songs + 2, rng.integers(0, most + 1)).tolist())

    requests = []
    for _ in range(count):
        user = f"u{rng.integers(0, listeners + 2)}" if rng.random() < 0.7 else None
        if user is not None and rng.random() < 0.6:
            requests.append(Request(user_id=user, num_recommendations=n))
            continue
        events = tuple(Event(id_, timestamp=1_700_000_000 + float(rng.integers(0, 90_000))) for id_ in ids(3))
        context = {"name": "night drive"} if rng.random() < 0.3 else {}
        seen = [None, True, False][int(rng.integers(0, 3))]
        request = Request(user, events, ids(3), exclude=ids(4), exclude_seen=seen, num_recommendations=n, context=context)
        requests.append(request if user or events or request.items else replace(request, user_id="u1"))
    return requests


def ranked_together(model: Recommender, requests: list[Request]) -> list[Ranking | None]:
    """What those who are ranked together get; None for who has to be asked alone."""
    return model._batches.rank(requests, Named.of_each(requests, model.items))
