"""The similar songs that a catalogue names."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_array

from inference.scorers import ItemToItemScorer
from inference.sparse import SparseRows
from training.trainers.base import TrainingData


def fit(data: TrainingData) -> ItemToItemScorer:
    """Row i holds the scores of the songs that the catalogue calls similar to song i, and of those that it calls song i similar to; the
    larger one where both do. Scores that are no positive number are left out. Raises ``ValueError`` where the catalogue names none.
    """
    if data.catalogue is None or data.catalogue.similar is None:
        raise ValueError("similar songs need a catalogue that names them")
    sources, targets, scores = data.catalogue.similar
    usable = np.isfinite(scores) & (scores > 0) & (sources != targets)
    rows = coo_array((scores[usable], (sources[usable], targets[usable])), shape=(data.n_items, data.n_items))
    best = rows.tocsr()
    if best.nnz < rows.nnz:  # pairs named twice were added up
        order = np.argsort(scores[usable], kind="stable")
        best.data[:] = 0
        best[sources[usable][order], targets[usable][order]] = scores[usable][order]
    both = best.maximum(best.T).tocsr()
    both.sort_indices()
    return ItemToItemScorer(
        SparseRows(both.indptr.astype(np.int64), both.indices.astype(np.int32), both.data.astype(np.float32), data.n_items)
    )
