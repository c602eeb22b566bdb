"""The item-to-item models of a hybrid in one operator."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from inference.history import History
from inference.scorers import HybridScorer, ItemToItemScorer, PopularityScorer, Scorer
from inference.sparse import SparseRows
from tests.training.trainers.data import dense, operator_of
from training.split import Case
from training.trainers import compiled as module
from training.trainers import rows
from training.trainers.compiled import LENGTHS, compiled, shortest_that_keeps
from training.trainers.pool import Pool

N = 30
GB = 1.0
entries = st.sampled_from([-1.5, -1.0, 0.0, 0.0, 0.5, 1.0, 2.0])
squares = st.integers(1, 7).flatmap(
    lambda n: st.lists(entries, min_size=3 * n * n, max_size=3 * n * n).map(lambda v: np.reshape(v, (3, n, n)))
)


def random_operators(seed: int) -> dict[str, Scorer]:
    rng = np.random.default_rng(seed)
    return {name: operator_of(np.where(rng.random((N, N)) < 0.4, rng.random((N, N)), 0.0)) for name in ("ease", "graph", "content")}


def matrix(scorer: Scorer) -> csr_array:
    assert isinstance(scorer, ItemToItemScorer)
    return rows.as_csr(scorer.operator)


def operator(scorers: dict[str, Scorer], weights: dict[str, float], longest: int) -> np.ndarray:
    found = compiled(scorers, weights, longest, GB)
    assert found is not None
    return dense(found)


@given(parts=squares, longest=st.integers(1, 8))
@settings(max_examples=60, deadline=None)
def test_each_row_keeps_the_largest_positive_entries_of_the_weighted_sum(parts: np.ndarray, longest: int) -> None:
    scorers: dict[str, Scorer] = {name: operator_of(part) for name, part in zip("abc", parts, strict=True)}
    total = 0.5 * parts[0] + 2.0 * parts[1] + 0.25 * parts[2]
    expected = np.zeros_like(total)
    for i, row in enumerate(total):
        best = sorted(np.flatnonzero(row > 0).tolist(), key=lambda j: (-row[j], j))[:longest]
        expected[i, best] = row[best]
    np.testing.assert_array_equal(operator(scorers, {"a": 0.5, "b": 2.0, "c": 0.25}, longest), expected)


def test_where_nothing_is_cut_the_hybrid_scores_as_its_parts_do() -> None:
    scorers = random_operators(0) | {"popularity": PopularityScorer(np.random.default_rng(1).random(N).astype(np.float32))}
    weights = {"ease": 0.3, "graph": 1.7, "content": 0.02, "popularity": 0.1}
    with_operator = HybridScorer(scorers, weights, compiled(scorers, weights, N, GB))
    history = History.of(np.array([2, 5, 17]), np.array([1.0, 3.0, 0.5]))
    np.testing.assert_allclose(with_operator.scores(history), HybridScorer(scorers, weights).scores(history), rtol=1e-5)


def test_columns_are_ascending_and_rows_no_longer_than_asked() -> None:
    found = compiled(random_operators(2), {"ease": 1.0, "graph": 1.0}, 5, GB)
    assert found is not None
    assert (np.diff(found.operator.indptr) == 5).all()
    assert all((np.diff(found.operator.row(song)[0]) > 0).all() for song in range(N))
    assert {name: array.dtype.name for name, array in found.arrays().items()} == {
        "indptr": "int64",
        "indices": "int32",
        "values": "float32",
    }


def test_the_parts_stay_as_they_are() -> None:
    scorers = random_operators(3)
    before = {name: {key: array.copy() for key, array in scorer.arrays().items()} for name, scorer in scorers.items()}
    compiled(scorers, dict.fromkeys(scorers, 1.0), 3, GB)
    for name, scorer in scorers.items():
        for key, array in scorer.arrays().items():
            np.testing.assert_array_equal(array, before[name][key])


@pytest.mark.parametrize(
    "weights", [{}, {"ease": 1.0}, {"ease": 1.0, "graph": 0.0}, {"ease": 1.0, "popularity": 2.0}, {"popularity": 2.0}, {"graph": 0.0}]
)
def test_with_fewer_than_two_item_to_item_models_there_is_nothing_to_add_up(weights: dict[str, float]) -> None:
    scorers = random_operators(4) | {"popularity": PopularityScorer(np.ones(N, dtype=np.float32))}
    assert compiled(scorers, weights, 10, GB) is None


def world() -> tuple[dict[str, Scorer], list[Case]]:
    """A listener who is shown song i looks for songs i+1, i+2 and i+3. Both models put them third to fifth, after two that nobody wants."""
    first, second = np.zeros((N, N)), np.zeros((N, N))
    for i in range(N):
        for place, step in enumerate((7, 8, 1, 2, 3, 9, 10, 11)):
            first[i, (i + step) % N] = 0.5 - 0.01 * place
            second[i, (i + step) % N] = 0.4 - 0.02 * place
    cases = [Case(i, np.array([i], dtype=np.int32), np.sort([(i + 1) % N, (i + 2) % N, (i + 3) % N]).astype(np.int32)) for i in range(N)]
    return {"ease": operator_of(first), "graph": operator_of(second)}, cases


@pytest.mark.parametrize(("lengths", "expected"), [((1, 2, 3, 4, 5, 6, 8), 5), ((5, 8), 5), ((6, 8), 6), ((1, 2, 4), None)])
@pytest.mark.parametrize("metric", ["recall", "ndcg", "both"])
def test_rows_are_as_short_as_keeps_the_quality(
    lengths: tuple[int, ...], expected: int | None, metric: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LENGTHS", lengths)
    scorers, cases = world()
    weights = {"ease": 1.0, "graph": 0.5}
    pool = Pool.of(scorers, cases, depth=8)
    assert pool.quality(weights, 5, "recall") == pytest.approx(1.0)
    assert shortest_that_keeps(scorers, weights, pool, 5, metric, GB) == expected


def test_models_that_are_no_operators_go_on_counting(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is sought is popular: with popularity as a model of its own, one entry of a row is as good as all of them."""
    monkeypatch.setattr(module, "LENGTHS", (1, 5))
    popularity = np.zeros(N, dtype=np.float32)
    popularity[[27, 28, 29]] = 5.0
    scorers = world()[0] | {"popularity": PopularityScorer(popularity)}
    cases = [Case(i, np.array([i], dtype=np.int32), np.array([27, 28, 29], dtype=np.int32)) for i in range(20)]
    weights = {"ease": 0.5, "graph": 0.5, "popularity": 1.0}
    assert shortest_that_keeps(scorers, weights, Pool.of(scorers, cases, depth=N), 3, "both", GB) == 1


