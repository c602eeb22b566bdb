"""SANSA: EASE with a sparse approximate inverse (Spišák et al., RecSys 2023), by its authors' package."""

from __future__ import annotations

from functools import partial

import numpy as np
from scipy.sparse import csr_matrix

from scripts.peers_task import Peer, Played, Scores, Settings, Task


def sansa(task: Task, settings: Settings, *, complete: bool) -> Scores:
    """``complete``: the Cholesky factor is made whole (CHOLMOD) and then thinned out; else it is incomplete from the beginning (ICF).

    Songs that nobody has played take no part. The first fit of a process also compiles the package's loops.
    """
    from sansa import (
        SANSA,
        CHOLMODGramianFactorizerConfig,
        ICFGramianFactorizerConfig,
        SANSAConfig,
        UMRUnitLowerTriangleInverterConfig,
    )

    played = Played.of(task.learn)
    factorizer = CHOLMODGramianFactorizerConfig() if complete else ICFGramianFactorizerConfig()
    inverter = UMRUnitLowerTriangleInverterConfig(scans=settings["scans"], finetune_steps=5)
    model = SANSA(SANSAConfig(settings["l2"], settings["density"], factorizer, inverter))
    model.fit(csr_matrix(played.part(task.learn)))
    shown = csr_matrix(played.part(task.asked.shown))
    return lambda rows: played.spread(np.asarray(model.forward(shown[rows]).toarray()))


_GRID = {"l2": (5.0, 20.0, 100.0, 200.0, 500.0, 1000.0, 2000.0), "density": (0.0005, 0.002, 0.01, 0.05), "scans": (1, 3)}
PEERS = {
    "sansa_cholmod": Peer("SANSA: sparse EASE, complete factor", partial(sansa, complete=True), _GRID),
    "sansa_icf": Peer("SANSA: sparse EASE, incomplete factor", partial(sansa, complete=False), _GRID),
}
