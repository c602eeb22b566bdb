"""The item-to-item models of the hybrid, added into one sparse operator."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.sparse import csr_array

from inference.scorers import ItemToItemScorer, Scorer
from inference.sparse import SparseRows
from training.trainers.base import top_k_of_row
from training.trainers.pool import Pool

LENGTHS = (100, 150, 200, 300, 500)  # songs that a row may keep, tried in this order
_KEEPS = 0.99  # of the hybrid's quality


def compiled(scorers: Mapping[str, Scorer], weights: Mapping[str, float], longest: int) -> ItemToItemScorer | None:
    """Returns ``Σ_m weight_m B_m`` over the item-to-item models, each row with its ``longest`` largest positive entries.

    None where there are fewer than two such models: then there is nothing to add up.
    """
    total = _sum(scorers, weights)
    return None if total is None else ItemToItemScorer(_shortened(total, longest))


def shortest_that_keeps(scorers: Mapping[str, Scorer], weights: Mapping[str, float], pool: Pool, k: int, metric: str) -> int | None:
    """Returns how long the rows must be so that the operator is as good on the held-out listeners as its parts, within a hundredth.

    None where it would have to be longer than is tried, or there is nothing to compile: then the parts answer.
    """
    total = _sum(scorers, weights)
    if total is None:
        return None
    best = pool.quality(weights, k, metric)
    others = {name: weight for name, weight in weights.items() if not isinstance(scorers[name], ItemToItemScorer)}
    for longest in LENGTHS:
        operator = ItemToItemScorer(_shortened(total, longest))
        if pool.with_model("compiled", operator).quality({**others, "compiled": 1.0}, k, metric) >= _KEEPS * best:
            return longest
    return None


def _sum(scorers: Mapping[str, Scorer], weights: Mapping[str, float]) -> csr_array | None:
    """Returns the weighted sum, csr float32 with columns ascending, or None where there are fewer than two models to add."""
    used = [(scorer, weights[name]) for name, scorer in sorted(scorers.items()) if weights.get(name, 0.0) > 0]
    parts = [(scorer.operator, weight) for scorer, weight in used if isinstance(scorer, ItemToItemScorer)]
    if len(parts) < 2:
        return None
    n = len(parts[0][0])
    total = csr_array((n, n), dtype=np.float32)
    for operator, weight in parts:
        total = total + csr_array((np.float32(weight) * operator.values, operator.indices, operator.indptr), shape=(n, n))
    total.sort_indices()
    return total


def _shortened(matrix: csr_array, longest: int) -> SparseRows:
    indptr, columns, values = np.asarray(matrix.indptr), np.asarray(matrix.indices), np.asarray(matrix.data)
    rows = []
    for start, stop in zip(indptr[:-1].tolist(), indptr[1:].tolist(), strict=True):
        positive = np.flatnonzero(values[start:stop] > 0) + start
        kept, _ = top_k_of_row(positive, values[positive], longest)
        rows.append(kept)
    places = np.concatenate(rows) if rows else np.empty(0, dtype=np.int64)
    lengths = np.array([len(row) for row in rows], dtype=np.int64)
    starts = np.concatenate([[0], np.cumsum(lengths)])
    return SparseRows(starts, columns[places].astype(np.int32), values[places].astype(np.float32), matrix.shape[1])