def test_a_single_operator_is_not_compiled() -> None:
    scorers, cases = world()
    assert shortest_that_keeps(scorers, {"ease": 1.0, "graph": 0.0}, Pool.of(scorers, cases, depth=8), 5, "recall", GB) is None


def test_blocks_of_any_size_give_the_same_bits_as_whole_matrices(monkeypatch: pytest.MonkeyPatch) -> None:
    scorers, weights = random_operators(6), {"ease": 0.3, "graph": 1.7, "content": 0.02}
    whole = sum(
        (np.float32(weights[name]) * matrix(scorers[name]) for name in sorted(weights)), csr_array((N, N), dtype=np.float32)
    ).toarray()
    for entries in (1, 40, 10_000):
        monkeypatch.setattr(module, "_BLOCK_ENTRIES", entries)
        np.testing.assert_array_equal(operator(scorers, weights, N), whole)


def test_compiling_takes_hardly_more_memory_than_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    n, length = 2000, 100
    monkeypatch.setattr(module, "_BLOCK_ENTRIES", 4 * length * 50)
    monkeypatch.setattr(rows, "_TABLE", 4 * length * 50)
    rng = np.random.default_rng(7)
    columns = np.sort(rng.random((n, n // 8)).argsort(axis=1)[:, :length] * 8, axis=1).astype(np.int32)
    scorers: dict[str, Scorer] = {}
    for shift, name in enumerate("abcd"):  # no two have an entry in common
        indptr = np.arange(n + 1, dtype=np.int64) * length
        scorers[name] = ItemToItemScorer(SparseRows(indptr, (columns + shift).ravel(), rng.random(n * length, dtype=np.float32), n))
    tracemalloc.start()
    found = compiled(scorers, dict.fromkeys("abcd", 1.0), length, GB)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found is not None
    result = sum(array.nbytes for array in found.arrays().values())
    assert result == 8 * n * length + 8 * (n + 1)
    assert peak < 2 * result  # the sum alone has four times as many entries


def test_rows_are_shorter_where_the_memory_limit_asks_for_it() -> None:
    found = compiled(random_operators(8), {"ease": 1.0, "graph": 1.0, "content": 1.0}, 20, memory_limit_gb=8 * N * 6 / 1e9)
    assert found is not None
    assert (np.diff(found.operator.indptr) == 6).all()


def test_lengths_that_the_memory_limit_forbids_are_not_found() -> None:
    scorers, cases = world()
    pool, weights = Pool.of(scorers, cases, depth=8), {"ease": 1.0, "graph": 0.5}
    assert shortest_that_keeps(scorers, weights, pool, 5, "recall", GB) == LENGTHS[0]
    assert shortest_that_keeps(scorers, weights, pool, 5, "recall", 8 * N * (LENGTHS[0] - 1) / 1e9) is None
