"""The item graph: how often two songs were played by the same listeners, normalised by degrees. The fastest model that ranks well."""

from __future__ import annotations

import numpy as np
from scipy.sparse import diags_array

from inference.scorers import ItemToItemScorer
from inference.sparse import SparseRows
from training.model_config import GraphConfig
from training.trainers.base import TrainingData
from training.trainers.gram import most_kept, shortened, trimmed_gram


def fit(data: TrainingData, config: GraphConfig) -> ItemToItemScorer:
    """``B_ij = (Σ_u x_ui x_uj / d_u^b / (d_i^a d_j^c))^p`` for i ≠ j, the ``neighbours`` largest kept in each row; d are degrees.

    One formula for a family, told apart by the exponents (b, a, c, p):

    * (0, ½, ½, 1) cosine neighbours (Sarwar et al., WWW 2001);
    * (1, 1, 0, 1) the random walk P³, with p the P³α of Cooper et al., "Random walks in recommender systems", WWW 2014;
    * (1, 1, β, 1) RP³β (Paudel et al., "Updatable, accurate, diverse, and scalable recommendations", TiiS 2017);
    * (1, ½, ½, 1) the linear part of GF-CF (Shen et al., "How powerful is graph convolution for recommendation?", CIKM 2021);
    * (2α, 1−α, 1−α, s) Turbo-CF's linear filter (Park et al., SIGIR 2024);
    * the learned exponents of LinkProp (Fu et al., "Revisiting neighborhood-based link prediction for collaborative filtering", 2022).
    """
    degrees = np.maximum(np.asarray(data.user_items.sum(axis=0)).ravel(), 1e-12).astype(np.float64)
    user_degrees = np.maximum(np.asarray(data.user_items.sum(axis=1)).ravel(), 1e-12).astype(np.float64)
    rows = shortened((diags_array(user_degrees ** (-config.user_exponent / 2)) @ data.user_items).astype(np.float32).tocsr())
    keep = most_kept(data.n_items, config.neighbours, data.memory_limit_gb)
    gram = trimmed_gram(rows, keep, degrees**config.target_exponent, data.threads)
    values = gram.data  # changed where they lie: there are many, and nobody else has them
    values *= np.repeat((degrees**-config.source_exponent).astype(np.float32), np.diff(gram.indptr))
    values *= (degrees**-config.target_exponent).astype(np.float32)[gram.indices]
    if config.power != 1:
        np.power(values, np.float32(config.power), out=values)
    return ItemToItemScorer(SparseRows(gram.indptr.astype(np.int64), gram.indices.astype(np.int32, copy=False), values, gram.shape[1]))
