"""Models of the package implicit."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits

from scripts.peers_task import Peer, Scores, Settings, Task, with_asked


def als(task: Task, settings: Settings) -> Scores:
    """ALS (Hu, Koren, Volinsky 2008); who is asked is folded in (``recalculate_user``)."""
    from implicit.cpu.als import AlternatingLeastSquares

    model = AlternatingLeastSquares(
        factors=settings["factors"],
        regularization=settings["regularization"],
        alpha=settings["alpha"],
        iterations=settings["iterations"],
        random_state=task.seed,
    )
    with threadpool_limits(1, user_api="blas"):  # as the package asks for
        model.fit(csr_matrix(task.learn), show_progress=False)
        factors = model.recalculate_user(np.arange(task.asked.shown.shape[0]), csr_matrix(task.asked.shown))
    return lambda rows: np.asarray(factors[rows] @ model.item_factors.T, dtype=np.float64)


def bm25(task: Task, settings: Settings) -> Scores:
    """Item neighbours by BM25."""
    from implicit.nearest_neighbours import BM25Recommender

    return _neighbours(task, BM25Recommender(K=settings["k"], K1=settings["k1"], B=settings["b"]))


def cosine(task: Task, settings: Settings) -> Scores:
    """Item neighbours by cosine."""
    from implicit.nearest_neighbours import CosineRecommender

    return _neighbours(task, CosineRecommender(K=settings["k"]))


def bpr(task: Task, settings: Settings) -> Scores:
    """BPR matrix factorization (Rendle 2009). It cannot fold in: see ``with_asked``."""
    from implicit.cpu.bpr import BayesianPersonalizedRanking

    matrix, users = with_asked(task)
    model = BayesianPersonalizedRanking(
        factors=settings["factors"],
        learning_rate=settings["learning_rate"],
        regularization=settings["regularization"],
        iterations=settings["iterations"],
        random_state=task.seed,
        num_threads=0,
    )
    model.fit(csr_matrix(matrix), show_progress=False)
    return lambda rows: np.asarray(model.user_factors[users[rows]] @ model.item_factors.T, dtype=np.float64)


def _neighbours(task: Task, model: Any) -> Scores:
    model.fit(csr_matrix(task.learn), show_progress=False)
    shown, similarity = csr_matrix(task.asked.shown), model.similarity
    return lambda rows: np.asarray((shown[rows] @ similarity).toarray(), dtype=np.float64)


PEERS = {
    "implicit_als": Peer(
        "implicit: ALS",
        als,
        {
            "factors": (32, 64, 128, 256),
            "regularization": (0.001, 0.01, 0.1, 1.0, 10.0),
            "alpha": (1.0, 5.0, 10.0, 40.0),
            "iterations": (15, 30),
        },
    ),
    "implicit_bm25": Peer(
        "implicit: item neighbours, BM25",
        bm25,
        {"k": (20, 50, 100, 200, 500), "k1": (0.5, 1.2, 2.0, 10.0, 100.0), "b": (0.2, 0.5, 0.75, 0.9)},
    ),
    "implicit_cosine": Peer("implicit: item neighbours, cosine", cosine, {"k": (20, 50, 100, 200, 500, 1000)}),
    "implicit_bpr": Peer(
        "implicit: BPR matrix factorization",
        bpr,
        {"factors": (32, 64, 128), "learning_rate": (0.01, 0.05, 0.1), "regularization": (0.0, 0.01, 0.05), "iterations": (50, 100, 200)},
    ),
}
