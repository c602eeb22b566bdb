"""Models that a textbook has, written as it has them: what needs no package."""

from __future__ import annotations

import numpy as np

from scripts.peers_task import Peer, Played, Scores, Settings, Task


def ease(task: Task, settings: Settings) -> Scores:
    """The textbook's EASE (Steck, WWW 2019), closed form, dense: ``B = I - P diag(P)⁻¹`` with ``P = (XᵀX + λI)⁻¹``, X of 0 and 1.

    Songs that nobody has played take no part. Raises ``ValueError`` for a catalogue too large for a dense matrix.
    """
    played = Played.of(task.learn)
    played.refuse_dense("the textbook's EASE")
    x = played.part(task.learn)
    gram = (x.T @ x).toarray().astype(np.float64)
    gram[np.diag_indices_from(gram)] += settings["l2"]
    inverse = np.linalg.inv(gram)
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0.0)
    shown = played.part(task.asked.shown)
    return lambda rows: played.spread(shown[rows] @ weights)


PEERS = {
    "ease_textbook": Peer("EASE, closed form (Steck 2019), in numpy", ease, {"l2": (50.0, 100.0, 200.0, 300.0, 500.0, 1000.0, 2000.0)})
}
