"""Models of LensKit 0.14, its last line that does without torch, for implicit feedback (its BiasedMF and FunkSVD predict ratings).

It is asked as its handbook says, one listener after the other, with the songs shown as the history.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from scripts.peers_task import Peer, Played, Scores, Settings, Task


def item_knn(task: Task, settings: Settings) -> Scores:
    """Item neighbours by cosine (Deshpande and Karypis 2004): a song's score sums the similarities of the nearest songs of the history."""
    from lenskit.algorithms.item_knn import ItemItem

    return _answers(task, ItemItem(settings["neighbours"], save_nbrs=settings["kept"], min_sim=settings["min_sim"], feedback="implicit"))


def user_knn(task: Task, settings: Settings) -> Scores:
    """Listener neighbours by cosine: a song's score sums the similarities of the nearest listeners who have played it."""
    from lenskit.algorithms.user_knn import UserUser

    return _answers(task, UserUser(settings["neighbours"], min_sim=settings["min_sim"], feedback="implicit"))


def als(task: Task, settings: Settings) -> Scores:
    """ALS for implicit feedback (Hu, Koren, Volinsky 2008) by conjugate gradients; who is asked is folded in."""
    from lenskit.algorithms.als import ImplicitMF

    model = ImplicitMF(
        settings["factors"],
        iterations=settings["iterations"],
        reg=settings["regularization"],
        weight=settings["weight"],
        rng_spec=task.seed,
    )
    return _answers(task, model)


def _answers(task: Task, model: Any) -> Scores:
    import pandas as pd

    played = Played.of(task.learn)
    entries = task.learn.tocoo()
    model.fit(pd.DataFrame({"user": entries.row, "item": entries.col}))
    shown, users = task.asked.shown, task.asked.users.tolist()

    def answer(row: int) -> NDArray[np.float64]:
        history = shown.indices[shown.indptr[row] : shown.indptr[row + 1]]
        known = history[np.isin(history, played.songs)]  # ImplicitMF stumbles over others
        if not len(known):
            return np.full(len(played.songs), np.nan)
        return np.asarray(model.predict_for_user(users[row], played.songs, pd.Series(1.0, index=known)), dtype=np.float64)

    return lambda rows: played.spread(np.array([answer(row) for row in range(*rows.indices(len(users)))]))


PEERS = {
    "lenskit_item_knn": Peer(
        "LensKit 0.14: item neighbours",
        item_knn,
        {"neighbours": (20, 50, 100, -1), "kept": (50, 200, 1000, None), "min_sim": (1e-6, 0.01, 0.05)},
    ),
    "lenskit_user_knn": Peer(
        "LensKit 0.14: listener neighbours", user_knn, {"neighbours": (10, 20, 50, 100, 200, 500), "min_sim": (1e-6, 0.05, 0.1)}
    ),
    "lenskit_als": Peer(
        "LensKit 0.14: ALS",
        als,
        {"factors": (32, 64, 128), "regularization": (0.1, 1.0, 10.0, 100.0), "weight": (1.0, 10.0, 40.0), "iterations": (10, 20)},
    ),
}
