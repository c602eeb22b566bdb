"""The vector of how a song sounds: each part has about the same spread, so that a distance means the same in all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from inference.features.attributes import Attributes

CLIP = 3.0  # standard deviations: one odd song must not stretch a feature
TEMPO_DAMPING = 0.5  # a tempo that was heard twice as fast as it is should not be far from itself
SKEWED = ("duration", "tempo")
FIFTHS = 7  # semitones
RELATIVE_MAJOR = 3  # semitones above a minor key


@dataclass(frozen=True)
class AudioTransform:
    """``names``: the numbers that are standardised, of which ``mean`` and ``deviation`` (float64) were found on the train songs, of
    duration and tempo on their logarithms; ``has_key``: whether the catalogue knows keys."""

    names: tuple[str, ...]
    mean: np.ndarray
    deviation: np.ndarray
    has_key: bool

    @property
    def dimensions(self) -> tuple[str, ...]:
        """Returns what each dimension of the vector is."""
        circles = (("tempo_octave_cos", "tempo_octave_sin") if "tempo" in self.names else ()) + (
            ("key_fifths_cos", "key_fifths_sin") if self.has_key else ()
        )
        return self.names + circles

    def apply(self, attributes: Attributes) -> np.ndarray:
        """Returns float32 (songs, dimensions); what a song lacks is 0, which is the mean."""
        out = np.zeros((attributes.n_songs, len(self.dimensions)), dtype=np.float32)
        for j, name in enumerate(self.names):
            out[:, j] = standardised(raw(attributes, name), self.mean[j], self.deviation[j])
            if name == "tempo":
                out[:, j] *= TEMPO_DAMPING
        place = len(self.names)
        for angle in self._angles(attributes):
            known = np.isfinite(angle)
            out[known, place] = np.cos(angle[known])
            out[known, place + 1] = np.sin(angle[known])
            place += 2
        return out

    def _angles(self, attributes: Attributes) -> list[np.ndarray]:
        angles = []
        if "tempo" in self.names:  # 70, 140 and 280 beats per minute are one angle
            angles.append(2 * np.pi * np.log2(attributes.number("tempo").astype(np.float64)))
        if self.has_key:
            angles.append(fifths(attributes.keys, attributes.modes))
        return angles

    def settings(self) -> dict[str, Any]:
        numbers = {"mean": self.mean.tolist(), "deviation": self.deviation.tolist()}
        return {"names": list(self.names), **numbers, "has_key": self.has_key, "dimensions": list(self.dimensions)}

    @classmethod
    def load(cls, settings: Mapping[str, Any]) -> Self:
        names: Sequence[str] = settings["names"]
        mean, deviation = (np.array(settings[part], dtype=np.float64) for part in ("mean", "deviation"))
        if not len(names) == len(mean) == len(deviation):
            raise ValueError("the means of the audio features do not fit their names")
        return cls(tuple(names), mean, deviation, bool(settings["has_key"]))


def raw(attributes: Attributes, name: str) -> np.ndarray:
    """Returns the number (float64) whose mean and deviation are taken."""
    values = attributes.number(name).astype(np.float64)
    return np.log1p(values) if name in SKEWED else values


def standardised(values: np.ndarray, mean: float, deviation: float) -> np.ndarray:
    """Returns float64: mean 0, deviation 1, clipped; 0 where a value is missing or all are the same."""
    scaled = (values - mean) / (deviation if deviation > 1e-9 else np.inf)
    return np.where(np.isfinite(values), np.clip(scaled, -CLIP, CLIP), 0.0)


def fifths(keys: np.ndarray, modes: np.ndarray) -> np.ndarray:
    """Returns the angle (float64, NaN missing) of each key on the circle of fifths, a minor key with its relative major; there keys
    that share most of their notes are neighbours."""
    major = keys.astype(np.int64) + RELATIVE_MAJOR * (modes == 0)
    return np.where(keys >= 0, 2 * np.pi * (FIFTHS * major % 12) / 12, np.nan)
