"""Sampled measures, on demand only: each song to be found is ranked against a few random ones instead of against all.

They are inconsistent: they may put another model first than the same measure on all songs does (Krichene & Rendle, "On sampled metrics for
item recommendation", KDD 2020), and they look far better. They are here to be compared with figures that were measured in this way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from training.evaluation.cases import Case, Ranker
from training.evaluation.metrics import PerListener

WARNING = "sampled measures are inconsistent: they may order models otherwise than all songs ranked do (Krichene & Rendle, KDD 2020)"


def sampled_places(
    ranker: Ranker, cases: Sequence[Case], item_ids: NDArray[np.object_], negatives: int, seed: int
) -> list[NDArray[np.int64]]:
    """Returns for each case the place (from 1) of each song to be found among itself and ``negatives`` random songs.

    The random songs are drawn without replacement from those that are neither in the history nor to be found; all songs of one case meet
    the same ones. With one seed every model meets the same ones. Where there are fewer such songs, all of them are taken.
    """
    rng = np.random.default_rng(seed)
    places = []
    for case in cases:
        taken = np.union1d(case.relevant, case.history)
        others = np.setdiff1d(rng.choice(len(item_ids), min(len(item_ids), negatives + len(taken)), replace=False), taken)
        others = rng.permutation(others)[:negatives]
        candidates = np.concatenate([case.relevant, others])
        request = replace(
            case.request, candidates=tuple(item_ids[candidates].tolist()), num_recommendations=len(candidates), exclude_seen=False
        )
        ranked = ranker.rank(request)
        is_other = ~np.isin(ranked, case.relevant)
        above = np.cumsum(is_other)
        found = dict(zip(ranked[~is_other].tolist(), (above[~is_other] + 1).tolist(), strict=True))
        places.append(np.array([found.get(song, len(others) + 1) for song in case.relevant.tolist()], dtype=np.int64))
    return places


def sampled_measures(places: Sequence[NDArray[np.int64]], negatives: int, ks: Sequence[int]) -> dict[str, PerListener]:
    """Returns, means over a listener's songs to be found: ``sampled_auc`` (share of the random songs that are ranked below),
    ``sampled_recall_at_k`` (share with a place up to k; also called hit rate), ``sampled_ndcg_at_k`` (1/log2(place + 1) up to k)."""
    measures = {"sampled_auc": [float(np.mean(1 - (one - 1) / max(negatives, 1))) for one in places]}
    for k in ks:
        measures[f"sampled_recall_at_{k}"] = [float(np.mean(one <= k)) for one in places]
        measures[f"sampled_ndcg_at_{k}"] = [float(np.mean(np.where(one <= k, 1 / np.log2(one + 1), 0.0))) for one in places]
    return {name: np.array(values, dtype=np.float64) for name, values in measures.items()}
