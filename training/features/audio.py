"""Mean and deviation of the audio features."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inference.features.attributes import AUDIO, Attributes
from inference.features.audio import AudioTransform, raw


def fit_audio(attributes: Attributes, train: NDArray[np.bool_]) -> AudioTransform:
    """Returns the transform of the numbers and keys that at least one train song has."""
    numbers = {name: raw(attributes, name)[train] for name in (*AUDIO, "year") if name in attributes.numbers}
    moments = {name: mean_and_deviation(values) for name, values in numbers.items() if np.isfinite(values).any()}
    mean, deviation = np.array(list(moments.values()), dtype=np.float64).reshape(-1, 2).T
    return AudioTransform(tuple(moments), mean, deviation, bool((attributes.keys[train] >= 0).any()))


def mean_and_deviation(values: NDArray[np.float64]) -> tuple[float, float]:
    """Returns both over what is not missing; (0, 0) if all is."""
    known = values[np.isfinite(values)].astype(np.float64)
    return (float(known.mean()), float(known.std())) if len(known) else (0.0, 0.0)
