"""The hybrid's weights, found on listeners whom the models have not seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from inference.scorers import Scorer
from training.config import HybridConfig
from training.split import Case
from training.trainers.pool import Pool

DEFAULT_WEIGHTS = {"cease": 1.0, "ease": 1.0, "spectral": 0.5, "item_knn": 0.5, "graph": 0.5, "transitions": 0.5, "als": 0.3}
DEFAULT_WEIGHTS |= {"content": 0.3, "pearson": 0.3, "sessions": 0.3, "words": 0.3, "artist": 0.3, "similar_songs": 0.1, "popularity": 0.02}
MIN_CASES = 20  # with fewer held-out listeners the weights would be noise
_STEPS = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.5, 4.0)
_MIN_GAIN = 2e-3  # relative; a step that adds less is noise, and a model that adds less would only cost time
# The one model that has an opinion of every song without listeners. Validation on listening can't tell what it is worth to them, so it is
# never left out; with this share of the weights it hardly moves any other song.
KNOWS_NEW_SONGS, _LEAST = "content", 0.01


def fit_weights(pool: Pool, config: HybridConfig, k: int) -> tuple[dict[str, float], dict[str, float]]:
    """Returns (weights, validation quality of each model alone and of the hybrid) of the models of the pool.

    Coordinate ascent from the best single model, on recall@k, nDCG@k or their mean. Each model's scores are first divided by their usual
    size (``Pool.scales``), so that the same steps suit every model; the weights returned include that.
    """
    names, scales = list(pool.scores), pool.scales()
    scaled = np.stack([pool.scores[name] / np.float32(scales[name]) for name in names])

    def quality(total: np.ndarray) -> float:
        return pool.quality_of(total, k, config.metric)

    alone = [quality(scores) for scores in scaled]
    weights, best = _ascend(np.eye(len(names))[int(np.argmax(alone))], max(alone), scaled, quality)
    if KNOWS_NEW_SONGS in names and not weights[names.index(KNOWS_NEW_SONGS)]:
        weights[names.index(KNOWS_NEW_SONGS)] = _LEAST * weights.sum()
        best = quality(np.tensordot(weights.astype(np.float32), scaled, axes=1))
    found = of_shares(dict(zip(names, weights.tolist(), strict=True)), scales)
    return found, {**dict(zip(names, alone, strict=True)), "hybrid": best}


def of_shares(shares: Mapping[str, float], scales: Mapping[str, float]) -> dict[str, float]:
    """Returns the weights that give each model its share (not all may be 0), whatever the size of its scores. They sum to 1 before
    scaling: a song that all models put among their usual best scores about 1."""
    total = sum(shares.values())
    return {name: share / total / scales[name] for name, share in shares.items()}


def default_weights(scorers: Mapping[str, Scorer], cases: Sequence[Case], pool: int, shares: Mapping[str, float]) -> dict[str, float]:
    """Returns the weights of fixed ``shares``, where the user gives them, or there are too few listeners to find better ones on.

    ``cases`` may be of the training listeners: only the size of the scores is read off them. May be empty.
    """
    scales = Pool.of(scorers, cases, pool).scales() if cases else dict.fromkeys(scorers, 1.0)
    return of_shares({name: shares.get(name, 0.0) for name in scorers}, scales)


def _ascend(weights: np.ndarray, best: float, scaled: np.ndarray, quality: Callable[[np.ndarray], float]) -> tuple[np.ndarray, float]:
    improved = True
    while improved:
        improved = False
        total = np.tensordot(weights.astype(np.float32), scaled, axes=1)
        for i in range(len(weights)):
            rest = total - np.float32(weights[i]) * scaled[i]
            has_others = bool(np.delete(weights, i).any())
            for step in _STEPS:
                if step == weights[i] or (step == 0.0 and not has_others):
                    continue
                value = quality(rest + np.float32(step) * scaled[i])
                # Going down to 0 is taken even without a gain: the simpler of two equals.
                if value > best * (1.0 + _MIN_GAIN) or (step == 0.0 and weights[i] > 0 and value >= best):
                    weights, best, improved = _with(weights, i, step), value, True
            total = rest + np.float32(weights[i]) * scaled[i]
    return weights, best


def _with(weights: np.ndarray, i: int, value: float) -> np.ndarray:
    changed = weights.copy()
    changed[i] = value
    return changed
