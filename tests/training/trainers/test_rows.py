"""Sparse rows, a block at a time."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from inference.sparse import SparseRows
from training.trainers import rows as module
from training.trainers.base import top_k_of_row
from training.trainers.rows import RowsWriter, as_csr, lengths_kept, strongest, symmetric, top_of_table

values = st.sampled_from([-1.0, 0.0, 0.5, 1.0, 1.0, 2.0, 3.0])
ragged = st.lists(st.lists(values, max_size=9), min_size=1, max_size=8)
squares = st.integers(1, 6).flatmap(lambda n: st.lists(values, min_size=n * n, max_size=n * n).map(lambda v: np.reshape(v, (n, n))))


@given(lists=ragged, k=st.integers(1, 10), table=st.sampled_from([1, 9, 1000]))
@settings(max_examples=60, deadline=None)
def test_each_row_keeps_what_a_single_row_would_keep_of_its_positive_values(lists: list[list[float]], k: int, table: int) -> None:
    indptr = np.concatenate([[0], np.cumsum([len(row) for row in lists])])
    flat = np.array([value for row in lists for value in row], dtype=np.float32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_TABLE", table)
        keep = strongest(indptr, flat, k)
    for i, row in enumerate(lists):
        positive = np.flatnonzero(np.array(row) > 0)
        expected, _ = top_k_of_row(positive, np.array(row)[positive], k)
        assert np.flatnonzero(keep[indptr[i] : indptr[i + 1]]).tolist() == expected.tolist()
    assert lengths_kept(indptr, keep).tolist() == [int(keep[a:b].sum()) for a, b in itertools.pairwise(indptr.tolist())]


@given(square=squares, k=st.integers(1, 7), least=st.sampled_from([0.0, 0.75, 1.0]))
@settings(max_examples=50, deadline=None)
def test_of_a_table_only_what_is_above_the_least_is_kept(square: np.ndarray, k: int, least: float) -> None:
    keep = top_of_table(square.astype(np.float32), k, least)
    for row, kept in zip(square, keep, strict=True):
        best = sorted(np.flatnonzero(row > least).tolist(), key=lambda j: (-row[j], j))[:k]
        assert np.flatnonzero(kept).tolist() == sorted(best)


@given(square=squares, data=st.data(), block=st.sampled_from([1, 2, 100]))
@settings(max_examples=50, deadline=None)
def test_what_one_keeps_the_other_keeps_too(square: np.ndarray, data: st.DataObject, block: int) -> None:
    n = len(square)
    owners = np.array(data.draw(st.permutations(range(n)))[: data.draw(st.integers(0, n))], dtype=np.int32)
    given_rows = csr_array(np.maximum(square, 0).astype(np.float32)[owners].reshape(len(owners), n))
    full = np.zeros((n, n), dtype=np.float32)
    full[owners] = given_rows.toarray()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_BLOCK", block)
        found = symmetric(SparseRows(given_rows.indptr.astype(np.int64), given_rows.indices, given_rows.data, n), owners)
    np.testing.assert_array_equal(as_csr(found).toarray(), np.maximum(full, full.T))
    assert all((np.diff(found.row(i)[0]) > 0).all() for i in range(n))
    assert {name: array.dtype.name for name, array in found.arrays().items()} == {
        "indptr": "int64",
        "indices": "int32",
        "values": "float32",
    }


@pytest.mark.parametrize("reserved", [0, 2, 3, 100])
def test_rows_that_were_written_come_back_however_much_was_reserved(reserved: int) -> None:
    writer = RowsWriter(reserved)
    writer.append(np.array([2, 0]), np.array([1, 4]), np.array([0.5, 0.25]))
    writer.append(np.array([1]), np.array([3]), np.array([2.0]))
    rows = writer.finished(5)
    assert rows.indptr.tolist() == [0, 2, 2, 3]
    assert rows.indices.tolist() == [1, 4, 3]
    assert rows.values.tolist() == [0.5, 0.25, 2.0]


def test_a_part_of_the_rows_shares_its_entries_with_the_whole() -> None:
    rows = SparseRows(np.array([0, 1, 3, 4]), np.array([2, 0, 1, 2], dtype=np.int32), np.arange(1, 5, dtype=np.float32), 3)
    part = as_csr(rows, 1, 3)
    np.testing.assert_array_equal(part.toarray(), [[2, 3, 0], [0, 0, 4]])
    assert np.shares_memory(part.data, rows.values)
    assert np.shares_memory(part.indices, rows.indices)
