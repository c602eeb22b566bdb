"""The hybrid's weights, found on listeners whom the models have not seen."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple

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
# They take a share of every request's time that grows with the catalogue, and can't be compiled with the others.
_SLOW_TO_ASK, _MUST_EARN = ("als", "sessions", "popularity"), 0.01  # of the hybrid's quality
_NEARLY_AS_GOOD = 0.85  # of the best single model's quality
_STANDARD_ERRORS = 1.96  # of a difference between two blends that is taken for none


class _Blend(NamedTuple):
    """Weights (models,) of the scaled scores, and the quality that they have."""

    weights: np.ndarray
    quality: float


def fit_weights(pool: Pool, config: HybridConfig, k: int, *, same_manner: bool = True) -> tuple[dict[str, float], dict[str, float]]:
    """Returns (weights, validation quality of each model alone and of the hybrid) of the models of the pool.

    Coordinate ascent from the best single model, on recall@k, nDCG@k or their mean. Each model's scores are first divided by their usual
    size (``Pool.scales``), so that the same steps suit every model; the weights returned include that. A model that makes requests slow
    must add a hundredth to stay.

    ``same_manner``: what is asked for later is drawn as the validation part is. Where nobody knows that, the weights of models that are
    nearly as good alone are drawn together as far as validation can't tell the difference (95 % interval): found shares fit the
    manner of the draw as much as the listeners, equal ones don't. Smith and Wallis, "A simple explanation of the forecast combination
    puzzle", Oxford Bulletin of Economics and Statistics 2009.
    """
    names, scales = list(pool.scores), pool.scales()
    scaled = np.stack([pool.scores[name] / np.float32(scales[name]) for name in names])

    def quality(total: np.ndarray) -> float:
        return pool.quality_of(total, k, config.metric)

    alone = np.array([quality(scores) for scores in scaled])
    found = _ascend(_Blend(np.eye(len(names))[int(np.argmax(alone))], float(alone.max())), scaled, quality)
    found = _that_earn(found, [names.index(name) for name in _SLOW_TO_ASK if name in names], alone, scaled, quality)
    if not same_manner:
        found = _drawn_together(found, alone, scaled, lambda total: pool.qualities_of(total, k, config.metric))
    if KNOWS_NEW_SONGS in names and not found.weights[names.index(KNOWS_NEW_SONGS)]:
        weights = _with(found.weights, names.index(KNOWS_NEW_SONGS), _LEAST * found.weights.sum())
        found = _Blend(weights, quality(_total(weights, scaled)))
    shares = of_shares(dict(zip(names, found.weights.tolist(), strict=True)), scales)
    return shares, {**dict(zip(names, alone.tolist(), strict=True)), "hybrid": found.quality}


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


def _ascend(start: _Blend, scaled: np.ndarray, quality: Callable[[np.ndarray], float], without: Collection[int] = ()) -> _Blend:
    """Climbs one weight after the other until none gains; those of the models ``without`` stay."""
    weights, best = start
    improved = True
    while improved:
        improved = False
        total = _total(weights, scaled)
        for i in range(len(weights)):
            if i in without:
                continue
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
    return _Blend(weights, best)


def _that_earn(found: _Blend, slow: Sequence[int], alone: np.ndarray, scaled: np.ndarray, quality: Callable[[np.ndarray], float]) -> _Blend:
    """Leaves out each model of ``slow`` without which the best blend loses less than a model must earn; what is out stays out."""
    out: list[int] = []
    for i in slow:
        weights = _with(found.weights, i, 0.0)
        if not weights.any():
            others_alone = _with(alone, [i, *out], -np.inf)
            if np.isneginf(others_alone).all():  # it is the only one
                continue
            weights[int(np.argmax(others_alone))] = 1.0
        others = _ascend(_Blend(weights, quality(_total(weights, scaled))), scaled, quality, without=[i, *out])
        if others.quality >= found.quality * (1.0 - _MUST_EARN):
            found, out = others, [i, *out]
    return found


def _drawn_together(found: _Blend, alone: np.ndarray, scaled: np.ndarray, qualities: Callable[[np.ndarray], np.ndarray]) -> _Blend:
    """Moves the weights of models that are nearly as good alone towards their mean, as far as what it costs may be chance."""
    peers = np.flatnonzero((found.weights > 0) & (alone >= _NEARLY_AS_GOOD * alone.max()))
    if len(peers) < 2:
        return found
    before = qualities(_total(found.weights, scaled))
    for way in (1.0, 0.75, 0.5, 0.25):
        weights = found.weights.copy()
        weights[peers] += way * (weights[peers].mean() - weights[peers])
        after = qualities(_total(weights, scaled))
        loss = before - after
        if loss.mean() <= _STANDARD_ERRORS * loss.std() / np.sqrt(len(loss)):
            return _Blend(weights, float(after.mean()))
    return found


def _total(weights: np.ndarray, scaled: np.ndarray) -> np.ndarray:
    return np.asarray(np.tensordot(weights.astype(np.float32), scaled, axes=1))


def _with(weights: np.ndarray, i: int | list[int], value: float) -> np.ndarray:
    changed = weights.copy()
    changed[i] = value
    return changed
