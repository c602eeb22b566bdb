"""How unevenly the listening is spread over the songs: the Lorenz curve and the Gini coefficient."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.quality.distribution import rounded

POINTS = 101
TOP_SHARES = (0.001, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)


def gini(counts: NDArray[np.int64]) -> float:
    """The Gini coefficient of counts > 0 (at least one): 0 if all are equal, towards 1 if one has everything.

    Twice the area between the Lorenz curve and the diagonal, computed from ranks: 2 Σ i·x_i / (n Σ x) - (n + 1) / n, x ascending.
    """
    ordered = np.sort(counts).astype(np.float64)
    n = len(ordered)
    return max(0.0, float(2 * (np.arange(1, n + 1) @ ordered) / (n * ordered.sum()) - (n + 1) / n))


def concentration(counts: NDArray[np.int64]) -> dict[str, Any]:
    """Describes how the entries are spread over the songs that have any (counts > 0; there must be one).

    ``gini``; ``lorenz``: ``songs`` and ``entries``, shares from 0 to 1 at 101 places: so many of the songs, the least played first, have so
    many of the entries; ``top``: the share of ``entries`` that the most played ``songs`` (a share) have.
    """
    ordered = np.sort(counts).astype(np.float64)
    total = np.concatenate([[0.0], np.cumsum(ordered)]) / ordered.sum()
    at = np.linspace(0, 1, len(total))
    songs = np.linspace(0, 1, POINTS)
    top = [{"songs": part, "entries": rounded(1 - np.interp(1 - part, at, total))} for part in TOP_SHARES]
    curve = np.interp(songs, at, total)
    return {
        "gini": rounded(gini(counts)),
        "lorenz": {"songs": [rounded(x) for x in songs.tolist()], "entries": [rounded(y) for y in curve.tolist()]},
        "top": top,
    }
