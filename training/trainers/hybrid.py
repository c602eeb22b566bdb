"""The hybrid's weights, found on listeners whom the models have not seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from inference.scorers import Scorer
from inference.top_n import top_n
from training.config import HybridConfig
from training.progress import track
from training.split import Case

DEFAULT_WEIGHTS = {"ease": 1.0, "item_knn": 0.5, "als": 0.3, "content": 0.3, "pearson": 0.3, "popularity": 0.02}
DEFAULT_WEIGHTS |= {"transitions": 0.5, "sessions": 0.3, "words": 0.3, "similar_songs": 0.1}
MIN_CASES = 20  # with fewer held-out listeners the weights would be noise
_STEPS = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.5, 4.0)
_MIN_GAIN = 2e-3  # relative; a step that adds less is noise, and a model that adds less would only cost time
_SCALE_DEPTH = 20
# The one model that has an opinion of songs without listeners. Validation on listening can't tell what it is worth to them, so it is never
# left out; with this share of the weights it hardly moves any other song.
KNOWS_NEW_SONGS, _LEAST = "content", 0.01


def fit_weights(
    scorers: Mapping[str, Scorer], cases: Sequence[Case], config: HybridConfig, k: int
) -> tuple[dict[str, float], dict[str, float]]:
    """Returns (weights, validation quality of each model alone and of the hybrid).

    Coordinate ascent from the best single model, on recall@k, nDCG@k or their mean. Each model's scores are first divided by their usual
    size (``_scales``), so that the same steps suit every model; the weights returned include that. Only each model's best ``pool`` songs
    for a listener take part, all of them scored by every model.
    """
    names = list(scorers)
    pool, relevant, n_hidden = _pool(scorers, cases, config.pool)
    scales = _scales(pool)
    scaled = pool / scales[:, None, None]

    def quality(weights: np.ndarray) -> float:
        return _quality(np.tensordot(weights.astype(np.float32), scaled, axes=1), relevant, n_hidden, k, config.metric)

    alone = [quality(row) for row in np.eye(len(names))]
    weights, best = _ascend(np.eye(len(names))[int(np.argmax(alone))], max(alone), quality)
    if KNOWS_NEW_SONGS in names and not weights[names.index(KNOWS_NEW_SONGS)]:
        weights[names.index(KNOWS_NEW_SONGS)] = _LEAST * weights.sum()
        best = quality(weights)
    # Weights that sum to 1 before scaling: a song that all models put among their usual best scores about 1.
    found = {name: float(weight) for name, weight in zip(names, weights / weights.sum() / scales, strict=True)}
    return found, {**dict(zip(names, alone, strict=True)), "hybrid": best}


def default_weights(scorers: Mapping[str, Scorer], cases: Sequence[Case], pool: int) -> dict[str, float]:
    """Returns fixed weights, scaled to the size of each model's scores, where there are too few listeners to find better ones on.

    ``cases`` may be of the training listeners: only the size of the scores is read off them. May be empty.
    """
    scales = _scales(_pool(scorers, cases, pool)[0]) if cases else np.ones(len(scorers))
    return {name: DEFAULT_WEIGHTS[name] / float(scale) for name, scale in zip(scorers, scales, strict=True)}


def _scales(pool: np.ndarray) -> np.ndarray:
    """Returns float32 (models,): the mean of each model's best scores over the listeners, 1 for a model that has none."""
    best = -np.partition(-pool, _SCALE_DEPTH, axis=2)[:, :, :_SCALE_DEPTH]
    means = best.mean(axis=(1, 2))
    return np.where(means > 1e-9, means, 1.0).astype(np.float32)


def _ascend(weights: np.ndarray, best: float, quality: Callable[[np.ndarray], float]) -> tuple[np.ndarray, float]:
    improved = True
    while improved:
        improved = False
        for i in range(len(weights)):
            for step in _STEPS:
                trial = weights.copy()
                trial[i] = step
                if not trial.any():
                    continue
                value = quality(trial)
                # Going down to 0 is taken even without a gain: the simpler of two equals.
                if value > best * (1.0 + _MIN_GAIN) or (step == 0.0 and weights[i] > 0 and value >= best):
                    weights, best, improved = trial, value, True
    return weights, best


def _pool(scorers: Mapping[str, Scorer], cases: Sequence[Case], depth: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns scores float32 (models, cases, pool), relevant bool (cases, pool), and the number of hidden songs of each case."""
    rows, truth = [], []
    for case in track(cases, total=len(cases), description="hybrid"):
        history = case.history()
        scores = np.stack([scorer.scores(history) for scorer in scorers.values()])
        scores[:, case.shown] = -np.inf
        chosen = np.unique(np.concatenate([top_n(row, depth) for row in scores]))
        chosen = chosen[~np.isin(chosen, case.shown)]
        rows.append(scores[:, chosen].astype(np.float32))
        truth.append(np.isin(chosen, case.hidden))
    width = max(max(len(t) for t in truth), _SCALE_DEPTH + 1)
    pool = np.zeros((len(scorers), len(cases), width), dtype=np.float32)
    relevant = np.zeros((len(cases), width), dtype=bool)
    for i, (row, true) in enumerate(zip(rows, truth, strict=True)):
        pool[:, i, : len(true)] = row
        relevant[i, : len(true)] = true
    return pool, relevant, np.array([len(case.hidden) for case in cases])


def _quality(scores: np.ndarray, relevant: np.ndarray, n_hidden: np.ndarray, k: int, metric: str) -> float:
    k = min(k, scores.shape[1])
    best = np.argpartition(-scores, k - 1, axis=1)[:, :k]
    best = np.take_along_axis(best, np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1, kind="stable"), axis=1)
    hits = np.take_along_axis(relevant, best, axis=1)
    recall = hits.sum(axis=1) / n_hidden
    discounts = 1.0 / np.log2(np.arange(2, k + 2))
    ndcg = (hits * discounts).sum(axis=1) / np.cumsum(discounts)[np.minimum(n_hidden, k) - 1]
    if metric == "both":
        return float((recall + ndcg).mean() / 2)
    return float((recall if metric == "recall" else ndcg).mean())
