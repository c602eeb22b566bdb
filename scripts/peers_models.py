"""Other people's recommenders, each as its handbook says. Every one gets the same matrix, and answers with a score for each song."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, csr_matrix, hstack, identity, vstack
from threadpoolctl import threadpool_limits

from training.evaluation.split_file import Asked

DENSE_MAX = 20_000  # songs: EASE inverts a dense matrix of them
Settings = Mapping[str, Any]
Scores = Callable[[slice], NDArray[np.float64]]  # some of those who are asked -> (listeners, songs)


@dataclass(frozen=True)
class Task:
    """``learn``: float32 (listeners × songs). ``asked``: whose lists are wanted. ``features``: csr (songs × artists and genres)."""

    learn: csr_array
    asked: Asked
    features: csr_array
    seed: int


@dataclass(frozen=True)
class Peer:
    """``fit`` learns and returns the scores; ``grid``: the published settings, of each name all values. ``about``: one line for people."""

    about: str
    fit: Callable[[Task, Settings], Scores]
    grid: Mapping[str, tuple[Any, ...]]


def ease(task: Task, settings: Settings) -> Scores:
    """The textbook's EASE (Steck, WWW 2019), closed form, dense: ``B = I - P diag(P)⁻¹`` with ``P = (XᵀX + λI)⁻¹``, X of 0 and 1.

    Songs that nobody has played take no part. Raises ``ValueError`` for a catalogue too large for a dense matrix.
    """
    played = np.flatnonzero(np.bincount(task.learn.indices, minlength=task.learn.shape[1]))
    if len(played) > DENSE_MAX:
        raise ValueError(f"the textbook's EASE inverts a dense matrix of {len(played)} songs; {DENSE_MAX} are allowed here")
    x = _binary(task.learn)[:, played]
    gram = (x.T @ x).toarray().astype(np.float64)
    gram[np.diag_indices_from(gram)] += settings["l2"]
    inverse = np.linalg.inv(gram)
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0.0)
    shown = _binary(task.asked.shown)[:, played]

    def scores(rows: slice) -> NDArray[np.float64]:
        out = np.full((len(range(*rows.indices(shown.shape[0]))), task.learn.shape[1]), -np.inf)
        out[:, played] = shown[rows] @ weights
        return out

    return scores


def implicit_als(task: Task, settings: Settings) -> Scores:
    """ALS of the package implicit (Hu, Koren, Volinsky 2008); who is asked is folded in (``recalculate_user``)."""
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


def implicit_bm25(task: Task, settings: Settings) -> Scores:
    """Item neighbours by BM25 of the package implicit."""
    from implicit.nearest_neighbours import BM25Recommender

    return _neighbours(task, BM25Recommender(K=settings["k"], K1=settings["k1"], B=settings["b"]))


def implicit_cosine(task: Task, settings: Settings) -> Scores:
    """Item neighbours by cosine of the package implicit."""
    from implicit.nearest_neighbours import CosineRecommender

    return _neighbours(task, CosineRecommender(K=settings["k"]))


def implicit_bpr(task: Task, settings: Settings) -> Scores:
    """BPR matrix factorization (Rendle 2009) of the package implicit. It cannot fold in: see ``_with_asked``."""
    from implicit.cpu.bpr import BayesianPersonalizedRanking

    matrix, users = _with_asked(task)
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


def lightfm(task: Task, settings: Settings) -> Scores:
    """LightFM (Kula 2015): a song's vector is the sum of those of its id, its artists and its genres. It cannot fold in: see
    ``_with_asked``."""
    from lightfm import LightFM

    matrix, users = _with_asked(task)
    n_items = matrix.shape[1]
    own = identity(n_items, dtype=np.float32, format="csr")
    features = _narrow(csr_array(hstack([own, task.features], format="csr") if settings["features"] else own))
    model = LightFM(
        no_components=settings["components"],
        loss=settings["loss"],
        learning_rate=settings["learning_rate"],
        item_alpha=settings["item_alpha"],
        random_state=task.seed,
    )
    model.fit(_narrow(_binary(matrix)).tocoo(), item_features=features, epochs=settings["epochs"])
    item_biases, items = model.get_item_representations(features)
    _, listeners = model.get_user_representations()
    return lambda rows: np.asarray(listeners[users[rows]] @ items.T + item_biases, dtype=np.float64)


PEERS: dict[str, Peer] = {
    "ease_textbook": Peer("EASE, closed form (Steck 2019), in numpy", ease, {"l2": (50.0, 100.0, 200.0, 300.0, 500.0, 1000.0, 2000.0)}),
    "implicit_als": Peer(
        "implicit: ALS",
        implicit_als,
        {
            "factors": (32, 64, 128, 256),
            "regularization": (0.001, 0.01, 0.1, 1.0, 10.0),
            "alpha": (1.0, 5.0, 10.0, 40.0),
            "iterations": (15, 30),
        },
    ),
    "implicit_bm25": Peer(
        "implicit: item neighbours, BM25",
        implicit_bm25,
        {"k": (20, 50, 100, 200, 500), "k1": (0.5, 1.2, 2.0, 10.0, 100.0), "b": (0.2, 0.5, 0.75, 0.9)},
    ),
    "implicit_cosine": Peer("implicit: item neighbours, cosine", implicit_cosine, {"k": (20, 50, 100, 200, 500, 1000)}),
    "implicit_bpr": Peer(
        "implicit: BPR matrix factorization",
        implicit_bpr,
        {"factors": (32, 64, 128), "learning_rate": (0.01, 0.05, 0.1), "regularization": (0.0, 0.01, 0.05), "iterations": (50, 100, 200)},
    ),
    "lightfm": Peer(
        "LightFM: ids, artists and genres as summed vectors",
        lightfm,
        {
            "components": (32, 64, 128),
            "loss": ("warp", "bpr"),
            "learning_rate": (0.01, 0.05, 0.1),
            "item_alpha": (0.0, 1e-6, 1e-5),
            "epochs": (10, 30),
            "features": (True, False),
        },
    ),
}


def _binary(matrix: csr_array) -> csr_array:
    return csr_array((np.ones(len(matrix.data), dtype=np.float32), matrix.indices, matrix.indptr), shape=matrix.shape)


def _narrow(matrix: csr_array) -> csr_matrix:
    """Returns float32 with int32 indices: LightFM takes no others."""
    parts = (matrix.data.astype(np.float32), matrix.indices.astype(np.int32), matrix.indptr.astype(np.int32))
    return csr_matrix(parts, shape=matrix.shape)


def _neighbours(task: Task, model: Any) -> Scores:
    model.fit(csr_matrix(task.learn), show_progress=False)
    shown, similarity = csr_matrix(task.asked.shown), model.similarity
    return lambda rows: np.asarray((shown[rows] @ similarity).toarray(), dtype=np.float64)


def _with_asked(task: Task) -> tuple[csr_array, NDArray[np.int64]]:
    """Returns the matrix with a row for each new listener who is asked, and the row of everyone who is.

    Models with a vector per listener cannot answer somebody new. They are given what is shown of the new ones beside what they learn from,
    which the others do not have: an advantage, if anything.
    """
    users = task.asked.users.copy()
    new = np.flatnonzero(users < 0)
    users[new] = task.learn.shape[0] + np.arange(len(new))
    return csr_array(vstack([task.learn, task.asked.shown[new]], format="csr")), users
