"""What the catalogues measure of the songs of a world, as numbers; each catalogue spells them in its own way."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scripts.music_world import Floats, Ints, World

PITCHES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
BEATS = (4, 3, 5)


@dataclass(frozen=True)
class Measures:
    """Arrays over songs. `popularity`: 0-100. `keys`: a place in `PITCHES`. `liveness`: 0-1. `beats`: of a bar."""

    seconds: Floats
    popularity: Ints
    loudness: Floats
    liveness: Floats
    explicit: NDArray[np.bool_]
    keys: Ints
    major: NDArray[np.bool_]
    beats: Ints


def measure(world: World, rng: np.random.Generator) -> Measures:
    """Invents the measures of some songs, in keeping with their features."""
    n_songs = len(world.artists)
    found = np.log(np.where(world.popularity > 0, world.popularity, 0.05))
    return Measures(
        seconds=np.clip(rng.normal(215, 55, n_songs), 45, 900),
        popularity=np.clip(np.rint(34 + 13 * found + rng.normal(0, 5, n_songs)), 0, 100).astype(np.int64),
        loudness=-14 + 10 * world.features[:, 0] + rng.normal(0, 1.5, n_songs),
        liveness=np.clip(rng.gamma(2.0, 0.09, n_songs), 0.01, 0.99),
        explicit=rng.random(n_songs) < 0.05 + 2 * world.features[:, 4],
        keys=rng.integers(0, len(PITCHES), n_songs),
        major=rng.random(n_songs) < 0.6,
        beats=np.array(BEATS)[rng.choice(len(BEATS), n_songs, p=[0.92, 0.06, 0.02])],
    )
