"""Models of the package cornac. Its WMF needs TensorFlow, its VAECF and LightGCN torch; a fit of its HPF took over a minute on ml-100k."""

from __future__ import annotations

from typing import Any

from scipy.sparse import csr_array

from scripts.peers_task import Peer, Played, Scores, Settings, Task, with_asked


def ease(task: Task, settings: Settings) -> Scores:
    """EASE (Steck, WWW 2019), where negative weights may be taken out (``positive``). Raises ``ValueError`` for too large a catalogue."""
    from cornac.models import EASE

    played = Played.of(task.learn)
    played.refuse_dense("cornac's EASE")
    model = EASE(lamb=settings["l2"], posB=settings["positive"], verbose=False)
    model.fit(_dataset(played.part(task.learn), task.seed))
    shown = played.part(task.asked.shown)
    return lambda rows: played.spread(shown[rows] @ model.B)


def bpr(task: Task, settings: Settings) -> Scores:
    """BPR matrix factorization (Rendle 2009) with a bias for each song. It cannot fold in: see ``with_asked``."""
    from cornac.models import BPR

    matrix, users = with_asked(task)
    played = Played.of(matrix)
    model = BPR(
        k=settings["factors"],
        max_iter=settings["iterations"],
        learning_rate=settings["learning_rate"],
        lambda_reg=settings["regularization"],
        seed=task.seed,
    )
    model.fit(_dataset(played.part(matrix), task.seed))
    listeners, songs = model.get_user_vectors()[users], model.get_item_vectors()
    return lambda rows: played.spread(listeners[rows] @ songs.T)


def _dataset(matrix: csr_array, seed: int) -> Any:
    """Returns the matrix as cornac's data, in which a row's or a column's id is its number."""
    from cornac.data import Dataset

    entries = matrix.tocoo()
    ids = [{number: number for number in range(n)} for n in matrix.shape]
    return Dataset(*matrix.shape, *ids, (entries.row, entries.col, entries.data), seed=seed)


PEERS = {
    "cornac_ease": Peer(
        "cornac: EASE, also without negative weights",
        ease,
        {"l2": (50.0, 100.0, 200.0, 300.0, 500.0, 1000.0, 2000.0), "positive": (True, False)},
    ),
    "cornac_bpr": Peer(
        "cornac: BPR matrix factorization with biases",
        bpr,
        {"factors": (32, 64, 128), "learning_rate": (0.01, 0.05, 0.1), "regularization": (0.001, 0.01, 0.05), "iterations": (50, 100, 200)},
    ),
}
