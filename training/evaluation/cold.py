"""What songs that nobody has played cost the others, and what they bring: both are asked for the same places of a list."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from training.evaluation.cases import Case, Ranker, ask

MAX_CASES = 2000
_DEEPER = 3  # times k: enough, unless more than two thirds of a list are songs without listeners


def cold_songs(
    name: str, ranker: Ranker, cases: Sequence[Case], recommended: NDArray[np.int32], k: int, item_listeners: NDArray[np.int64]
) -> dict[str, float]:
    """Returns how lists of k songs change when songs without listeners may not come; empty where none of those is to be found.

    ``recommended``: the lists of ``cases`` as they are, padded with -1, at least k long. ``cold_share_of_hits``: of the songs found, how
    many had no listener in training. ``cold_recall``, ``warm_recall``: found of all that is to be found, with and without listeners,
    over all pairs. ``warm_recall_without_cold``: the same when the list is filled up without cold songs; ``warm_loss`` the share of it
    that they cost. At most 2,000 listeners are asked again.
    """
    wanted = [np.asarray(case.relevant) for case in cases[:MAX_CASES]]
    n_cold = sum(int((item_listeners[songs] == 0).sum()) for songs in wanted)
    n_warm = sum(len(songs) for songs in wanted) - n_cold
    if not n_cold or not n_warm:
        return {}
    deeper = ask(name, ranker, cases[:MAX_CASES], _DEEPER * k, quiet=True)
    cold, warm, warm_alone = 0, 0, 0
    for songs, mixed, deep in zip(wanted, recommended[: len(wanted), :k], deeper, strict=True):
        found = songs[np.isin(songs, mixed)]
        cold += int((item_listeners[found] == 0).sum())
        warm += int((item_listeners[found] > 0).sum())
        known = deep[deep >= 0]
        warm_alone += int(np.isin(songs, known[item_listeners[known] > 0][:k]).sum())
    return {
        "cold_share_of_hits": round(cold / max(1, cold + warm), 6),
        "cold_recall": round(cold / n_cold, 6),
        "warm_recall": round(warm / n_warm, 6),
        "warm_recall_without_cold": round(warm_alone / n_warm, 6),
        "warm_loss": round(1.0 - warm / warm_alone, 6) if warm_alone else 0.0,
    }
