"""LightFM, as the package lightfm-next builds it for today's Python."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array, csr_matrix, hstack, identity

from scripts.peers_task import Peer, Scores, Settings, Task, binary, with_asked


def lightfm(task: Task, settings: Settings) -> Scores:
    """LightFM (Kula 2015): a song's vector is the sum of those of its id, its artists and its genres. It cannot fold in: see
    ``with_asked``."""
    from lightfm import LightFM

    matrix, users = with_asked(task)
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
    model.fit(_narrow(binary(matrix)).tocoo(), item_features=features, epochs=settings["epochs"])
    item_biases, items = model.get_item_representations(features)
    _, listeners = model.get_user_representations()
    return lambda rows: np.asarray(listeners[users[rows]] @ items.T + item_biases, dtype=np.float64)


def _narrow(matrix: csr_array) -> csr_matrix:
    """Returns float32 with int32 indices: LightFM takes no others."""
    parts = (matrix.data.astype(np.float32), matrix.indices.astype(np.int32), matrix.indptr.astype(np.int32))
    return csr_matrix(parts, shape=matrix.shape)


PEERS = {
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
