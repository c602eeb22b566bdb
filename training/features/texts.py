"""Latent semantic analysis: the directions that the TF-IDF of texts is projected on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, diags_array
from sklearn.decomposition import TruncatedSVD

from inference.features.attributes import Terms
from inference.features.text_vectors import TextTransform
from inference.features.words import TERM_SPACE
from training.data.config import FeaturesConfig

MAX_TEXTS = 50_000  # the directions are found on so many at most
MIN_TEXTS = 2  # that have a term, else it tells nothing of another text
MAX_SHARE = 0.5  # of the texts; what most have tells none of them apart
_POWER_ITERATIONS = 3


def fit_text(texts: Terms, train: NDArray[np.bool_], config: FeaturesConfig, seed: int) -> TextTransform | None:
    """Returns the transform, or None where train songs have too few texts: fewer than two terms would be left.

    ``config.lyrics_terms`` terms, those in the most texts, are kept.
    """
    with_text = np.flatnonzero(train & (np.diff(texts.indptr) > 0))
    if len(with_text) > MAX_TEXTS:
        with_text = np.sort(np.random.default_rng(seed).choice(with_text, MAX_TEXTS, replace=False))
    counts = csr_array((texts.counts, texts.terms, texts.indptr), shape=(len(train), TERM_SPACE))[with_text]
    frequency = np.bincount(counts.indices, minlength=TERM_SPACE)
    usable = np.flatnonzero((frequency >= MIN_TEXTS) & (frequency <= MAX_SHARE * len(with_text)))
    kept = np.sort(usable[np.argsort(-frequency[usable], kind="stable")][: config.lyrics_terms]).astype(np.int32)
    dimensions = min(config.lyrics_dimensions, len(kept) - 1, len(with_text) - 1)
    if dimensions < 1:
        return None
    idf = (np.log((1.0 + len(with_text)) / (1.0 + frequency[kept])) + 1.0).astype(np.float32)
    unfitted = TextTransform(kept, idf, np.zeros((len(kept), 1), dtype=np.float32))
    indptr, places, weights = unfitted.weights(Terms(counts.indptr.astype(np.int64), counts.indices, counts.data))
    matrix = csr_array((weights, places, indptr), shape=(len(with_text), len(kept)))
    lengths = np.sqrt(matrix.power(2).sum(axis=1))
    unit = csr_array(diags_array((1.0 / np.maximum(lengths, 1e-12)).astype(np.float32)) @ matrix)
    svd = TruncatedSVD(dimensions, n_iter=_POWER_ITERATIONS, random_state=seed).fit(unit)
    return TextTransform(kept, idf, np.ascontiguousarray(svd.components_.T, dtype=np.float32))
