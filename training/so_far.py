"""The best model that can be made of what is finished, for a training that is stopped."""

from __future__ import annotations

from dataclasses import replace

from inference.recommender import POPULARITY
from inference.scorers import HybridScorer
from training.candidates import Workshop, fit_model, trainable
from training.checkpoints import Checkpoints
from training.config import TrainingConfig
from training.fitting import Fitted, given_weights
from training.progress import log
from training.split import Split
from training.trainers.hybrid import DEFAULT_WEIGHTS

LISTENERS = 40  # that the size of the scores is read off: there is little time


def fitted_so_far(config: TrainingConfig, workshop: Workshop, split: Split, checkpoints: Checkpoints) -> tuple[Fitted, list[str]] | None:
    """Returns a hybrid of the finished models, and the names of those that are not finished; None if no model is.

    Its weights are those that were found, if they were, else the user's shares, else our defaults. It has no operator: adding it up takes
    time. Popularity, which everything falls back on, is fitted if it has not been: that takes a moment.
    """
    blended = trainable(config, workshop.dataset)
    scorers = {name: checkpoints.finished[name] for name in blended if name in checkpoints.finished}
    if not scorers:
        return None
    config, found = checkpoints.settled or (config, {})
    weights = {name: found[name] for name in scorers if found.get(name)}
    if not weights:
        shares = config.hybrid.weights if any(config.hybrid.weights.get(name) for name in scorers) else DEFAULT_WEIGHTS
        asked = replace(config, hybrid=replace(config.hybrid, weights=shares))
        weights = given_weights(asked, scorers, list(scorers), workshop, split, LISTENERS)
    if POPULARITY not in scorers:
        popularity = checkpoints.finished.get(POPULARITY)
        scorers[POPULARITY] = popularity or fit_model(config, workshop.data(config, split.relearn), POPULARITY)
    unfinished = [name for name in blended if name not in scorers]
    log("stopped_early", finished=",".join(scorers), unfinished=",".join(unfinished), weights_found=bool(found))
    return Fitted(scorers, HybridScorer(scorers, weights), {}, config), unfinished
