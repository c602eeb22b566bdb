"""Scorers that use order and words, small, and random histories for them."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from scipy.sparse import csr_array, random_array

from inference.history import History, ranks_of
from inference.scorers import Scorer, SequentialScorer, WordScorer
from tests.inference.models import sparse_rows
from training.model_config import SessionsConfig
from training.trainers import sessions
from training.trainers.base import TrainingData

SONGS, LISTENERS, WORDS = 15, 9, 6


def session_data(seed: int = 0, ordered: bool = True) -> TrainingData:
    rng = np.random.default_rng(seed)
    played = csr_array(random_array((LISTENERS, SONGS), density=0.4, rng=rng, format="csr"))
    played.data[:] = rng.uniform(0.5, 3.0, played.nnz)
    played.sort_indices()
    times = rng.integers(0, 50, played.nnz) * 86_400 if ordered else None
    return TrainingData(played.astype(np.float32), None, seed, 1, users=np.arange(LISTENERS) + 100, times=times)


def make_sequence_scorers() -> dict[str, Scorer]:
    rng = np.random.default_rng(3)
    operator = csr_array(random_array((SONGS, SONGS), density=0.4, rng=rng))
    words = csr_array(random_array((WORDS, SONGS), density=0.4, rng=rng))
    return {
        "transitions": SequentialScorer(sparse_rows(operator), 2.0),
        "sessions": sessions.fit(session_data(), SessionsConfig(neighbours=4, patience=2.0, reach=1.5, half_life_days=20.0)),
        "sessions without order": sessions.fit(session_data(ordered=False), SessionsConfig(neighbours=4, patience=2.0, reach=1.5)),
        "words": WordScorer(sparse_rows(words), 3.0),
    }


@st.composite
def histories(draw: st.DrawFn) -> History:
    numbers = draw(st.lists(st.integers(0, SONGS - 1), unique=True, max_size=8).map(sorted))
    weights = draw(st.lists(st.floats(0.1, 10), min_size=len(numbers), max_size=len(numbers)))
    times = draw(st.none() | st.lists(st.integers(0, 6), min_size=len(numbers), max_size=len(numbers)))
    words = draw(st.none() | st.lists(st.integers(0, WORDS - 1), unique=True, max_size=3).map(sorted))
    return History(
        np.array(numbers, dtype=np.int32),
        np.array(weights, dtype=np.float32),
        None if times is None else ranks_of(np.array(times, dtype=np.int64)),
        None if words is None else np.array(words, dtype=np.int32),
        draw(st.none() | st.integers(100, 100 + LISTENERS)),
    )
