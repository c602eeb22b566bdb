"""Quality by the amount of data: of the listener who asks, and of the song that is to be found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.request import Request
from training.evaluation import metrics
from training.evaluation.cases import Case, Ranker, ask

LISTENER_EVENTS = (0, 1, 2, 5, 10)
SONG_EVENTS = {"0": (0, 0), "1": (1, 1), "2": (2, 2), "3-5": (3, 5), "6-10": (6, 10), "more": (11, np.iinfo(np.int64).max)}
MAX_CASES = 200
MIN_CASES = 20
ALL = "all"


def by_song_events(
    recommended: NDArray[np.int32], cases: Sequence[Case], k: int, item_listeners: NDArray[np.int64]
) -> dict[str, dict[str, float]]:
    """Returns, for the songs to be found, grouped by how many listeners the models had of them, how many (listener, song) pairs there are
    (``pairs``) and the share of these in the first k places. Groups without a pair are left out."""
    wanted = np.concatenate([case.relevant for case in cases]).astype(np.int64)
    owners = np.repeat(np.arange(len(cases)), [len(case.relevant) for case in cases])
    width = len(item_listeners) + 1
    given = (np.arange(len(cases))[:, None] * width + recommended[:, :k])[recommended[:, :k] >= 0]
    found = np.isin(owners * width + wanted, given)
    events = item_listeners[wanted]
    groups = {}
    for name, (least, most) in SONG_EVENTS.items():
        chosen = (events >= least) & (events <= most)
        if chosen.any():
            groups[name] = {"pairs": int(chosen.sum()), f"recall_at_{k}": round(float(found[chosen].mean()), 6)}
    return groups


def by_listener_events(
    rankers: Mapping[str, Ranker],
    cases: Sequence[Case],
    lists: Mapping[str, NDArray[np.int32]],
    item_ids: NDArray[np.object_],
    k: int,
    seed: int,
) -> dict[str, Any]:
    """Returns the quality of each model for the same listeners when only the first n of their songs are sent, n = 0, 1, 2, 5, 10, all.

    Only listeners with at least 10 songs (the largest n that at least 20 listeners have) take part, at most 200 of them; the order of a
    listener's songs is drawn. They are asked as new listeners; what is not sent is excluded, so that the lists differ by what is known
    and not by what may be named. ``lists`` has each model's answers to the cases as they are, which are those of ``all``. The result:
    ``listeners``, and by model and n ``recall_at_k`` and ``ndcg_at_k``.
    """
    enough = [n for n in LISTENER_EVENTS if sum(len(case.history) >= n for case in cases) >= MIN_CASES]
    if len(enough) < 2:  # only 0: there is nothing to compare
        return {}
    rng = np.random.default_rng(seed)
    rows = np.flatnonzero([len(case.history) >= enough[-1] for case in cases])
    rows = np.sort(rng.permutation(rows)[:MAX_CASES])
    chosen = [cases[row] for row in rows.tolist()]
    orders = [rng.permutation(case.history) for case in chosen]
    truth, counts = [case.relevant for case in chosen], np.array([len(case.relevant) for case in chosen], dtype=np.int64)
    models: dict[str, dict[str, dict[str, float]]] = {}
    for model, ranker in rankers.items():
        answers = {}
        for n in enough:
            asked = [replace(case, request=_first(case, order, n, item_ids)) for case, order in zip(chosen, orders, strict=True)]
            answers[str(n)] = ask(model, ranker, asked, k, quiet=True)
        models[model] = {}
        for name, recommended in {**answers, ALL: lists[model][rows, :k]}.items():
            hits = metrics.find_hits(recommended, truth)
            models[model][name] = {
                f"recall_at_{k}": round(float(metrics.recall(hits, counts, k).mean()), 6),
                f"ndcg_at_{k}": round(float(metrics.ndcg(hits, counts, k).mean()), 6),
            }
    return {"listeners": len(chosen), "models": models}


def _first(case: Case, order: NDArray[np.int32], n: int, item_ids: NDArray[np.object_]) -> Request:
    sent, rest = order[:n], order[n:]
    return Request(
        items=tuple(item_ids[sent].tolist()), exclude=tuple(item_ids[rest].tolist()), candidates=case.request.candidates, exclude_seen=True
    )
