"""A small model with every kind of scorer, and random histories, for the tests of inference."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array, random_array

from inference.context import ContextWords
from inference.history import EventWeighting, History
from inference.known import ListenerWords
from inference.order import StoredOrder
from inference.recommender import Recommender
from inference.scorers import FactorScorer, HybridScorer, ItemToItemScorer, PopularityScorer, Scorer, SequentialScorer, WordScorer
from inference.sparse import SparseRows
from inference.texts import Texts
from inference.vocabulary import Vocabulary
from tests.inference.features.songs import make_features, make_similarity, make_transform, raw_song
from training.model_config import SessionsConfig
from training.trainers import compiled, sessions
from training.trainers.base import TrainingData

SONGS = 30
WEIGHTS = {"ease": 1.0, "als": 0.5, "content": 0.3, "popularity": 0.05, "transitions": 0.4, "sessions": 0.6, "words": 0.1}
KEPT = 12  # songs in a row of the hybrid's operator: fewer than there are, so that it differs from its parts
WORDS = ("chill", "country=de", "country=fr", "name=night drive", "night", "drive")


def sparse_rows(matrix: csr_array) -> SparseRows:
    matrix = csr_array(matrix).astype(np.float32)
    matrix.sort_indices()
    return SparseRows(matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32), matrix.data, matrix.shape[1])


def make_scorers(seed: int = 0, n: int = SONGS) -> dict[str, Scorer]:
    """The last two songs have no events: only `content` knows them."""
    rng = np.random.default_rng(seed)
    operator = random_array((n, n), density=0.3, rng=rng, format="lil", data_sampler=lambda size: rng.normal(0.3, 1.0, size))
    operator.setdiag(0)
    operator[-2:, :] = 0
    operator[:, -2:] = 0
    content = np.abs(rng.normal(size=(n, n))) * (1 - np.eye(n))
    factors = rng.normal(size=(n, 4)).astype(np.float32)
    factors[-2:] = 0
    wide = factors.astype(np.float64)
    return {
        "popularity": PopularityScorer(np.linspace(1, 0, n, dtype=np.float32)),
        "ease": ItemToItemScorer(sparse_rows(operator)),
        "content": ItemToItemScorer(sparse_rows(csr_array(content))),
        "als": FactorScorer(factors, wide.T @ wide, 0.1, 0.05, 1.0),
    }


def make_sequence_scorers(played: csr_array, times: np.ndarray, seed: int) -> dict[str, Scorer]:
    """Scorers by order and words. They do not know the last two songs."""
    rng = np.random.default_rng(seed + 1)
    n = played.shape[1]
    operator, words = (random_array((rows, n), density=0.3, rng=rng, format="lil") for rows in (n, len(WORDS)))
    operator[-2:, :] = operator[:, -2:] = words[:, -2:] = 0
    data = TrainingData(played.astype(np.float32), None, seed, 1, users=np.arange(played.shape[0]), times=times)
    return {
        "transitions": SequentialScorer(sparse_rows(operator), 2.0),
        "sessions": sessions.fit(data, SessionsConfig(neighbours=3, reach=2.0)),
        "words": WordScorer(sparse_rows(words), 3.0),
    }


def make_words(users: int, seed: int) -> ListenerWords:
    said = random_array((users, len(WORDS)), density=0.4, rng=np.random.default_rng(seed + 2), format="csr")
    said.data[:] = 1
    return ListenerWords(ContextWords(Vocabulary.of(WORDS), ("name",), ("country",)), sparse_rows(said))


def make_recommender(seed: int = 0, n: int = SONGS, users: int = 6) -> Recommender:
    """Has all that a model can have: every kind of scorer, a hybrid with an operator, order, words and features."""
    rng = np.random.default_rng(seed)
    played = random_array((users, n - 2), density=0.2, rng=rng, format="csr")
    played.data[:] = rng.uniform(0.5, 3.0, len(played.data))
    played = csr_array((played.data, played.indices, played.indptr), shape=(users, n))
    played.sort_indices()
    times = 1_700_000_000 + 3600 * rng.integers(0, 500, played.nnz)
    transform = make_transform()
    scorers = {**make_scorers(seed, n), **make_sequence_scorers(played, times, seed)}
    return Recommender(
        items=Vocabulary.of([f"s{i}" for i in range(n)]),
        users=Vocabulary.of([f"u{i}" for i in range(users)]),
        user_items=sparse_rows(played),
        listeners=np.array([3] * (n - 2) + [0, 0], dtype=np.int32),
        scorers=scorers,
        hybrid=HybridScorer(scorers, WEIGHTS, compiled.compiled(scorers, WEIGHTS, KEPT)),
        weighting=EventWeighting(),
        version="test",
        metadata={"title": Texts.of(f"Title {i}" for i in range(n))},
        features=make_features(transform, [raw_song(i) for i in range(n)]),
        transform=transform,
        similarity=make_similarity(),
        order=StoredOrder(times, in_seconds=True),
        words=make_words(users, seed),
    )


def history_of(*numbers: int) -> History:
    return History.of(np.array(numbers), np.ones(len(numbers)))
