"""The item-to-item models of the hybrid, added into one sparse operator."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from inference.scorers import ItemToItemScorer, Scorer
from inference.sparse import SparseRows, entries_of
from training.progress import log
from training.trainers.pool import Pool
from training.trainers.rows import RowsWriter, as_csr, lengths_kept, strongest

LENGTHS = (100, 150, 200, 300, 500)  # songs that a row may keep, tried in this order
_KEEPS = 0.99  # of the hybrid's quality
_ENTRY_BYTES = 8
_BLOCK_ENTRIES = 4_000_000  # of all parts, that are added at once

Parts = list[tuple[SparseRows, float]]


def compiled(
    scorers: Mapping[str, Scorer], weights: Mapping[str, float], longest: int, memory_limit_gb: float = np.inf
) -> ItemToItemScorer | None:
    """Returns ``Σ_m weight_m B_m`` over the item-to-item models, each row with its ``longest`` largest positive entries.

    It is made a block of rows at a time, so it takes hardly more memory than the result; where that is more than the limit, rows are
    shorter. None where there are fewer than two such models: then there is nothing to add up.
    """
    parts = _parts(scorers, weights)
    if len(parts) < 2:
        return None
    n = len(parts[0][0])
    fitting = _fitting(n, memory_limit_gb)
    if longest > fitting:
        log("operator_shortened", longest=longest, to=fitting, memory_limit_gb=memory_limit_gb)
    return ItemToItemScorer(_total(parts, np.arange(n, dtype=np.int32), min(longest, fitting)))


def shortest_that_keeps(
    scorers: Mapping[str, Scorer], weights: Mapping[str, float], pool: Pool, k: int, metric: str, memory_limit_gb: float
) -> int | None:
    """Returns how long the rows must be so that the operator is as good on the held-out listeners as its parts, within a hundredth.

    None where it would have to be longer than is tried or the memory limit allows, or there is nothing to compile: then the parts answer.
    Only the rows of songs in these listeners' histories are made.
    """
    parts = _parts(scorers, weights)
    if len(parts) < 2:
        return None
    best = pool.quality(weights, k, metric)
    others = {name: weight for name, weight in weights.items() if not isinstance(scorers[name], ItemToItemScorer)}
    n = len(parts[0][0])
    lengths = [longest for longest in LENGTHS if longest <= _fitting(n, memory_limit_gb)]
    if not lengths:
        return None
    heard = np.unique(np.concatenate([np.empty(0, dtype=np.int32), *(case.history().numbers for case in pool.cases)]))
    total = _total(parts, heard, max(lengths))
    for longest in lengths:
        shorter = _shortened(total, longest)
        indptr = np.zeros(n + 1, dtype=np.int64)
        indptr[heard + 1] = np.diff(shorter.indptr)
        operator = ItemToItemScorer(SparseRows(np.cumsum(indptr), shorter.indices, shorter.values, n))
        if pool.with_model("compiled", operator).quality({**others, "compiled": 1.0}, k, metric) >= _KEEPS * best:
            return longest
    return None


def _parts(scorers: Mapping[str, Scorer], weights: Mapping[str, float]) -> Parts:
    used = [(scorer, weights[name]) for name, scorer in sorted(scorers.items()) if weights.get(name, 0.0) > 0]
    return [(scorer.operator, weight) for scorer, weight in used if isinstance(scorer, ItemToItemScorer)]


def _fitting(n: int, memory_limit_gb: float) -> int:
    """Returns how long the rows may be."""
    return max(1, int(min(memory_limit_gb * 1e9 / _ENTRY_BYTES / max(n, 1), np.iinfo(np.int32).max)))


def _total(parts: Parts, songs: np.ndarray, longest: int) -> SparseRows:
    """Returns the rows of some songs (ascending) of the weighted sum, each with its ``longest`` largest positive entries."""
    lengths = np.stack([np.diff(operator.indptr)[songs] for operator, _ in parts]).sum(axis=0)
    ends = np.cumsum(lengths)
    out = RowsWriter(int(np.minimum(lengths, longest).sum()))
    start = 0
    while start < len(songs):
        before = int(ends[start - 1]) if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, before + _BLOCK_ENTRIES, side="right")))
        rows = _shortened(_added(parts, songs[start:stop]), longest)
        out.append(np.diff(rows.indptr), rows.indices, rows.values)
        start = stop
    return out.finished(len(parts[0][0]))


def _added(parts: Parts, songs: np.ndarray) -> SparseRows:
    n = len(parts[0][0])
    total = as_csr(SparseRows(np.zeros(len(songs) + 1, dtype=np.int64), np.empty(0, np.int32), np.empty(0, np.float32), n))
    for operator, weight in parts:
        entries, owners = entries_of(operator.indptr, songs)
        indptr = np.concatenate([[0], np.cumsum(np.bincount(owners, minlength=len(songs)))])
        total = total + as_csr(SparseRows(indptr, operator.indices[entries], np.float32(weight) * operator.values[entries], n))
    total.sort_indices()
    return SparseRows(np.asarray(total.indptr), np.asarray(total.indices), np.asarray(total.data), n)


def _shortened(rows: SparseRows, longest: int) -> SparseRows:
    keep = strongest(rows.indptr, rows.values, longest)
    indptr = np.concatenate([[0], np.cumsum(lengths_kept(rows.indptr, keep))])
    return SparseRows(indptr, rows.indices[keep], rows.values[keep], rows.n_columns)
